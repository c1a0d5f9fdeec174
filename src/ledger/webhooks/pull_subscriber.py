"""Subscribers in Python: a program reads the feed in a loop; asking for the next event commits the last."""

from collections.abc import Iterator, Sequence
from threading import Event as StopEvent
from typing import Final

from ledger.feed.followers import FeedRange, read_range
from ledger.feed.reader import FeedEvent, position_after
from ledger.store.pool import Connection, Pool
from ledger.store.retry import retrying
from ledger.store.subscriptions import NewSubscription, add_subscription, move_position, subscription
from ledger.webhooks.subscriptions import NotActive, OtherKind, ReadElsewhere, check_name, check_types

BATCH_POSITIONS: Final = 500
POLL_SECONDS: Final = 0.05


class PullSubscriber:
    """Reads the feed under one name, on and on, in as many runs of the program as there are."""

    def __init__(  # noqa: PLR0913 # a reader has so many parts
        self,
        pool: Pool,
        book: str,
        name: str,
        *,
        after: int | str = -1,
        types: Sequence[str] | None = None,
        stop: StopEvent | None = None,
        follow: bool = True,
    ) -> None:
        """Read on where the name's last run stopped; a name that is new begins after the cursor `after`.

        `types`: stable names of the events wanted; None: all. `stop` ends it from another thread; without
        `follow` it ends at the feed's end.
        """
        check_name(name)
        check_types(types or ())
        self._pool = pool
        self._book = book
        self._name = name
        self._after = after
        self._types = types
        self._stop = stop or StopEvent()
        self._follow = follow

    def events(self) -> Iterator[FeedEvent]:
        """Yield the events in order. The checkpoint moves past an event when the next one is asked for.

        So an event whose handling broke off is given again. What is transient is waited for.

        Raises:
            OtherKind, NotActive: the name is a webhook's or a relay's, or it is paused.
            EpochsPart, EpochUnknown, BeyondTheEnd, NotACursor: a new name cannot begin at its cursor.
            ReadElsewhere: another program reads under this name.
            GapFound: the feed does not go on without a gap.

        """
        position = self._begin()
        patiently = retrying(self._stop)
        while not self._stop.is_set():
            events, last = patiently(self._read, position)
            for event in events:
                yield event
                self._move(position, event.position)
                position = event.position
                if self._stop.is_set():
                    return
            if last > position:
                self._move(position, last)
                position = last
            elif not self._follow:
                return
            else:
                self._stop.wait(POLL_SECONDS)

    def _begin(self) -> int:
        with self._pool.connection() as connection:
            if subscription(connection, self._book, self._name) is None:
                begins = position_after(connection, self._book, self._after)
                new = NewSubscription(self._name, "pull", None, self._types, begins)
                add_subscription(connection, self._book, new)
            return self._checked(connection)

    def _checked(self, connection: Connection) -> int:
        """Return the checkpoint. Raises OtherKind, NotActive."""
        found = subscription(connection, self._book, self._name)
        if found is None:
            raise NotActive(self._name, "removed", None)
        if found.kind != "pull":
            raise OtherKind(self._name, found.kind, "choose another name to read the feed in a program")
        if found.state != "active":
            raise NotActive(self._name, found.state, found.because)
        return found.position

    def _read(self, position: int) -> FeedRange:
        with self._pool.connection() as connection:
            return read_range(connection, self._book, position, BATCH_POSITIONS, self._types)

    def _move(self, came_from: int, to: int) -> None:
        """Move the checkpoint. Raises ReadElsewhere."""
        for attempt in retrying(self._stop):
            with attempt, self._pool.connection() as connection:
                if move_position(connection, self._book, self._name, came_from, to):
                    return
                found = self._checked(connection)
                # An earlier try may have moved it, and its answer was lost.
                if found != to or attempt.retry_state.attempt_number == 1:
                    raise ReadElsewhere(self._name)
