"""A book with its sealer, its signer and the files beside the database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fixtures.commits import advice, claim, commit, new_event
from fixtures.database import BOOK

from ledger.feed.sealer import Sealer
from ledger.feed.signing.places import SigningPlace
from ledger.feed.signing.signer import Signer
from ledger.store.event_store import EventStore
from ledger.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Log:
    """One book's log, as its sealer sees it."""

    store: EventStore
    pool: Pool
    sealer: Sealer
    signer: Signer
    place: SigningPlace

    def record(self, *names: str) -> None:
        """Record one event on a stream of each of these names."""
        for name in names:
            self.store.append(commit(new_event(claim(name), advice(), command_id=name)))

    def grow(self, *names: str) -> None:
        """Record, seal and sign."""
        self.record(*names)
        self.sealer.keep_up()
        self.sealer.finish()


@pytest.fixture
def place(tmp_path: Path) -> SigningPlace:
    return SigningPlace(tmp_path / "keys" / "signing.key")


@pytest.fixture
def make_log(event_store: EventStore, sealer_pool: Pool) -> Callable[[SigningPlace], Log]:
    """Make the log as a program sees it that has just started."""

    def make(place: SigningPlace) -> Log:
        signer = Signer(sealer_pool, BOOK, place)
        return Log(event_store, sealer_pool, Sealer(sealer_pool, BOOK, signer=signer), signer, place)

    return make


@pytest.fixture
def log(make_log: Callable[[SigningPlace], Log], place: SigningPlace) -> Log:
    return make_log(place)
