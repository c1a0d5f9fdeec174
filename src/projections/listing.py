"""What is said once of a list: its row's columns, how it is narrowed down, and where it is shown.

A field of a view's row that bears a `Column` is published under its name: in queries, files, HTTP's schema,
the tables of the command line and of the site. Its `help` is its comment in the schema `reporting`, which
a migration wrote and a test compares. A field without a `Column` only puts rows in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from projections.exports.sheets import Kind, Sheet, SheetColumn
from projections.runner.view import View

Look = Literal[
    "contract",
    "claim",
    "complaint",
    "subject",
    "status",
    "code",
    "event",
    "claim_event",
    "day",
    "instant",
    "amount",
    "number",
    "year",
    "position",
    "text",
    "prose",
]
"""How a value is written: the first four link to a page, `prose` may be folded between words."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is said of a column."""

    heading: str = ""
    """On the site, in English; the catalogues translate it. Empty: the site does not show it."""
    look: Look = "text"
    help: str = ""
    """Its comment in the schema `reporting`, the same for all columns of its name."""
    short: str = ""
    """Its heading on the command line, where that is not the site's in small letters."""
    limit: str = ""
    """The column of the limit that this is used of."""
    is_rest: bool = False
    """Whether it is what is left of a limit: nothing is worth a colour, and None means no limit."""
    is_listed: bool = True
    """Whether lists have it; else it stands in `reporting` alone."""
    is_promised: bool = True
    """Whether HTTP promises a value in each row, where its type does."""

    @property
    def short_heading(self) -> str:
        """The heading on the command line."""
        return self.short or self.heading.lower()


class Computed(NamedTuple):
    """A column that a query computes from those of the row."""

    name: str
    annotation: Any
    """Its type with its `Column`, as a field of the row has them."""
    sql: str


class ListColumn(NamedTuple):
    """A column as it is declared, with what its type says."""

    name: str
    kind: Kind
    is_optional: bool
    said: Column
    sql: str


_KINDS: Final[Mapping[type, Kind]] = {
    str: "text",
    int: "integer",
    bool: "truth",
    date: "date",
    datetime: "instant",
}


def _column(name: str, annotation: object, sql: str = "") -> ListColumn | None:
    """Return what is declared of a field; None where nothing is."""
    if get_origin(annotation) is not Annotated:
        return None
    of_type, *said = get_args(annotation)
    types = [one for one in get_args(of_type) or (of_type,) if one is not NoneType]
    # Of several the last one counts: a view says otherwise what is said of all columns of a name.
    return ListColumn(name, _KINDS[types[0]], types != list(get_args(of_type) or (of_type,)), said[-1], sql)


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow a list down."""

    name: str
    help: str
    sql: str = ""
    """Its condition; unless given, that the column of its name has the value."""
    choices: Sequence[str] = ()
    """The values that it takes; none: any."""

    @property
    def attribute(self) -> str:
        """What it is called in Python."""
        return "from_on" if self.name == "from" else self.name

    @property
    def condition(self) -> str:
        """Its condition in SQL."""
        return self.sql or f"{self.name} = %({self.name})s"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed down to; None narrows nothing. `before` is exclusive, `since` inclusive."""

    contract: str | None = None
    claim: str | None = None
    guarantee: str | None = None
    before: date | None = None
    status: str | None = None
    kind: str | None = None
    """Of due rows."""
    from_on: date | None = None
    """Of due rows, inclusive."""
    since: date | None = None
    step: str | None = None
    month: date | None = None
    """The first day of the bordereau's month."""
    every: bool = False
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that people and programs ask for: one row's columns, and all that is shown of them."""

    name: str
    """Of the list, of its sheet and of its address."""
    summary: str
    """What it lists, for HTTP."""
    row: type[tuple[Any, ...]]
    of: View[Any] | None
    """Whose rows they are; None: they are put together from those of several views."""
    order: tuple[str, ...]
    """What it is ordered by, as whole numbers that together name a row; none: it comes whole."""
    filters: tuple[Filter, ...]
    table: str
    """The columns that the command line shows, in this order."""
    left_out: str = ""
    """Those that a narrow window leaves out, the first one first."""
    page: str = ""
    """The columns that the site shows, in this order."""
    page_spares: str = ""
    """Those that a narrow window leaves out."""
    computed: tuple[Computed, ...] = ()
    columns_in_order: str = ""
    """The columns in files and JSON, where that is not the row's order with what is computed after it."""
    order_sql: str = ""
    """What it is ordered by, where that is not `order`."""
    sql: str = ""
    """Its query, where it is no plain selection; `{where}` stands for the filters."""
    further_views: tuple[str, ...] = ()
    """Views that it reads beside its own."""
    is_report: bool = False
    """Whether people sign for it: it stands under `reports/`."""
    scoped_by: tuple[Literal["contract", "claim"], ...] = ("contract", "claim")
    """Filters that say whose streams can hold an answer, the widest first."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Of what is asked beside the filters."""

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views that it reads, its own first."""
        return (() if self.of is None else (self.of.name,)) + self.further_views

    @property
    def view(self) -> View[Any]:
        """The view whose rows they are. Raises `TypeError` for a list of several views."""
        if self.of is None:
            message = f"the list {self.name} is put together from those of several views"
            raise TypeError(message)
        return self.of

    @property
    def columns(self) -> tuple[ListColumn, ...]:
        """Its columns as files and JSON have them."""
        return _columns_of(self)

    @property
    def sheet(self) -> Sheet:
        """Its columns, as files have them."""
        return Sheet(self.name, tuple(SheetColumn(column.name, column.kind) for column in self.columns))

    @property
    def selected(self) -> str:
        """Its columns as a query selects them."""
        return ", ".join(f"{one.sql} as {one.name}" if one.sql else one.name for one in self.columns)

    @property
    def filter_names(self) -> tuple[str, ...]:
        """What it is narrowed down by."""
        return tuple(one.name for one in self.filters)

    def choices_of(self, name: str) -> tuple[str, ...]:
        """Return the values that a filter takes; none: any."""
        return next((tuple(one.choices) for one in self.filters if one.name == name), ())

    def chosen(self, names: str) -> list[ListColumn]:
        """Return the columns of these names, in this order. Raises `KeyError` for one that it lacks."""
        known = {column.name: column for column in self.columns}
        return [known[name] for name in names.split()]

    def where(self, asked: Mapping[str, object]) -> str:
        """Return the condition that narrows it down to what is asked; what is None, and unknown, does not."""
        known = {one.attribute: one.condition for one in self.filters} | dict(self.conditions)
        given = [f"({known[name]})" for name, value in asked.items() if value is not None and name in known]
        return " and ".join(given) or "true"

    def query(self, asked: Mapping[str, object]) -> str:
        """Return the query that narrows it down to what is asked, over rows that stand for `{found}`."""
        where = self.where(asked)
        if self.sql:
            return self.sql.replace("{where}", where)
        order = self.order_sql or ", ".join(self.order)
        return f"select {self.selected} from ({{found}}) as found where {where} order by {order}"  # noqa: S608  # all of it is declared


@cache
def _columns_of_row(row: type[tuple[Any, ...]]) -> tuple[ListColumn, ...]:
    hints = get_type_hints(row, include_extras=True)
    return tuple(one for name, hint in hints.items() if (one := _column(name, hint)) is not None)


def published(listing: Listing) -> tuple[ListColumn, ...]:
    """Return the columns of a list's view in the schema `reporting`, in no order that counts."""
    computed = (_column(*one) for one in listing.computed if one is not POSITION)
    return (*_columns_of_row(listing.row), *(one for one in computed if one is not None))


