"""A connection that keeps statements prepared reads and records what any other does."""

from dataclasses import replace

import pytest

from fixtures.commits import CONTRACT, advice, answered, append, claim, commit, new_event
from fixtures.database import BOOK
from ledger.domain.dispatch import Needs
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys
from ledger.store.pool import Pool


def test_a_prepared_load_gives_what_any_other_gives_on_a_connection_that_knows_it_and_on_a_new_one(
    event_store: EventStore, pool: Pool, masters: MasterKeys
) -> None:
    append(event_store, commit(new_event(CONTRACT, advice(), command_id="a")))
    append(event_store, commit(new_event(claim(1), advice(), command_id="b")))
    preparing = EventStore(pool, masters, prepares=True)
    needed = (Needs((CONTRACT,)), Needs((claim(1),), claim(1)), Needs((claim("none"),), claim("none")))
    for need in needed * 2:
        for command_id in ("b", "new"):
            plain = event_store.load(BOOK, need, command_id, "local")
            prepared = preparing.load(BOOK, need, command_id, "local")
            assert replace(prepared, now=plain.now) == plain
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("deallocate all")
    assert preparing.load(BOOK, needed[0], "b", "local").streams[CONTRACT].version == 1


def test_a_connection_that_has_forgotten_its_statements_records_a_commit_once_all_the_same(
    event_store: EventStore, pool: Pool
) -> None:
    for number in range(1, 4):
        told = append(event_store, commit(new_event(claim(number), advice(), command_id=f"{number}")))
        assert told.heads[claim(number)].version == 1
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("deallocate all")
    assert [
        event_store.load_many(BOOK, [claim(number)]).streams[claim(number)].version for number in range(1, 4)
    ] == [1] * 3


@pytest.mark.parametrize("events", [1, 2, 8, 9, 30])
def test_a_commit_of_any_size_is_recorded_whole(event_store: EventStore, events: int) -> None:
    for turn in range(2):
        told = append(
            event_store,
            commit(
                *(new_event(claim(turn), advice(), command_id=f"{turn}") for _ in range(events)),
                answers=[answered(f"{turn}")],
            ),
        )
        assert told.heads[claim(turn)].version == events
        assert len(event_store.load_many(BOOK, [claim(turn)]).streams[claim(turn)].recorded) == events
