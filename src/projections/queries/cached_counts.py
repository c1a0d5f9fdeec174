"""Figures that count a whole book, carried from one position to the next and counted before anybody asks.

A figure as of a position never changes. So what was counted last is kept, and as of another position it is
that, less the rows that went since and plus those that came: as quick as a desk needs in a book in which
something is recorded all the time.

What a page needs of due dates is added up from one of them, the due dates by day.

So the first page after a start, or after a quiet night with an import in it, is as quick as any other.
"""

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, Final, NamedTuple

from ledger.domain.calendar import ONE_DAY
from ledger.domain.terms import load_terms
from projections.listing import Listing
from projections.queries.list_pages import DONE_LATE, DueListFilter, ListFilter
from projections.queries.reader import Reader, streams_between
from projections.queries.reports import beside_exposure
from projections.runner.generations import live
from projections.runner.rows import Moved, names_of, select
from projections.runner.view import View
from projections.views import claims, complaints, contracts
from projections.views.claims import CLAIMS
from projections.views.contracts import CONTRACTS, EXPOSURE
from projections.views.due import DUE
from projections.views.reserves import BY_GUARANTEE, RESERVES

Rows = list[dict[str, object]]

MOST_POSITIONS: Final = 20_000
"""Positions that a figure is carried over; beyond that it is counted anew."""
MOST_STREAMS: Final = 5_000
"""Streams whose rows are looked up for it."""
MOST_FIGURES: Final = 128
MOST_EARLIER: Final = 16
"""Figures kept as of positions of the past, for whoever goes on looking at one."""

LEFT_OUT: Final = "select count(*) from ledger.parked where book = %s and follower = %s"


@dataclass(frozen=True, slots=True)
class Figure:
    """A query that counts and sums a view's rows by groups, each row by itself."""

    view: View[Any]
    """Its rows are those of their own streams: an event of another stream moves none."""
    sql: str
    by: tuple[str, ...]
    """The columns that name a group; by them the answer is ordered."""
    sums: tuple[str, ...]
    """The columns that add up; the first says how many rows there are: a group without any is left out."""


Groups = dict[tuple[Any, ...], dict[str, object]]
"""A figure's rows by the columns that name their groups, in their order."""


class KnownCounts(NamedTuple):
    """A figure as of a position."""

    position: int
    groups: Groups


class KeptFigures:
    """The figures counted last. Threads may share it."""

    def __init__(self) -> None:
        """Nothing was counted yet."""
        self._lock = Lock()
        self._newest: OrderedDict[tuple[object, ...], KnownCounts] = OrderedDict()
        self._earlier: OrderedDict[tuple[object, ...], Groups] = OrderedDict()

    def known(self, question: tuple[object, ...], position: int) -> KnownCounts | None:
        """Return the figure as of the position, or else as of the newest that it was counted for."""
        with self._lock:
            past = self._earlier.get((*question, position))
            return self._newest.get(question) if past is None else KnownCounts(position, past)

    def keep(self, question: tuple[object, ...], position: int, groups: Groups) -> None:
        """Keep the newest; what is asked for as of the past is kept beside it."""
        with self._lock:
            newest = self._newest.get(question)
            if newest is not None and newest.position > position:
                self._earlier[*question, position] = groups
                _shorten(self._earlier, MOST_EARLIER)
                return
            self._newest[question] = KnownCounts(position, groups)
            self._newest.move_to_end(question)
            _shorten(self._newest, MOST_FIGURES)

    def clear(self) -> None:
        """Forget all: what is asked next is counted anew."""
        with self._lock:
            self._newest.clear()
            self._earlier.clear()


KEPT: Final = KeptFigures()


def counted(reader: Reader, figure: Figure, asked: Mapping[str, object]) -> Rows:
    """Return a figure as of the reader's time, ordered by its groups. The rows are shared: change none."""
    if reader.on is not None:
        return list(whole(reader, figure, asked).values())
    question = (*_standing(reader, figure.view), figure.sql, repr(sorted(asked.items())))
    known = KEPT.known(question, reader.position)
    groups = None if known is None else _carried(reader, figure, asked, known)
    if groups is None:
        groups = whole(reader, figure, asked)
    KEPT.keep(question, reader.position, groups)
    return list(groups.values())


def whole(reader: Reader, figure: Figure, asked: Mapping[str, object]) -> Groups:
    """Count a figure over the whole book."""
    found = select(reader.connection, figure.sql, figure.view.table, reader.source(figure.view), asked)
    return dict(sorted((_group(figure, row), row) for row in found))


