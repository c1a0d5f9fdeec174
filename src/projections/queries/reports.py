"""Reports: the views that people sign for, as lists in memory or row by row for a file.

A report as of a position gives the same rows for ever, whatever is recorded later. Each row names the event
that made it so, by its `position`, so that a figure can be explained.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from ledger.domain.calendar import ONE_DAY, brussels_date
from ledger.domain.identifiers import StreamRef
from ledger.domain.terms import load_terms
from ledger.feed.reader import Cursor
from projections.exports import sheets
from projections.exports.sheets import Sheet
from projections.queries.reader import Reader
from projections.runner.rows import select, select_each
from projections.runner.view import View
from projections.views import bordereau as on_bordereau
from projections.views import payments as on_payments
from projections.views import refunds as on_refunds
from projections.views import reserves as on_reserves
from projections.views import timeline as on_timeline
from projections.views.bordereau import BORDEREAU
from projections.views.contracts import CONTRACTS, exposure
from projections.views.payments import PAYMENTS
from projections.views.refunds import REFUNDS
from projections.views.reserves import RESERVES
from projections.views.timeline import TIMELINE

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a report is narrowed down to; None narrows nothing. Which apply is said by each report."""

    contract: str | None = None
    claim: str | None = None
    guarantee: str | None = None
    since: date | None = None
    before: date | None = None
    """Exclusive."""
    status: str | None = None
    step: str | None = None
    month: date | None = None
    """The first day of the bordereau's month."""
    every: bool = False

    @property
    def contracts(self) -> list[str] | None:
        """The contract as a list."""
        return None if self.contract is None else [self.contract]

    @property
    def claims(self) -> list[str] | None:
        """The claim as a list."""
        return None if self.claim is None else [self.claim]


@dataclass(frozen=True, slots=True)
class Report:
    """One report: the view that it rests on, its query, and how it is narrowed down."""

    name: str
    view: View[Any]
    sql: str
    wanted: Callable[[ReportFilter], Any]
    """What was asked for, as the query takes it."""
    sheet: Sheet


def _month(asked: ReportFilter) -> date:
    if asked.month is None:
        message = "a bordereau is of one month: give its first day"
        raise ValueError(message)
    return asked.month


REPORTS: Final[Mapping[str, Report]] = {
    report.name: report
    for report in (
        Report(
            "refunds",
            REFUNDS,
            on_refunds.SELECT,
            lambda a: on_refunds.RefundsFilter(a.contracts, a.claims, a.guarantee, a.before, a.status),
            sheets.REFUNDS,
        ),
        Report(
            "payments",
            PAYMENTS,
            on_payments.SELECT,
            lambda a: on_payments.PaymentsFilter(a.contracts, a.claims, a.guarantee, a.since, a.before),
            sheets.PAYMENTS,
        ),
        Report(
            "recoveries",
            RESERVES,
            on_reserves.SELECT,
            lambda a: on_reserves.ReservesFilter(a.contracts, a.claims, a.guarantee, a.before, a.status),
            sheets.RECOVERIES,
        ),
        Report(
            "timeline",
            TIMELINE,
            on_timeline.SELECT,
            lambda a: on_timeline.StepsFilter(a.contracts, a.claims, a.guarantee, a.before, a.step),
            sheets.TIMELINE,
        ),
        Report(
            "bordereau",
            BORDEREAU,
            on_bordereau.SELECT,
            lambda a: on_bordereau.BordereauFilter(
                _month(a), a.contract, a.guarantee, a.status, every=a.every
            ),
            sheets.BORDEREAU,
        ),
    )
}


def rows_of(reader: Reader, report: Report, asked: ReportFilter) -> list[Row]:
    """Return a report's rows at once."""
    source = reader.source(report.view, _scope(asked))
    found = select(reader.connection, report.sql, report.view.table, source, asdict(report.wanted(asked)))
    return [_in_utc(row) for row in found]


