"""Reports by guarantee, and until when a report knows.

A report as of a position gives the same rows for ever, whatever is recorded later. Each row names the event
that made it so, by its `position`, so that a figure can be explained.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from ledger.domain.calendar import ONE_DAY, brussels_date
from ledger.domain.terms import load_terms
from ledger.feed.reader import Cursor
from projections.queries.reader import Reader
from projections.views import reserves as on_reserves
from projections.views.contracts import CONTRACTS, exposure
from projections.views.guarantees import GuaranteeRow
from projections.views.reserves import RESERVES

Row = dict[str, object]


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
    name for name in GuaranteeRow._fields if name.startswith("claims_") or name.endswith("_cents")
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
