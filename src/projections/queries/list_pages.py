"""What pages ask beyond the command line's questions: a page of a list, what is late, limits nearly used.

All as of one position, through the views' own sources, so that it stays right whatever is recorded since.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import get_args

from ledger.domain.codes import DeadlineKind, DeadlineStatus
from ledger.store.pool import Connection
from projections.listing import Listing
from projections.queries.reader import Reader, streams_between
from projections.runner.rows import AsOf, Moved, RowSource, names_of, select
from projections.views import due, limits
from projections.views.due import DUE
from projections.views.limits import LIMITS

Rows = list[dict[str, object]]

KINDS: tuple[str, ...] = tuple(kind for kind in get_args(DeadlineKind) if kind != "retention")
"""Kinds of the view `due`; until when records are kept is asked for by itself (R13)."""
STATUSES: tuple[str, ...] = get_args(DeadlineStatus)
DONE_LATE: tuple[str, ...] = tuple(kind for kind in KINDS if kind != "termination_letter")
"""Kinds of due dates that can still be met once they were missed."""

MOST_AHEAD = 500
"""Positions that the view of due dates may be ahead of what is asked for, to be read by what stands now."""

LARGEST_POSITION = 2**62
"""Before everything, where the newest comes first."""

_DUE_COLUMNS = f"{due.LISTED.selected}, contract, subject_position, opening"
_IN_DAYS = """(%(from_on)s::date is null or due_on >= %(from_on)s)
    and (%(before)s::date is null or due_on < %(before)s)
    and (%(after)s::date is null or (due_on, subject_position, opening)
        > (%(after)s::date, %(after_position)s::bigint, %(after_opening)s::int))
    and (not %(not_met)s or met_on is null)"""
_EARLIEST_FIRST = "order by due_on, subject_position, opening limit %(limit)s"

# One index, of what stands now by kind, status and day, answers each question on due dates: it is looked into
# once for each kind and status that is wanted, and what is found is put together.
DUE_NOW = f"""
select each.* from unnest(%(kinds)s::text[]) as wanted_kind, unnest(%(statuses)s::text[]) as wanted_status,
lateral (
    select {_DUE_COLUMNS} from ({{found}}) as found
    where kind = wanted_kind and status = wanted_status and {_IN_DAYS} {_EARLIEST_FIRST}
) as each
{_EARLIEST_FIRST}
"""  # noqa: S608  # of its own constants
# As of the past no index knows which rows stood: all are looked at, once.
DUE_THEN = f"""
select {_DUE_COLUMNS} from ({{found}}) as found
where kind = any(%(kinds)s) and status = any(%(statuses)s) and {_IN_DAYS} {_EARLIEST_FIRST}
"""  # noqa: S608  # as above

# The condition repeats that of the index limits_nearly_used, so that only such rows are read, in their order.
NEARLY_USED = f"""
select {limits.LISTED.selected}
from ({{found}}) as found
where (count_consumed > 0 or count_reserved > 0)
    and from_on <= %(today)s and to_on > %(today)s
    and (count_consumed + count_reserved >= count_limit
        or (amount_consumed_cents + amount_reserved_cents) * 100 >= amount_limit_cents * %(percent)s)
order by contract_position desc, guarantee_order limit %(limit)s
"""  # noqa: S608  # as above


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list on a page is narrowed down to; None narrows nothing."""

    beginning: str | None = None
    """Beginning of a number."""
    status: str | None = None
    guarantee: str | None = None
    before: date | None = None

    def asked(self) -> Mapping[str, object]:
        """Return the parameters of a query."""
        return asdict(self) | {"beginning": None if self.beginning is None else _beginning(self.beginning)}


@dataclass(frozen=True, slots=True)
class DueListFilter:
    """What due dates a page shows; `before` is exclusive, `from_on` inclusive."""

    status: str | None = None
    kind: str | None = None
    from_on: date | None = None
    before: date | None = None

    def asked(self) -> Mapping[str, object]:
        """Return the parameters of a query."""
        return {
            "kinds": list(KINDS) if self.kind is None else [self.kind],
            "statuses": list(STATUSES) if self.status is None else [self.status],
            "from_on": self.from_on,
            "before": self.before,
        }


@dataclass(frozen=True, slots=True)
class DuePageKey:
    """Where a page of due dates ended."""

    due_on: date
    position: int
    opening: int


def page_of(reader: Reader, listing: Listing, wanted: ListFilter, below: int | None, limit: int) -> Rows:
    """Return a page of a register, those recorded last first, below a position."""
    narrowed = wanted.asked()
    sql = (
        f"select {listing.selected}, opened_position from ({{found}}) as found"  # noqa: S608  # all of it is declared
        f" where {listing.where(narrowed)} and opened_position < %(below)s"
        " order by opened_position desc limit %(limit)s"
    )
    asked = {**narrowed, "below": LARGEST_POSITION if below is None else below, "limit": limit}
    return select(reader.connection, sql, listing.view.table, reader.source(listing.view), asked)


def due_page(reader: Reader, wanted: DueListFilter, after: DuePageKey | None, limit: int) -> Rows:
    """Return a page of due dates, the earliest first."""
    return _due(reader, dict(wanted.asked()), after, limit, not_met=False)


def late(reader: Reader, limit: int) -> Rows:
    """Return the oldest of what was missed and is still to be done.

    A missed letter is not among it: the contract has renewed, and nothing can be done late (R11).
    """
    asked = dict(DueListFilter(status="missed").asked()) | {"kinds": list(DONE_LATE)}
    return _due(reader, asked, None, limit, not_met=True)


def _due(
    reader: Reader, wanted: dict[str, object], after: DuePageKey | None, limit: int, *, not_met: bool
) -> Rows:
    place = (
        {"after": None, "after_position": None, "after_opening": None}
        if after is None
        else {"after": after.due_on, "after_position": after.position, "after_opening": after.opening}
    )
    asked = wanted | place | {"limit": limit, "not_met": not_met}
    end = reader.folded.get(DUE.name)
    if reader.on is not None or end is None or end - reader.position > MOST_AHEAD:
        return select(reader.connection, DUE_THEN, DUE.table, reader.source(DUE), asked)
    standing = AsOf(reader.book, reader.position, is_newest=True)
    rows = select(reader.connection, DUE_NOW, DUE.table, standing, asked)
    if end > reader.position:
        # The view is a little ahead: what stood at the position and has ceased to be since is put to it.
        streams = streams_between(reader.connection, reader.book, reader.position, end, MOST_AHEAD)
        ceased = Moved(reader.book, names_of(DUE.table, streams), at=reader.position, not_at=end)
        rows += select(reader.connection, DUE_THEN, DUE.table, ceased, asked)
        rows.sort(key=lambda row: (row["due_on"], row["subject_position"], row["opening"]))
    return rows[:limit]


def nearly_used(connection: Connection, source: RowSource, today: date, percent: int, limit: int) -> Rows:
    """Return limits of running insurance years that are used up, or to at least so many hundredths."""
    asked = {"today": today, "percent": percent, "limit": limit}
    return select(connection, NEARLY_USED, LIMITS.table, source, asked)


def _beginning(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
