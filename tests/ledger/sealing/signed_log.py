"""One book's log as its sealer sees it, for tests that grow it."""

from dataclasses import dataclass

from fixtures.commits import advice, append, claim, commit, new_event
from ledger.sealing.sealer import Sealer
from ledger.sealing.signer import Signer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Log:
    """One book's log, as its sealer sees it."""

    store: EventStore
    pool: Pool
    sealer: Sealer
    signer: Signer
    place: SigningFiles

    def record(self, *names: str) -> None:
        """Record one event on a stream of each of these names."""
        for name in names:
            append(self.store, commit(new_event(claim(name), advice(), command_id=name)))

    def grow(self, *names: str) -> None:
        """Record, seal and sign."""
        self.record(*names)
        self.sealer.keep_up()
        self.sealer.finish()
