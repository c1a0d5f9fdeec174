"""A contract as its page shows it: its persons, its life in both times, and what made its limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ledger.domain.calendar import brussels_date
from ledger.domain.contract.events import (
    LimitConsumed,
    LimitConsumptionReversed,
    LimitReleased,
    LimitReserved,
)
from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from ledger.store.vault import ERASED
from projections.queries.replay import SEALED, erased_among
from projections.web.charts import Bar, Kind, Part, TimelineChart, TimelineMoment, bar, timeline
from projections.web.i18n.codes import of_event
from projections.web.i18n.language import Words

Person = Mapping[str, object]


def shut_persons(connection: Connection, book: str, persons: Iterable[str]) -> Sequence[Person]:
    """Return persons by their ids; their values stand as `[sealed]`, of the erased as `[erased]`."""
    numbers = list(dict.fromkeys(persons))
    erased = erased_among(connection, book, numbers)
    return [
        {"person": number}
        | dict.fromkeys(("name", "email", "address"), ERASED if number in erased else SEALED)
        for number in numbers
    ]


LIMIT_EVENTS = frozenset(
    {
        "contract.LimitReserved",
        "contract.LimitReleased",
        "contract.LimitConsumed",
        "contract.LimitConsumptionReversed",
        "contract.ClaimRegistered",
        "contract.ClaimDeregistered",
    }
)
"""What a claim does to its contract: the claim's own event stands on the line already."""


def life(
    events: Iterable[FeedEvent], limits: Iterable[Mapping[str, object]], today: date, words: Words
) -> TimelineChart:
    """Draw all events of a contract and of what belongs to it. `today`: the book's present day."""
    moments = [
        TimelineMoment(
            event.position,
            event.effective_on,
            brussels_date(event.recorded_at),
            event.stream.kind,
            f"{of_event(words, event.type)} · {event.stream.number}",
        )
        for event in events
        if event.type not in LIMIT_EVENTS
    ]
    return timeline(moments, _years(limits), today)


def _years(limits: Iterable[Mapping[str, object]]) -> Sequence[tuple[int, date, date]]:
    spans: dict[int, tuple[int, date, date]] = {}
    for row in limits:
        from_on, to_on = row["from_on"], row["to_on"]
        if isinstance(from_on, date) and isinstance(to_on, date):
            year = int(str(row["insurance_year"]))
            spans[year] = (year, from_on, to_on)
    return list(spans.values())


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
    """Return for each insurance year and guarantee which claims hold how many cents and how many counts."""
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
