"""What made each part of a contract's limits: folded from the contract's own events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.contract.events import (
    LimitConsumed,
    LimitConsumptionReversed,
    LimitReleased,
    LimitReserved,
)
from ledger.feed.reader import FeedEvent
from projections.web.drawing.bars import Bar, Kind, Part, bar

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LimitBars:
    """One guarantee in one insurance year: its row, and its limits as bars; None where there is no limit."""

    row: Row
    amount: Bar | None
    count: Bar | None
    parts: Sequence[Part]
    """What was consumed or reserved, by claim: cents."""
    counted: Sequence[Part]
    """The same by number of claims."""


@dataclass(frozen=True, slots=True)
class YearOfLimits:
    """One insurance year of a contract."""

    number: int
    from_on: object
    to_on: object
    limits: Sequence[LimitBars]


def years_of_limits(rows: Iterable[Row], events: Iterable[FeedEvent]) -> Sequence[YearOfLimits]:
    """Put the rows of `limits` together with the claims that drew on them; the newest year first."""
    drawn = _drawn(events)
    years: dict[int, list[LimitBars]] = {}
    spans: dict[int, tuple[object, object]] = {}
    for row in rows:
        year = int(str(row["insurance_year"]))
        amounts, counts = drawn.get((year, str(row["guarantee"])), ((), ()))
        limit_cents, limit_count = row["amount_limit_cents"], row["count_limit"]
        years.setdefault(year, []).append(
            LimitBars(
                row,
                None if limit_cents is None else bar(int(str(limit_cents)), amounts),
                None if limit_count is None else bar(int(str(limit_count)), counts),
                amounts,
                counts,
            )
        )
        spans[year] = row["from_on"], row["to_on"]
    return [YearOfLimits(year, *spans[year], years[year]) for year in sorted(years, reverse=True)]


Drawn = Mapping[tuple[int, str], tuple[Sequence[Part], Sequence[Part]]]


def _drawn(events: Iterable[FeedEvent]) -> Drawn:
    """Say for each insurance year and guarantee which claims hold how many cents and how many counts."""
    held: dict[tuple[int, str], dict[tuple[str, Kind], tuple[int, int, int]]] = {}
    for event in events:
        moved = event.event
        match moved:
            case LimitConsumed():
                kind, sign = "consumed", 1
            case LimitConsumptionReversed():
                kind, sign = "consumed", -1
            case LimitReserved():
                kind, sign = "reserved", 1
            case LimitReleased():
                kind, sign = "reserved", -1
            case _:
                continue
        of_guarantee = held.setdefault((moved.insurance_year, moved.guarantee), {})
        key: tuple[str, Kind] = (moved.claim, kind)  # type: ignore[assignment]  # one of the two above
        amount, count, _ = of_guarantee.get(key, (0, 0, 0))
        of_guarantee[key] = (amount + sign * moved.amount_cents, count + sign * moved.count, event.position)
    return {
        place: (
            [Part(claim, kind, amount, at) for (claim, kind), (amount, _, at) in parts.items() if amount > 0],
            [Part(claim, kind, count, at) for (claim, kind), (_, count, at) in parts.items() if count > 0],
        )
        for place, parts in held.items()
    }
