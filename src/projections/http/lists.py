"""The lists that HTTP serves, as data: which views each reads, how it is asked, narrowed down and ordered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

from fastapi import Query

from ledger.domain.command import Day
from ledger.domain.identifiers import Name
from projections.exports.sheets import SHEETS, Sheet
from projections.queries.filters import FILTERS, choices_of
from projections.queries.questions import (
    Answer,
    Filters,
    list_claims,
    list_complaints,
    list_contracts,
    list_due,
    list_limits,
)
from projections.queries.reader import Reader

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
    """Return the JSON Schema of a list's rows. Fields may be added."""
    properties = {}
    for name, kind in listed.sheet.columns:
        schema = dict(_TYPES[kind])
        nullable = name not in listed.never_null or (listed.name == "complaints" and name == "claim")
        if nullable or (listed.name == "limits" and name == "insurance_year"):
            schema["type"] = [schema["type"], "null"]
        properties[name] = schema
    return {"type": "object", "required": sorted(properties), "properties": properties}


BEFORE: Final[Mapping[str, str]] = {
    "contracts": "Only contracts that started before this date.",
    "claims": "Only claims whose incident lies before this date.",
    "complaints": "Only complaints received before this date.",
    "limits": "Only insurance years that begin before this date.",
    "due": "Only what is due before this date.",
    "refunds": "Only what was due before this date.",
    "payments": "Only what moved before this date.",
    "recoveries": "Only claims whose incident lies before this date.",
    "timeline": "Only what took effect before this date.",
}


NAMES: Final[Mapping[str, str]] = {"from": "from_on"}
"""Filter → what it is called in Python, where that is something else."""


def filters_of(listed: List) -> Callable[..., Any]:
    """Make the dependency that reads a list's filters, with the parameters that the list knows."""

    def read(**given: Any) -> Any:  # noqa: ANN401  # each as its parameter says
        return listed.make(**given)

    def chosen(name: str, said: str) -> Any:  # noqa: ANN401  # an annotation
        return _one_of(choices_of(listed.name, name) if name in listed.filters else (), said)

    known: Mapping[str, Any] = {
        "contract": _text("Only of this contract; with what belongs to it."),
        "claim": _text("Only of this claim."),
        "guarantee": chosen("guarantee", "Only of this guarantee."),
        "status": chosen("status", "Only with this status."),
        "before": Annotated[Day | None, Query(description=BEFORE.get(listed.name))],
        "since": Annotated[Day | None, Query(description="Only what moved on this date or later.")],
        "kind": chosen("kind", "Only of this kind; `retention` stands in no other list."),
        "from": Annotated[
            Day | None, Query(alias="from", description="Only what is due on this date or later.")
        ],
        "step": chosen("step", "Only these steps."),
        "year": Annotated[int | None, Query(ge=1900, le=2199, description="Only incidents of this year.")],
        "month": Annotated[
            str | None,
            Query(
                pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$",
                description="The month, such as 2026-02; the present one unless given.",
                examples=["2026-02"],
            ),
        ],
        "every": Annotated[
            bool | None,
            Query(description="Claims too on which nothing happened and nothing is outstanding."),
        ],
    }
    read.__signature__ = Signature(  # type: ignore[attr-defined]  # what FastAPI reads
        [
            Parameter(NAMES.get(name, name), Parameter.KEYWORD_ONLY, default=None, annotation=known[name])
            for name in listed.filters
        ]
    )
    return read


def _text(said: str) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[Name | None, Query(description=said)]


def _one_of(choices: tuple[str, ...], said: str) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[str | None, Query(pattern=f"^({'|'.join(choices)})$", description=said)]