def _standing(reader: Reader, view: View[Any]) -> tuple[object, ...]:
    """Return what the view's rows are: a generation, and the number of events that it could not take.

    Whatever is rebuilt, or taken later at its old position, is counted anew.
    """
    standing = live(reader.connection, reader.book, view.name)
    generation = None if standing is None else standing.generation
    with reader.connection.cursor() as cursor:
        cursor.execute(LEFT_OUT, (reader.book, view.name))
        [(left_out,)] = cursor.fetchall()
    return (reader.connection.dsn, reader.book, view.name, generation, left_out)


def _carried(
    reader: Reader, figure: Figure, asked: Mapping[str, object], known: KnownCounts
) -> Groups | None:
    """Carry a figure to the reader's position; None where that is too far."""
    if known.position == reader.position:
        return known.groups
    first, last = sorted((known.position, reader.position))
    if last - first > MOST_POSITIONS:
        return None
    streams = streams_between(reader.connection, reader.book, first, last, MOST_STREAMS + 1)
    if len(streams) > MOST_STREAMS:
        return None
    names = names_of(figure.view.table, streams)
    if not names:
        return known.groups
    came = Moved(reader.book, names, at=reader.position, not_at=known.position)
    went = Moved(reader.book, names, at=known.position, not_at=reader.position)
    table, sql = figure.view.table, figure.sql
    return added_up(
        figure,
        known.groups,
        came=select(reader.connection, sql, table, came, asked),
        went=select(reader.connection, sql, table, went, asked),
    )


def added_up(figure: Figure, groups: Groups, *, came: Rows, went: Rows) -> Groups:
    """Add to a figure what came, and take from it what went."""
    summed = dict(groups)
    for moved, sign in ((came, 1), (went, -1)):
        for row in moved:
            group = _group(figure, row)
            before = summed.get(group, {})
            sums = {name: _number(before.get(name)) + sign * _number(row[name]) for name in figure.sums}
            summed[group] = row | sums
    for group in [group for group in summed if not summed[group][figure.sums[0]]]:
        del summed[group]
    return summed if summed.keys() == groups.keys() else dict(sorted(summed.items()))


def _group(figure: Figure, row: Mapping[str, object]) -> tuple[Any, ...]:
    return tuple(row[name] for name in figure.by)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _shorten(kept: OrderedDict[tuple[object, ...], Any], most: int) -> None:
    if len(kept) > most:
        kept.popitem(last=False)


PRODUCT: Final = "cyber-care"

DUE_BY_DAY: Final = Figure(
    DUE,
    """
select due_on, kind, status, count(*) as number, count(*) filter (where met_on is null) as waiting
from ({found}) as found group by 1, 2, 3
""",
    by=("due_on", "kind", "status"),
    sums=("number", "waiting"),
)
REFUNDS_BY_DAYS: Final = Figure(
    DUE,
    """
select greatest(0, met_on - raw_due_on + %(promised)s) as days, count(*) as number,
    count(*) filter (where met_on > due_on) as late
from ({found}) as found where kind = 'refund' and met_on is not null group by 1
""",
    by=("days",),
    sums=("number", "late"),
)
CONSUMED_BY_MONTH: Final = Figure(
    CLAIMS,
    """
select date_trunc('month', incident_on)::date as month, guarantee, count(*) as number,
    sum(approved_cents)::bigint as approved_cents
from ({found}) as found where approved_cents > 0 or status = 'accepted' group by 1, 2
""",
    by=("month", "guarantee"),
    sums=("number", "approved_cents"),
)
CLAIMS_BY_GUARANTEE: Final = Figure(
    CLAIMS,
    """
select guarantee, count(*) as opened,
    count(*) filter (where status in ('accepted', 'closed') and rejection_code is null) as accepted,
    count(*) filter (where status = 'rejected') as rejected,
    count(*) filter (where status in ('open', 'submitted')) as undecided,
    sum(approved_cents)::bigint as approved_cents, sum(refunded_cents)::bigint as refunded_cents,
    sum(recovered_cents)::bigint as recovered_cents
from ({found}) as found group by 1
""",
    by=("guarantee",),
    sums=(
        *("opened", "accepted", "rejected", "undecided"),
        *("approved_cents", "refunded_cents", "recovered_cents"),
    ),
)

RESERVES_BY_GUARANTEE: Final = Figure(
    RESERVES,
    BY_GUARANTEE,
    by=("incident_year", "guarantee"),
    sums=(
        *("claims_opened", "claims_counted", "claims_undecided", "claims_rejected", "claims_withdrawn"),
        *("loss_cents", "approved_cents", "excess_cents", "reserved_cents", "refunded_cents"),
        *("owed_cents", "recovered_cents", "net_cents", "incurred_cents"),
    ),
)
DAYS_OF_COVER: Final = Figure(
    CONTRACTS, EXPOSURE, by=("year", "product", "terms"), sums=("contracts", "exposed_days")
)


