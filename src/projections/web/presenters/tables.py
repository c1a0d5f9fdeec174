"""Which columns a table of a page shows, and how each is written; a report's files have all of them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from projections.listing import Listing
from projections.views import claims, complaints, contracts, due, limits
from projections.web.i18n.codes import N_


class PageColumn(NamedTuple):
    """One column: its heading, the field of the row, and how it is written."""

    heading: str
    field: str
    look: str = "text"
    """`contract`, `claim`, `complaint`, `subject`: a link; `status`, `code`, `event`, `day`, `instant`,
    `amount`, `number`, `hash`, `text`."""
    is_spare: bool = False
    """Whether a narrow window leaves it out."""


def columns_of(listing: Listing, names: str = "") -> tuple[PageColumn, ...]:
    """Return the columns of a list as a page shows them; `names`: only these, in this order."""
    return tuple(
        PageColumn(
            column.said.heading,
            column.name,
            _LOOKS.get(column.said.look, column.said.look),
            is_spare=column.name in listing.page_spares.split(),
        )
        for column in listing.chosen(names or listing.page)
    )


_LOOKS: Final[Mapping[str, str]] = {"year": "text", "prose": "text"}


def _without(columns: Sequence[PageColumn], *fields: str) -> tuple[PageColumn, ...]:
    return tuple(column for column in columns if column.field not in fields)


_CLAIMS, _COMPLAINTS, _DUE = (columns_of(module.LISTED) for module in (claims, complaints, due))
EVENTS = (
    PageColumn(N_("Position"), "position", "number"),
    PageColumn(N_("Event"), "type", "event"),
    PageColumn(N_("On"), "stream", "subject"),
    PageColumn(N_("Counts from"), "effective_on", "day"),
    PageColumn(N_("Recorded"), "recorded_at", "instant"),
    PageColumn(N_("By"), "actor", "text"),
)
DOCUMENTS = (
    PageColumn(N_("Document"), "kind", "code"),
    PageColumn(N_("Language"), "language", "code"),
    PageColumn(N_("Version"), "version", "text"),
    PageColumn("SHA-256", "sha256", "hash"),
)
PERSONS = (
    PageColumn(N_("Person"), "person", "text"),
    PageColumn(N_("Name"), "name", "text"),
    PageColumn(N_("E-mail"), "email", "text"),
    PageColumn(N_("Address"), "address", "text"),
)

TABLES: Mapping[str, Sequence[PageColumn]] = {
    "contracts": columns_of(contracts.LISTED),
    "claims": _CLAIMS,
    "claims_of_a_contract": _without(_CLAIMS, "contract"),
    "complaints": _COMPLAINTS,
    "complaints_of_a_contract": _without(_COMPLAINTS, "contract"),
    "due": _DUE,
    "due_short": tuple(
        column._replace(is_spare=column.field in {"alert_on", "rule"})
        for column in columns_of(due.LISTED, "due_on kind subject alert_on rule")
    ),
    "due_of_contract": _without(_DUE, "alert_on", "raw_due_on"),
    "due_of_claim": columns_of(due.LISTED, "due_on kind status met_on"),
    "limits": columns_of(limits.LISTED),
    "events": EVENTS,
    "documents": DOCUMENTS,
    "persons": PERSONS,
}