def _columns_of(listing: Listing) -> tuple[ListColumn, ...]:
    computed = (_column(*one) for one in listing.computed)
    found = (*_columns_of_row(listing.row), *(one for one in computed if one is not None))
    listed = {one.name: one for one in found if one.said.is_listed}
    names = listing.columns_in_order.split() or listed
    return tuple(listed[name] for name in names)


# Columns that several views have.
ClaimNumber = Annotated[str, Column("Claim", "claim", "Number of the claim.")]
ContractNumber = Annotated[str, Column("Contract", "contract", "Number of the contract.")]
GuaranteeCode = Annotated[str, Column("Guarantee", "code", "identity, payment, data or reputation.")]
Status = Annotated[str, Column("Status", "status", "How it stands.")]
IncidentOn = Annotated[date, Column("Incident", "day", "Date of the (first) incident.")]
_YEAR: Final = "Insurance year of the contract, from 1; of a claim, that of its incident."
InsuranceYear = Annotated[int, Column("Year", "number", _YEAR, is_promised=False)]
YearOfIncident = Annotated[int | None, Column("Year", "number", _YEAR)]
"""None before S (D10)."""
RowNumber = Annotated[int, Column("", "number", "Which of the claim's rows, from 1.")]
RawDueOn = Annotated[date, Column("Raw date", "day", "By the rule alone, before it rolls to a working day.")]
DueOn = Annotated[date, Column("Due", "day", "The last day on which it is in time.")]
Kinds = Annotated[str, Column("What", "code", "What it is: of what is due, or of the movement of money.")]
LossCents = Annotated[int, Column("Loss", "amount", "Loss, cents.")]
ApprovedCents = Annotated[int, Column("Approved", "amount", "Approved, cents.")]
ExcessCents = Annotated[int, Column("", "amount", "Above what was left of the limit, cents.", short="excess")]
RefundedCents = Annotated[
    int, Column("Refunded", "amount", "Paid, less what failed or was taken back, cents.")
]
_RECOVERED: Final = "Paid back by third parties, cents; in a bordereau: in the month."
RecoveredCents = Annotated[int, Column("Recovered", "amount", _RECOVERED)]
OwedCents = Annotated[int, Column("Owed", "amount", "Approved and not paid yet, cents.")]
ReservedCents = Annotated[int, Column("Reserved", "amount", "Set aside while an expert stands, cents.")]
NetCents = Annotated[int, Column("Net", "amount", "Refunded less recovered, cents.")]
_INCURRED: Final = "Approved and reserved, less recovered, cents."
IncurredCents = Annotated[int, Column("", "amount", _INCURRED, short="incurred")]
PaidCents = Annotated[
    int,
    Column("Paid", "amount", "Paid out, cents; taken back: negative. In a bordereau: in the month."),
]

POSITION: Final = Computed("position", Annotated[int, Column("Made by event", "position")], "from_position")
"""Of the event that made a row so: it explains the row."""