class OfDay(NamedTuple):
    """How many due dates of one kind and status fall on a day."""

    due_on: date
    kind: str
    status: str
    number: int
    waiting: int = 0
    """Those of them that were not done yet."""


def status_figure(register: Listing, asked: Mapping[str, object]) -> Figure:
    """Return the figure that counts by status what of a register is asked for."""
    where = register.where(asked)
    sql = f"select status, count(*) as number from ({{found}}) as found where {where} group by 1"  # noqa: S608  # all of it is declared
    return Figure(register.view, sql, by=("status",), sums=("number",))


def by_status(reader: Reader, register: Listing, wanted: ListFilter) -> Mapping[str, int]:
    """Count a register by status, whatever status is asked for."""
    asked = {**wanted.asked(), "status": None}
    rows = counted(reader, status_figure(register, asked), asked)
    return {str(row["status"]): _number(row["number"]) for row in rows}


def due_by_day(reader: Reader, wanted: DueListFilter) -> Sequence[OfDay]:
    """Count due dates by day, kind and status, in this order."""
    return [
        OfDay(*(row[name] for name in OfDay._fields))  # type: ignore[arg-type]  # as the figure gives them
        for row in _due_rows(reader, wanted)
    ]


def due_counts(reader: Reader, wanted: DueListFilter) -> Mapping[str, int]:
    """Count due dates by kind."""
    counts: Counter[str] = Counter()
    for row in _due_rows(reader, wanted):
        counts[str(row["kind"])] += _number(row["number"])
    return dict(sorted(counts.items()))


def late_number(reader: Reader) -> int:
    """Count what was missed and is still to be done."""
    missed = _due_rows(reader, DueListFilter(status="missed"))
    return sum(_number(row["waiting"]) for row in missed if row["kind"] in DONE_LATE)


def refunds_waiting(reader: Reader) -> Mapping[str, int]:
    """Count refunds that are not paid in full yet, in time and late."""
    return {
        status: sum(
            _number(row["waiting"]) for row in _due_rows(reader, DueListFilter(status=status, kind="refund"))
        )
        for status in ("open", "missed")
    }


def refunds_by_days(reader: Reader, promised: int) -> Rows:
    """Count refunds by the days from complete submission to full payment (R7), and those paid late."""
    return counted(reader, REFUNDS_BY_DAYS, {"promised": promised})


def consumed_by_month(reader: Reader) -> Rows:
    """Sum what accepted claims consumed, by month of the incident (I7) and guarantee."""
    return counted(reader, CONSUMED_BY_MONTH, {})


def claims_by_guarantee(reader: Reader) -> Rows:
    """Count claims and sum amounts by guarantee."""
    return counted(reader, CLAIMS_BY_GUARANTEE, {})


def reserves_by_guarantee(reader: Reader, until: date) -> Rows:
    """Return the report by guarantee and year, with the days of cover up to and including a day."""
    return beside_exposure(
        counted(reader, RESERVES_BY_GUARANTEE, {"guarantee": None, "year": None}),
        counted(reader, DAYS_OF_COVER, {"until": until + ONE_DAY, "year": None}),
    )


def count_what_pages_ask(reader: Reader, today: date) -> None:
    """Count all that pages show of a whole book, unless somebody searches for less."""
    for register in (contracts.LISTED, claims.LISTED, complaints.LISTED):
        by_status(reader, register, ListFilter())
    counted(reader, DUE_BY_DAY, {})
    consumed_by_month(reader)
    claims_by_guarantee(reader)
    refunds_by_days(reader, promised_days())
    reserves_by_guarantee(reader, today)


def promised_days() -> int:
    """Return the days within which a refund is promised, by the newest terms (R7)."""
    return load_terms(PRODUCT).periods.refund_days


def _due_rows(reader: Reader, wanted: DueListFilter) -> Iterator[Mapping[str, object]]:
    rows = counted(reader, DUE_BY_DAY, {})
    first = 0 if wanted.from_on is None else bisect_left(rows, wanted.from_on, key=_day)
    end = len(rows) if wanted.before is None else bisect_left(rows, wanted.before, key=_day)
    kind, status = wanted.kind, wanted.status
    return (
        row
        for row in rows[first:end]
        if (status is None or row["status"] == status) and (kind is None or row["kind"] == kind)
    )


def _day(row: Mapping[str, object]) -> date:
    due_on = row["due_on"]
    if not isinstance(due_on, date):
        message = f"due_on is a {type(due_on).__name__}"
        raise TypeError(message)
    return due_on
