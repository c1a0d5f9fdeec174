"""Random histories of a desk, recorded in a book whose time nobody has swept."""

from datetime import UTC, datetime
from typing import Any

from ledger.app import App
from ledger.command_envelope import submission
from ledger.domain.refusals import Invalid
from ledger.feed.reader import FeedEvent, read_feed
from oracle.histories import history


def record(wiring: App, seed: int) -> datetime:
    """Record a history; the instant of its last line."""
    last = datetime(2000, 1, 1, tzinfo=UTC)
    for line in history(seed, contracts=4, steps=50):
        at = datetime.fromisoformat(line["at"])
        try:
            taken = submission(line["command_id"], line["command"], line["data"], at=at, may_backdate=True)
        except Invalid:
            continue
        wiring.ledger.submit(taken)
        last = max(last, at)
    wiring.catch_up()
    return last


def feed(wiring: App) -> list[FeedEvent]:
    wiring.seal()
    with wiring.pool.connection() as connection:
        return read_feed(connection, wiring.book, -1, 100_000)


def told(wiring: App) -> dict[str, list[tuple[Any, ...]]]:
    """Each stream's own history, without what differs from book to book."""
    streams: dict[str, list[tuple[Any, ...]]] = {}
    for event in feed(wiring):
        own = (event.version, event.type, event.effective_on, event.at, event.actor, event.command_id)
        streams.setdefault(event.stream.name, []).append(own)
    return streams
