"""The feed told event by event, with payloads; personal values stay shut."""

from collections.abc import Sequence

from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from projections.replay.payloads import Known, as_understood, persons_in
from projections.replay.queries import erased_among
from projections.replay.telling import Told, told


def told_with_payloads(connection: Connection, book: str, events: Sequence[FeedEvent]) -> list[Told]:
    """Give events as rows with their ids and payloads; personal values stand as `[sealed]` or `[erased]`."""
    persons = frozenset[str]().union(*(persons_in(event) for event in events))
    known = Known(erased_among(connection, book, persons))
    return [
        told(event) | {"event_id": str(event.event_id), "payload": as_understood(event, known)}
        for event in events
    ]
