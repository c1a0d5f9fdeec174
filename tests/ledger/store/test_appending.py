"""A commit is recorded whole or not at all, and says why not."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest
import rfc8785

from fixtures.commits import CONTRACT, NOW, advice, answered, append, claim, commit, new_event, opened
from fixtures.database import BOOK, Database, execute
from ledger.domain.identifiers import StreamRef, claim_ref
from ledger.store.books import Books
from ledger.store.canonical import stream_id
from ledger.store.errors import (
    BookUnknown,
    CommandExists,
    ImportOpen,
    NothingRecorded,
    SubjectErased,
    VersionConflict,
)
from ledger.store.event_store import EventStore
from ledger.store.events import Commit, StreamHead
from ledger.store.keys import MasterKeys, SubjectKey
from ledger.store.pool import Connection, Pool


def test_what_was_appended_is_loaded_as_it_was(event_store: EventStore) -> None:
    told = append(
        event_store, commit(new_event(claim(1), advice()), new_event(claim(1), advice("block_card")))
    )
    loaded = event_store.load_many(BOOK, [claim(1)])
    stream = loaded.streams[claim(1)]
    assert [recorded.event for recorded in stream.recorded] == [advice(), advice("block_card")]
    assert [recorded.version for recorded in stream.recorded] == [1, 2]
    assert stream.head == told.heads[claim(1)]
    assert stream.last_at == NOW
    assert [event.event_id for event in told.events] == stream.event_ids
    assert [event.type for event in told.events] == ["claim.AdviceGiven"] * 2


def test_a_stream_that_nobody_wrote_is_there_with_version_0(event_store: EventStore) -> None:
    stream = event_store.load_many(BOOK, [claim("none")]).streams[claim("none")]
    assert (stream.version, stream.last_leaf, stream.last_at, list(stream.recorded)) == (0, None, None, [])


def test_the_claims_present_contract_comes_along_with_the_claim(event_store: EventStore) -> None:
    append(event_store, commit(new_event(CONTRACT, advice(), command_id="a")))
    append(event_store, commit(new_event(claim(1), advice(), command_id="b")))
    loaded = event_store.load_many(BOOK, [], [claim(1)])
    assert loaded.contracts == {claim(1): CONTRACT}
    assert loaded.streams[CONTRACT].version == 1
    assert loaded.streams[claim(1)].contract_id == stream_id(BOOK, CONTRACT)


def test_the_same_version_recorded_twice_is_a_version_conflict_and_records_nothing(
    event_store: EventStore,
) -> None:
    append(event_store, commit(new_event(claim(1), advice(), command_id="a")))
    late = commit(
        new_event(claim(2), advice(), command_id="b"), new_event(claim(1), advice(), command_id="b")
    )
    with pytest.raises(VersionConflict):
        append(event_store, late)
    assert event_store.load_many(BOOK, [claim(2)]).streams[claim(2)].version == 0
    assert event_store.answer_of(BOOK, "local", "b") is None


def test_a_command_id_is_answered_once_for_ever(event_store: EventStore) -> None:
    append(event_store, commit(new_event(claim(1), advice(), command_id="it's, (odd)")))
    again = commit(new_event(claim(2), advice(), command_id="it's, (odd)"), answers=[answered("it's, (odd)")])
    with pytest.raises(CommandExists) as caught:
        append(event_store, again)
    assert (caught.value.sender, caught.value.command_id) == ("local", "it's, (odd)")
    first = event_store.answer_of(BOOK, "local", "it's, (odd)")
    assert first is not None
    assert first.answer == '{"status": "recorded"}'
    assert event_store.load_many(BOOK, [claim(2)]).streams[claim(2)].version == 0


def test_the_same_command_id_of_another_sender_is_another_command(event_store: EventStore) -> None:
    append(event_store, commit(new_event(claim(1), advice(), command_id="a")))
    other = commit(new_event(claim(2), advice(), command_id="a"), answers=[answered("a", sender="web")])
    assert append(event_store, other).heads[claim(2)].version == 1


def test_a_refusal_is_remembered_without_an_event(event_store: EventStore) -> None:
    append(event_store, commit(answers=[answered("a", status="refused")]))
    first = event_store.load_many(BOOK, [], [], [("local", "a"), ("local", "b")])
    assert first.answers[("local", "a")].answer == '{"status": "refused"}'
    assert list(first.answers) == [("local", "a")]


def test_a_commit_of_nothing_is_a_mistake(event_store: EventStore) -> None:
    with pytest.raises(NothingRecorded):
        append(event_store, commit())


def test_a_book_that_does_not_exist_takes_nothing(event_store: EventStore) -> None:
    with pytest.raises(BookUnknown):
        append(event_store, commit(new_event(claim(1), advice()), book="other"))
    with pytest.raises(BookUnknown):
        event_store.load_many("other", [claim(1)])


def test_a_live_command_is_told_that_an_import_is_open(event_store: EventStore, books: Books) -> None:
    opened_import = books.open_import(BOOK, b"digest")
    with pytest.raises(ImportOpen):
        append(event_store, commit(new_event(claim(1), advice())))
    with pytest.raises(ImportOpen):
        append(event_store, commit(answers=[answered("a")]))
    imported = commit(
        new_event(claim(1), advice()),
        import_id=opened_import.import_id,
        import_clock_at=NOW + timedelta(days=1),
    )
    append(event_store, imported)
    row = books.row(BOOK)
    assert row.open_import is not None
    assert row.open_import.clock_at == NOW + timedelta(days=1)
    books.finish_import(BOOK, opened_import.import_id, held_at=NOW)
    assert books.row(BOOK).held_at == NOW
    with pytest.raises(ImportOpen):
        append(
            event_store,
            commit(new_event(claim(2), advice(), command_id="c"), import_id=opened_import.import_id),
        )
    append(event_store, commit(new_event(claim(3), advice(), command_id="d"), clears_hold=True))
    assert books.row(BOOK).held_at is None


def test_each_leaf_is_canonical_and_chained_to_its_streams_last(event_store: EventStore, pool: Pool) -> None:
    append(event_store, commit(new_event(claim("é\\'1"), advice(), command_id="a")))
    loaded = event_store.load_many(BOOK, [claim("é\\'1")]).streams[claim("é\\'1")]
    append(
        event_store,
        commit(new_event(claim("é\\'1"), advice(), command_id="ü"), heads={claim("é\\'1"): loaded.head}),
    )
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            """select version, event_id::text, correlation_id::text, payload, leaf, leaf_hash
               from ledger.events order by version"""
        )
        rows = [(*row[:3], *map(bytes, row[3:])) for row in cursor.fetchall()]
    for (version, event_id, correlation_id, payload, leaf, leaf_hash), command_id in zip(
        rows, "aü", strict=True
    ):
        fields = {
            "v": 1,
            "book": BOOK,
            "event_id": event_id,
            "stream": "claim/CL-é\\'1",
            "version": version,
            "type": "claim.AdviceGiven",
            "schema_version": 1,
            "effective_on": "2026-03-01",
            "at": "2026-03-01T09:30:00.000000Z",
            "recorded_at": "2026-03-01T09:30:00.000000Z",
            "actor": "desk-17",
            "command_id": command_id,
            "ordinal": 0,
            "correlation_id": correlation_id,
            "payload_sha256": sha256(payload).hexdigest(),
        }
        if version > 1:
            fields["prev"] = rows[0][5].hex()
        assert leaf == rfc8785.dumps(fields)
        assert leaf_hash == sha256(b"\x00" + leaf).digest()


def test_a_persons_values_are_stored_as_ciphertext_and_open_where_they_belong(
    event_store: EventStore, pool: Pool
) -> None:
    append(event_store, commit(new_event(claim(1), opened(), subject="P-1")))
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select payload from ledger.events")
        payload = bytes(cursor.fetchall()[0][0])
        assert b"Mila" not in payload
        assert b"phone" in payload  # the channel is no personal value
        assert b"Reported" not in payload
    assert event_store.open_personal(BOOK, claim(1), [1]) == {
        1: {"victim.name": "Mila Peeters", "narrative": "Reported by phone"}
    }


def test_after_an_erasure_values_show_as_erased_and_nothing_personal_is_recorded(
    event_store: EventStore, pool: Pool
) -> None:
    append(event_store, commit(new_event(claim(1), opened(), subject="P-1", command_id="a")))
    with pool.connection() as connection:
        assert event_store.subject_keys.erase(connection, BOOK, "P-1", "asked by letter")
        assert not event_store.subject_keys.erase(connection, BOOK, "P-1", "asked again")
    assert event_store.open_personal(BOOK, claim(1), [1]) == {
        1: {"victim.name": "[erased]", "narrative": "[erased]"}
    }
    with pytest.raises(SubjectErased):
        append(event_store, commit(new_event(claim(2), opened(), subject="P-1", command_id="b")))
    assert event_store.load_many(BOOK, [claim(1)]).streams[claim(1)].version == 1


def test_a_person_erased_between_sealing_and_recording_is_noticed_by_the_statement_itself(
    event_store: EventStore, pool: Pool
) -> None:
    append(event_store, commit(new_event(claim(1), opened(), subject="P-1", command_id="a")))
    read = event_store.subject_keys.for_writing
    erasures = iter([True])

    def erased_meanwhile(
        connection: Connection, book: str, persons: Collection[str]
    ) -> Mapping[str, SubjectKey]:
        keys = read(connection, book, persons)
        if next(erasures, False):
            with pool.connection() as other:
                event_store.subject_keys.erase(other, BOOK, "P-1", "asked meanwhile")
        return keys

    event_store.subject_keys.for_writing = erased_meanwhile  # type: ignore[method-assign] # stands in for it
    with pytest.raises(SubjectErased):
        append(event_store, commit(new_event(claim(2), opened(), subject="P-1", command_id="b")))
    assert event_store.load_many(BOOK, [claim(2)]).streams[claim(2)].version == 0


def test_a_commit_waits_for_an_erasure_under_way_and_is_then_refused(
    event_store: EventStore, pool: Pool
) -> None:
    append(event_store, commit(new_event(claim(1), opened(), subject="P-1", command_id="a")))
    late = commit(new_event(claim(2), opened(), subject="P-1", command_id="b"))
    with ThreadPoolExecutor(1) as thread:
        with pool.transaction() as connection:
            event_store.subject_keys.erase(connection, BOOK, "P-1", "asked meanwhile")
            outcome = thread.submit(append, event_store, late)
            assert not wait([outcome], timeout=0.3).done
        with pytest.raises(SubjectErased):
            outcome.result(timeout=10)
    assert event_store.load_many(BOOK, [claim(2)]).streams[claim(2)].version == 0


def test_a_load_survives_a_server_that_was_restarted_meanwhile(
    event_store: EventStore, database: Database
) -> None:
    append(event_store, commit(new_event(claim(1), advice())))
    ending = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'coverledger'"
    execute(database.superuser_dsn, f"{ending} and datname = '{database.name}'")
    assert event_store.load_many(BOOK, [claim(1)]).streams[claim(1)].version == 1


def test_two_who_first_write_of_one_person_at_once_end_with_one_key(
    event_store: EventStore, pool: Pool
) -> None:
    read = event_store.subject_keys.for_writing
    races = iter([True])

    def made_meanwhile(
        connection: Connection, book: str, persons: Collection[str]
    ) -> Mapping[str, SubjectKey]:
        keys = read(connection, book, persons)
        if next(races, False):
            append(event_store, commit(new_event(claim(1), opened(), subject="P-1", command_id="a")))
        return keys

    event_store.subject_keys.for_writing = made_meanwhile  # type: ignore[method-assign] # stands in for it
    append(event_store, commit(new_event(claim(2), opened(), subject="P-1", command_id="b")))
    for number in (1, 2):
        assert event_store.open_personal(BOOK, claim(number), [1])[1]["victim.name"] == "Mila Peeters"
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from vault.subjects")
        assert cursor.fetchone() == (1,)


def test_ordinals_count_within_a_command_and_versions_within_a_stream(
    event_store: EventStore, pool: Pool
) -> None:
    events = [
        new_event(claim(1), advice(), command_id="a"),
        new_event(claim(2), advice(), command_id="a"),
        new_event(claim(1), advice(), command_id="time:claim/CL-1@x"),
        new_event(claim(1), advice(), command_id="a"),
    ]
    told = append(event_store, commit(*events, answers=[answered("a")]))
    assert [(event.stream.number, event.version) for event in told.events] == [
        ("CL-1", 1),
        ("CL-2", 1),
        ("CL-1", 2),
        ("CL-1", 3),
    ]
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select stream, version, command_id, ordinal from ledger.events order by stream, version"
        )
        assert [row[3] for row in cursor.fetchall()] == [0, 0, 2, 1]


def test_the_content_key_of_a_book_is_its_own_and_stays_over_a_rotation(
    event_store: EventStore, pool: Pool, masters: MasterKeys
) -> None:
    before = event_store.content_hmac(BOOK, b"content")
    assert before != event_store.content_hmac("other", b"content")
    old = masters.current
    masters.rotate()
    with pool.transaction() as connection:
        assert event_store.book_keys.rewrap(connection) == 2
        assert event_store.subject_keys.rewrap(connection) == 0
    masters.destroy(old)
    assert EventStore(pool, masters).content_hmac(BOOK, b"content") == before


def test_a_rotation_leaves_every_person_readable(
    event_store: EventStore, pool: Pool, masters: MasterKeys
) -> None:
    for number in range(3):
        append(
            event_store,
            commit(
                new_event(
                    claim(number), opened(person=f"P-{number}"), subject=f"P-{number}", command_id=f"{number}"
                )
            ),
        )
    old = masters.current
    masters.rotate()
    with pool.transaction() as connection:
        assert event_store.subject_keys.rewrap(connection) == 3
        assert event_store.subject_keys.rewrap(connection) == 0
    masters.destroy(old)
    assert event_store.open_personal(BOOK, claim(2), [1])[1]["victim.name"] == "Mila Peeters"


def test_an_unknown_command_has_no_answer(event_store: EventStore) -> None:
    assert event_store.answer_of(BOOK, "local", "never") is None


def test_heads_of_one_commit_serve_the_next_without_loading(event_store: EventStore) -> None:
    heads: Mapping[StreamRef, StreamHead] = {}
    for number in range(3):
        told = append(event_store, commit(new_event(claim(1), advice(), command_id=str(number)), heads=heads))
        heads = told.heads
    assert event_store.load_many(BOOK, [claim(1)]).streams[claim(1)].head == heads[claim_ref("CL-1")]


def test_a_commit_names_its_causes(event_store: EventStore, pool: Pool) -> None:
    cause = new_event(claim(1), advice())
    effect = replace(new_event(CONTRACT, advice()), causation_id=cause.event_id)
    append(event_store, Commit(BOOK, [cause, effect], {}, [], NOW))
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select causation_id::text from ledger.events where stream = %s", (CONTRACT.name,))
        [(found,)] = cursor.fetchall()
    assert UUID(found) == cause.event_id
