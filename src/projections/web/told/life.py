"""A contract's life as a timeline: its events with both of their dates, and its insurance years."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from ledger.domain.calendar import brussels_date
from ledger.feed.reader import FeedEvent
from projections.web.drawing.timeline import Moment, Timeline, timeline
from projections.web.words.codes import of_event
from projections.web.words.speaking import Words

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
) -> Timeline:
    """Draw all events of a contract and of what belongs to it. `today`: the book's present day."""
    moments = [
        Moment(
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