def each_of(reader: Reader, report: Report, asked: ReportFilter) -> Generator[Row, None, None]:
    """Yield a report's rows one by one, in constant memory.

    The reader's transaction must stay open until the last is taken, or until this is closed.
    """
    source = reader.source(report.view, _scope(asked))
    found = select_each(
        reader.connection, report.sql, report.view.table, source, asdict(report.wanted(asked))
    )
    with closing(found):
        for row in found:
            yield _in_utc(row)


def by_guarantee(
    reader: Reader, until: date, guarantee: str | None = None, year: int | None = None
) -> list[Row]:
    """Return counts and sums by calendar year of the incident and guarantee, beside the days of cover.

    `until`: the last day that gives exposure. The product has no premium, so that there is no ratio to one:
    `net_cents_per_year` and `incurred_cents_per_year` are what a contract cost in a year of cover (365 days),
    in whole cents, rounded half up; None without exposure.
    """
    return beside_exposure(
        on_reserves.by_guarantee(reader.connection, reader.source(RESERVES), guarantee, year),
        exposure(reader.connection, reader.source(CONTRACTS), until + ONE_DAY, year),
        guarantee,
    )


def beside_exposure(
    counted: Iterable[Mapping[str, object]],
    exposures: Iterable[Mapping[str, object]],
    guarantee: str | None = None,
) -> list[Row]:
    """Put what `by_guarantee` counts beside the days of cover."""
    exposed: dict[tuple[int, str], int] = {}
    for row in exposures:
        for terms in load_terms(str(row["product"]), str(row["terms"])).guarantees:
            place = (int(str(row["year"])), terms.code)
            exposed[place] = exposed.get(place, 0) + int(str(row["exposed_days"]))
    by_place = {(int(str(row["incident_year"])), str(row["guarantee"])): row for row in counted}
    asked_for = {place for place in exposed if guarantee in {None, place[1]}}
    return [
        _with_exposure(place, by_place.get(place, {}), exposed.get(place, 0))
        for place in sorted(by_place.keys() | asked_for)
    ]


def reported_until(reader: Reader, as_of: Cursor | datetime | None) -> date:
    """Return the last day that a report knows of: `--on` or `--as-of`, else the book's present one."""
    if reader.on is not None:
        return reader.on
    with reader.connection.cursor() as cursor:
        if isinstance(as_of, datetime):
            return brussels_date(as_of)
        if as_of is None:
            cursor.execute(_PRESENT, (reader.book,))
        else:
            cursor.execute(_SEALED_AT, (reader.book, reader.position))
        found = cursor.fetchone()
    return NEVER if found is None else brussels_date(found[0])


NEVER: Final = date(1, 1, 1)
"""Before any contract: nothing was known yet."""

_PRESENT: Final = "select coalesce(clock_at, clock_timestamp()) from ledger.books where book = %s"
_SEALED_AT: Final = "select sealed_at from ledger.log where book = %s and position = %s"
_DAYS_OF_A_YEAR: Final = 365
_COUNTED: Final = tuple(
    column.name
    for column in sheets.GUARANTEES.columns
    if column.name.startswith("claims_") or (column.name.endswith("_cents"))
)


def _with_exposure(place: tuple[int, str], counted: Mapping[str, object], days: int) -> Row:
    figures: Row = {name: counted.get(name, 0) for name in _COUNTED}
    return {
        "incident_year": place[0],
        "guarantee": place[1],
        **figures,
        "exposed_days": days,
        "net_cents_per_year": _a_year(figures["net_cents"], days),
        "incurred_cents_per_year": _a_year(figures["incurred_cents"], days),
    }


def _a_year(cents: object, days: int) -> int | None:
    return (2 * int(str(cents)) * _DAYS_OF_A_YEAR + days) // (2 * days) if days else None


def _scope(asked: ReportFilter) -> StreamRef | None:
    """Return whose streams can hold an answer: a contract's with those around it, a claim's own, or all."""
    if asked.contract is not None:
        return StreamRef("contract", asked.contract)
    return None if asked.claim is None else StreamRef("claim", asked.claim)


def _in_utc(row: Row) -> Row:
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()
    }
