"""Whatever runs beside an erasure, nothing of the person slips in after it."""

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from threading import Barrier

import pytest
from acquaintances import ADA, HOLDS_ADA, opened

from fixtures.desk import asked, send
from ledger.app import App
from ledger.command_handler import Answer, decide_command, stream_state
from ledger.domain.dispatch import needs
from ledger.domain.identifiers import claim_ref
from ledger.errors import CliError
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasure, Erasures
from ledger.privacy.holds import Hold, Holds
from ledger.privacy.persons import held_streams
from ledger.store.canonical import stream_ref
from ledger.store.errors import ImportOpen
from ledger.store.events import Commit
from ledger.store.pool import Connection

AWHILE_SECONDS = 0.4
NEW_PERSON = "P-NEW"


def erased_wholly(wiring: App, person: str) -> bool:
    """Whether every stream that holds the person says so once, and nothing of them opens."""
    with wiring.pool.connection() as connection:
        streams = held_streams(connection, wiring.book, person)
    values: set[str] = set()
    for held in streams:
        opened = wiring.store.open_personal(wiring.book, held.stream, range(1, held.head.version + 1))
        values |= {value for of_event in opened.values() for value in of_event.values()}
    return bool(streams) and all(held.erased for held in streams) and values == {"[erased]"}


def recorded_only(wiring: App, connection: Connection, number: str, person: str) -> None:
    """Record a claim of the person on a connection that has not committed yet."""
    command = asked("OpenClaim", opened(number, "CC-3", person, "Ada Wouters"))
    loaded = wiring.store.load(wiring.book, needs(command.command))
    world = {ref: stream_state(stream) for ref, stream in loaded.streams.items()}
    decision = decide_command(command.command, world, loaded.now, command_id="under-way", actor="desk-1")
    heads = {ref: stream.head for ref, stream in loaded.streams.items()}
    commit = Commit(wiring.book, decision.events, heads, (), loaded.now)
    wiring.ledger.record(commit, connection)


def test_an_erasure_waits_for_a_commit_under_way_and_takes_it_with_it(
    book: App, erasures: Erasures, desk: Access
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with book.pool.transaction() as connection:
            recorded_only(book, connection, "K-9", ADA)
            erasing: Future[Erasure] = threads.submit(erasures.erase, ADA, desk)
            with pytest.raises(StillWaiting):
                erasing.result(AWHILE_SECONDS)
        erasure = erasing.result()

    assert set(erasure.streams) == {*HOLDS_ADA, "claim/K-9"}
    assert erased_wholly(book, ADA)


def test_a_person_whose_first_values_are_under_way_cannot_be_erased_past_them(
    book: App, erasures: Erasures, desk: Access
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with book.pool.transaction() as connection:
            recorded_only(book, connection, "K-9", NEW_PERSON)
            erasing: Future[Erasure] = threads.submit(erasures.erase, NEW_PERSON, desk)
            with pytest.raises(StillWaiting):
                erasing.result(AWHILE_SECONDS)
        erasure = erasing.result()

    assert list(erasure.streams) == ["claim/K-9"]
    assert erased_wholly(book, NEW_PERSON)


def test_a_command_that_comes_while_the_person_is_being_erased_is_refused(book: App, desk: Access) -> None:
    erasures = Erasures(book.ledger)
    with ThreadPoolExecutor(1) as threads:
        with book.pool.transaction() as connection:
            erasures._erase(connection, ADA, desk)  # noqa: SLF001  # stopped where it is about to commit
            command = asked("OpenClaim", opened("K-9", "CC-3", ADA, "Ada Wouters"))
            sent: Future[Answer] = threads.submit(book.ledger.submit, command)
            with pytest.raises(StillWaiting):
                sent.result(AWHILE_SECONDS)
        answer = sent.result()

    assert (answer.status, answer.code) == ("refused", "SUBJECT_ERASED")
    assert book.store.load_many(book.book, [claim_ref("K-9")]).streams[claim_ref("K-9")].version == 0
    assert erased_wholly(book, ADA)


def test_a_key_made_for_a_new_person_beside_the_erasure_of_that_person_does_not_come_to_stand(
    book: App, erasures: Erasures, desk: Access
) -> None:
    """The vault has lost the person, so that whoever records would make a new key."""
    with ThreadPoolExecutor(1) as threads:
        assert send(book, "OpenClaim", opened("K-8", "CC-3", NEW_PERSON, "New")).status == "recorded"
        forget(book, NEW_PERSON)
        with book.pool.transaction() as connection:
            erasures._erase(connection, NEW_PERSON, desk)  # noqa: SLF001  # as above
            command = asked("OpenClaim", opened("K-9", "CC-3", NEW_PERSON, "New again"))
            sent: Future[Answer] = threads.submit(book.ledger.submit, command)
            with pytest.raises(StillWaiting):
                sent.result(AWHILE_SECONDS)
        assert sent.result().code == "SUBJECT_ERASED"
    assert erased_wholly(book, NEW_PERSON)


def forget(wiring: App, person: str) -> None:
    from psycopg2 import connect  # noqa: PLC0415  # the application may not delete a person

    with connect(wiring.ways.migrate) as connection, connection.cursor() as cursor:
        cursor.execute("select nspowner::regrole::text from pg_namespace where nspname = 'vault'")
        [(owner,)] = cursor.fetchall()
        cursor.execute(f"set local role {owner}")
        cursor.execute("delete from vault.subjects where person = %s", (person,))
    connection.close()


@pytest.mark.parametrize("turn", range(5))
def test_desks_that_write_on_and_on_leave_nothing_of_a_person_who_is_erased_meanwhile(
    book: App, erasures: Erasures, desk: Access, turn: int
) -> None:
    together = Barrier(4)

    def write(desk_number: int) -> list[Answer]:
        together.wait()
        answers = []
        for number in range(8):
            claim = f"K-{turn}-{desk_number}-{number}"
            answers.append(send(book, "OpenClaim", opened(claim, "CC-3", ADA, "Ada Wouters", "And again")))
            further = {"claim": "K-1", "occurred_at": "2026-02-02", "narrative": "Once more"}
            answers.append(send(book, "ReportFurtherIncident", further))
        return answers

    def erase() -> Erasure:
        together.wait()
        return erasures.erase(ADA, desk)

    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(write, number) for number in range(3)]
        erasure = threads.submit(erase).result()
        answers = [answer for written in writing for answer in written.result()]

    told = {(answer.status, answer.code) for answer in answers}
    assert told <= {("recorded", None), ("refused", "SUBJECT_ERASED")}
    assert ("refused", "SUBJECT_ERASED") in told
    assert not erasure.before
    assert erased_wholly(book, ADA)


def test_of_many_erasures_at_once_one_does_it_and_each_stream_is_told_once(
    book: App, erasures: Erasures, desk: Access
) -> None:
    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(lambda _: erasures.erase(ADA, desk), range(6)))

    assert sorted(erasure.before for erasure in done) == [False, *[True] * 5]
    assert sum(len(erasure.events) for erasure in done) == len(HOLDS_ADA)
    loaded = book.store.load_many(book.book, [stream_ref(name) for name in HOLDS_ADA])
    for stream in loaded.streams.values():
        names = [recorded.event.stable_name for recorded in stream.recorded]
        assert sum(name.endswith("SubjectErased") for name in names) == 1


