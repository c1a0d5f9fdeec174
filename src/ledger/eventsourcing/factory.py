"""The way in for `eventsourcing`: `PERSISTENCE_MODULE=ledger.eventsourcing`.

Settings, each of which may bear the application's name before it, as all of `eventsourcing`'s: `LEDGER_DSN`,
`LEDGER_SEALER_DSN` (default: the same), `LEDGER_BOOK` (default: `cyber-care`), `LEDGER_INLINE_SEALING`
(default: yes), `LEDGER_ORIGIN` (first line of the log's checkpoints, for a book that is made now).
"""

from typing import Final

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    ProcessRecorder,
)
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from ledger.eventsourcing.recorders import (
    LedgerAggregateRecorder,
    LedgerApplicationRecorder,
    LedgerProcessRecorder,
    LedgerTrackingRecorder,
)
from ledger.store.books import Books
from ledger.store.pool import Pool

DEFAULT_BOOK: Final = "cyber-care"


class Factory(InfrastructureFactory[LedgerTrackingRecorder]):
    """Makes recorders of one book. Its tables come by the ledger's own migrations, never from here."""

    DSN = "LEDGER_DSN"
    SEALER_DSN = "LEDGER_SEALER_DSN"
    BOOK = "LEDGER_BOOK"
    ORIGIN = "LEDGER_ORIGIN"
    INLINE_SEALING = "LEDGER_INLINE_SEALING"

    def __init__(self, env: Environment | EnvType | None) -> None:
        """Open the pools. Raises InfrastructureFactoryError without a DSN."""
        super().__init__(env)
        dsn = self.env.get(self.DSN)
        if not dsn:
            message = f"say where the ledger's database is: set {self.DSN}"
            raise InfrastructureFactoryError(message)
        self.book: str = self.env.get(self.BOOK) or DEFAULT_BOOK
        self.pool = Pool(dsn)
        inline = strtobool(self.env.get(self.INLINE_SEALING) or "yes")
        self.sealer_pool = Pool(self.env.get(self.SEALER_DSN) or dsn) if inline else None
        Books(self.pool).create(self.book, origin=self.env.get(self.ORIGIN) or f"claims-ledger/{self.book}")

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Record streams alone.

        Raises InfrastructureFactoryError for snapshots, which the ledger does not keep.
        """
        if purpose != "events":
            message = f"the ledger keeps no {purpose}: leave IS_SNAPSHOTTING_ENABLED unset"
            raise InfrastructureFactoryError(message)
        return LedgerAggregateRecorder(self.pool, self.book)

    def application_recorder(self) -> ApplicationRecorder:
        """Record streams and read the feed."""
        return LedgerApplicationRecorder(self.pool, self.book, self.sealer_pool)

    def tracking_recorder(
        self, tracking_recorder_class: type[LedgerTrackingRecorder] | None = None
    ) -> LedgerTrackingRecorder:
        """Record positions in others' logs, with this class or that of TRACKING_RECORDER_TOPIC."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else LedgerTrackingRecorder)
        if not issubclass(chosen, LedgerTrackingRecorder):
            message = f"{chosen.__name__} is no LedgerTrackingRecorder"
            raise InfrastructureFactoryError(message)
        return chosen(self.pool, self.book)

    def process_recorder(self) -> ProcessRecorder:
        """Record streams and positions in one transaction."""
        return LedgerProcessRecorder(self.pool, self.book, self.sealer_pool)

    def close(self) -> None:
        """Close the pools."""
        self.pool.close()
        if self.sealer_pool is not None:
            self.sealer_pool.close()


class SharedFactory(Factory):
    """Makes recorders on connections that are the ledger's own: it opens none and closes none."""

    def __init__(self, pool: Pool, book: str, *, prepares: bool) -> None:
        """Record in `book`, which exists. `prepares`: connections may keep prepared statements."""
        InfrastructureFactory.__init__(self, {})
        self.pool = pool
        self.book = book
        self.sealer_pool = None
        self._prepares = prepares

    def application_recorder(self) -> ApplicationRecorder:
        """Return the recorder; sealing is the sealer's."""
        return LedgerApplicationRecorder(self.pool, self.book, prepares=self._prepares)

    def close(self) -> None:
        """Leave the pool to whom it belongs."""
