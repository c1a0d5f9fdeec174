"""A connection cut after COMMIT and before the answer: the command's id tells what happened."""

import pytest

from fixtures.commits import advice, append, claim, commit, new_event
from fixtures.cutting_proxy import CuttingProxy
from fixtures.database import BOOK, Database
from ledger.store.books import Books
from ledger.store.errors import CommandExists, OutcomeUnknown
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys
from ledger.store.pool import Pool

SHORT, FULL = 10, 100


def test_what_was_recorded_behind_a_cut_is_found_by_its_command_id(
    database: Database, books: Books, masters: MasterKeys, *, full: bool
) -> None:
    assert books.names() == [BOOK]
    tries = FULL if full else SHORT
    with CuttingProxy(database.app_dsn, b"insert into ledger.events") as proxy, Pool(proxy.dsn) as pool:
        store = EventStore(pool, masters)
        for number in range(tries):
            attempt = commit(new_event(claim(number), advice(), command_id=str(number)))
            assert store.answer_of(BOOK, "local", str(number)) is None
            proxy.armed = True
            with pytest.raises(OutcomeUnknown):
                append(store, attempt)
            first = store.answer_of(BOOK, "local", str(number))
            assert first is not None
            assert first.answer == '{"status": "recorded"}'
            assert store.load_many(BOOK, [claim(number)]).streams[claim(number)].version == 1
            with pytest.raises(CommandExists):
                append(store, attempt)
        assert proxy.cuts == tries
