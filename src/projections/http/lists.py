"""What HTTP says of lists: the schema of their rows, and the parameters that narrow them down."""

from collections.abc import Callable, Mapping
from datetime import date
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

from fastapi import Query

from ledger.domain.command import Day
from ledger.domain.identifiers import Name
from projections.listing import Filters, Listing

NAMES_OF_ROWS: Final = frozenset({"claim", "contract", "guarantee", "incident_year"})
"""Columns of reports that are promised to have a value in each row: those that say what it is of."""

_TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "truth": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
}


def row_schema(listing: Listing) -> dict[str, Any]:
    """Return the JSON Schema of a list's rows. Fields may be added."""
    properties = {}
    for column in listing.columns:
        schema = dict(_TYPES[column.kind])
        is_promised = column.said.is_promised and not column.is_optional
        if not is_promised or (listing.is_report and column.name not in NAMES_OF_ROWS):
            schema["type"] = [schema["type"], "null"]
        properties[column.name] = schema
    return {"type": "object", "required": sorted(properties), "properties": properties}


def path_of(listing: Listing) -> str:
    """Return a list's address below the book's, without an end."""
    return f"/reports/{listing.name}" if listing.is_report else f"/{listing.name}"


def operation_of(listing: Listing) -> str:
    """Return what the OpenAPI document calls a list, within the names of its operations."""
    return f"report_{listing.name}" if listing.is_report else listing.name


def filters_of(listing: Listing) -> Callable[..., Any]:
    """Make the dependency that reads a list's filters, with the parameters that the list knows."""

    def read(month: str | None = None, *, every: bool | None = None, **given: Any) -> Filters:  # noqa: ANN401  # each as its parameter says
        first = None if month is None else date.fromisoformat(f"{month}-01")
        return Filters(month=first, every=bool(every), **given)

    def chosen(name: str, said: str) -> Any:  # noqa: ANN401  # an annotation
        return _one_of(listing.choices_of(name), said)

    helps = {one.name: one.help for one in listing.filters}

    known: Mapping[str, Any] = {
        "contract": _text("Only of this contract; with what belongs to it."),
        "claim": _text("Only of this claim."),
        "guarantee": chosen("guarantee", "Only of this guarantee."),
        "status": chosen("status", "Only with this status."),
        "before": Annotated[Day | None, Query(description=helps.get("before"))],
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
            Parameter(one.attribute, Parameter.KEYWORD_ONLY, default=None, annotation=known[one.name])
            for one in listing.filters
        ]
    )
    return read


def _text(said: str) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[Name | None, Query(description=said)]


def _one_of(choices: tuple[str, ...], said: str) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[str | None, Query(pattern=f"^({'|'.join(choices)})$", description=said)]