def test_a_hold_waits_for_an_erasure_under_way_and_an_erasure_for_a_hold(
    book: App, erasures: Erasures, desk: Access
) -> None:
    holds = Holds(book.pool, book.book)
    with ThreadPoolExecutor(1) as threads:
        with book.pool.transaction() as connection:
            erasures._erase(connection, ADA, desk)  # noqa: SLF001  # stopped where it is about to commit
            placing: Future[Hold] = threads.submit(holds.place, "CC-1", desk)
            with pytest.raises(StillWaiting):
                placing.result(AWHILE_SECONDS)
        assert placing.result().number == 1
    assert erased_wholly(book, ADA)


def test_a_hold_and_an_erasure_at_once_never_leave_a_held_contract_whose_person_was_erased_after_it(
    book: App, erasures: Erasures, desk: Access
) -> None:
    holds = Holds(book.pool, book.book)
    together = Barrier(2)

    def placed() -> Hold:
        together.wait()
        return holds.place("CC-1", desk)

    def erased() -> Erasure | CliError:
        together.wait()
        try:
            return erasures.erase(ADA, desk)
        except CliError as refusal:
            return refusal

    with ThreadPoolExecutor(2) as threads:
        placing, erasing = threads.submit(placed), threads.submit(erased)
        hold, outcome = placing.result(), erasing.result()

    if isinstance(outcome, Erasure):
        assert outcome.erased_at < hold.placed_at
    else:
        assert "LEGAL_HOLD" in str(outcome)


def test_an_import_is_not_opened_while_somebody_is_being_erased(
    book: App, erasures: Erasures, desk: Access
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with book.pool.transaction() as connection:
            erasures._erase(connection, ADA, desk)  # noqa: SLF001  # as above
            opening = threads.submit(book.books.open_import, book.book, b"\x01" * 32)
            with pytest.raises(StillWaiting):
                opening.result(AWHILE_SECONDS)
            assert book.seal() == 0  # the sealer is not kept waiting
        opening.result()
    with pytest.raises(ImportOpen):
        erasures.erase(ADA, desk)
