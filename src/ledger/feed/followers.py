"""Followers: whoever turns the feed into an effect, once, in order, missing nothing."""

from collections.abc import Sequence
from threading import Event as StopEvent
from typing import Protocol

from ledger.feed.reading import FeedEvent
from ledger.store.pool import Connection, Pool


class GapFound(Exception):
    """The feed skips a position: something is lost or hidden. The follower stops and does not guess."""


class Follower(Protocol):
    """Reads the feed and has an effect in the database, in the same transaction as its checkpoint."""

    name: str
    types: frozenset[str] | None
    """Event types wanted; None: all."""

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Take effect of these events, in order, on this connection. Must not commit."""


class FollowerRunner:
    """Runs one follower over one book. Any process may: the checkpoint's row lock lets one run at a time."""

    def __init__(self, pool: Pool, book: str, follower: Follower, *, batch: int = 500) -> None:
        """`batch`: positions read and applied by one transaction at most."""

    def position(self) -> int:
        """The checkpoint: position of the last event that took effect, -1 before the first."""
        raise NotImplementedError

    def catch_up(self, limit: int | None = None) -> int:
        """Follow to the feed's end, or for `limit` positions; number of positions passed. Raises GapFound."""
        raise NotImplementedError

    def run(self, stop: StopEvent) -> None:
        """Follow until `stop` is set. Raises GapFound."""
        raise NotImplementedError

    def replay_parked(self) -> int:
        """Try the parked events again, in order; number that took effect now and are parked no more."""
        raise NotImplementedError
