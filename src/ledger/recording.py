"""How the ledger's commits pass through `eventsourcing`: save() → event store → our recorder."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, StoredEvent

from ledger.store.commit import Appended, Commit
from ledger.store.event_store import EventStore
from ledger.store.factory import Factory
from ledger.store.pool import Pool
from ledger.store.recorders import LedgerApplicationRecorder


class CommitRecorder(LedgerApplicationRecorder):
    """The application recorder, which takes whole commits: events of many streams with their answers."""

    def __init__(self, store: EventStore, pool: Pool, book: str) -> None:
        """Append to `store`; read the feed of `book` through `pool`. Sealing is the sealer's."""
        super().__init__(pool, book, None)
        self._store = store

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **kwargs: Any,  # noqa: ANN401  # as `eventsourcing` declares it
    ) -> Sequence[int] | None:
        """Record a `commit` (keyword) in one round trip and tell `appended` (a list) what it was.

        Without a commit it records stored events as any recorder does. Raises what EventStore.append raises.
        """
        commit: Commit | None = kwargs.pop("commit", None)
        if commit is None:
            return super().insert_events(stored_events, **kwargs)
        appended: list[Appended] = kwargs["appended"]
        appended.append(self._store.append(commit))
        return None


class SharedFactory(Factory):
    """Makes recorders on connections that are the wiring's: it opens none and closes none."""

    def __init__(self, store: EventStore, pool: Pool, book: str) -> None:
        """Record in `book`, which exists."""
        InfrastructureFactory.__init__(self, {})
        self._store = store
        self.pool = pool
        self.book = book
        self.sealer_pool = None

    def application_recorder(self) -> ApplicationRecorder:
        """Give the recorder that takes commits."""
        return CommitRecorder(self._store, self.pool, self.book)

    def close(self) -> None:
        """Leave the pool to whom it belongs."""
