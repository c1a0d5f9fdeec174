"""The lists that HTTP serves, as data: which views each reads, how it is asked, how it is ordered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from projections.asking.filters import FILTERS
from projections.asking.questions import (
    Answer,
    Filters,
    list_claims,
    list_complaints,
    list_contracts,
    list_due,
    list_limits,
)
from projections.asking.reader import Reader
from projections.exports.sheet import Sheet
from projections.exports.sheets import SHEETS

Ask = Callable[[Reader, Any], list[Answer]]


@dataclass(frozen=True, slots=True)
class List:
    """One list."""

    name: str
    """Of the list, of its sheet and of its address."""
    views: tuple[str, ...]
    """The views that it reads; its own is the first."""
    order: tuple[str, ...]
    """What its query orders by, as whole numbers; none: it is short, and comes whole."""
    ask: Ask
    said: str
    make: Callable[..., Any] = Filters
    """Makes what it is narrowed down to."""
    folder: str = ""
    """In front of its name in the address."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What it is narrowed down by."""
        return FILTERS[self.name]

    @property
    def path(self) -> str:
        """Its address below the book's, without an end."""
        return f"/{self.folder}{self.name}"

    @property
    def operation(self) -> str:
        """What the OpenAPI document calls it, within the names of its operations."""
        return f"{self.folder.strip('/').removesuffix('s')}_{self.name}".lstrip("_")

    @property
    def never_null(self) -> frozenset[str]:
        """Columns that have a value in each row."""
        return NEVER_NULL if not self.folder else NEVER_NULL_IN_REPORTS

    @property
    def sheet(self) -> Sheet:
        """Its columns, as downloads have them."""
        return SHEETS[self.name]


LISTS: Final = (
    List(
        "contracts",
        ("contracts",),
        ("opened_position",),
        list_contracts,
        "Contracts in the order in which they were recorded",
    ),
    List(
        "claims",
        ("claims",),
        ("opened_position",),
        list_claims,
        "Claims in the order in which they were opened",
    ),
    List(
        "complaints",
        ("complaints",),
        ("opened_position",),
        list_complaints,
        "Complaints in the order in which they were lodged",
    ),
    List(
        "limits",
        ("limits", "claims", "contracts"),
        ("contract_position", "insurance_year", "guarantee_order"),
        list_limits,
        "What is consumed and what is left of each limit, for each insurance year begun",
    ),
    List(
        "due",
        ("due",),
        ("due_on - date '1900-01-01'", "subject_position", "opening"),
        list_due,
        "What is due when, and what was met, missed or cancelled, by due date",
    ),
)

NEVER_NULL: Final = frozenset(
    {
        *("contract", "claim", "complaint", "status", "guarantee", "product", "terms", "starts_on", "term"),
        *("policyholder", "language", "notice_gate_on", "from_on", "to_on", "subject", "kind", "rule"),
        *("raw_due_on", "due_on", "alert_on", "loss_cents", "approved_cents", "excess_cents", "victim"),
        *("refunded_cents", "recovered_cents", "received_on", "complainant"),
        *("amount_consumed_cents", "amount_reserved_cents", "count_consumed", "count_reserved"),
    }
)

NEVER_NULL_IN_REPORTS: Final = frozenset({"claim", "contract", "guarantee", "incident_year"})

_TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "truth": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
}


def row_schema(listed: List) -> dict[str, Any]:
    """Give the JSON Schema of a list's rows. Fields may be added."""
    properties = {}
    for name, kind in listed.sheet.columns:
        schema = dict(_TYPES[kind])
        nullable = name not in listed.never_null or (listed.name == "complaints" and name == "claim")
        if nullable or (listed.name == "limits" and name == "insurance_year"):
            schema["type"] = [schema["type"], "null"]
        properties[name] = schema
    return {"type": "object", "required": sorted(properties), "properties": properties}
