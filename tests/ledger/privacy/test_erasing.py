"""After an erasure nobody reads the person any more, and everything else is what it was."""

from collections.abc import Sequence
from typing import Any

import psycopg2
import pytest
from acquaintances import ADA, ADAS, BEN, BENS, HOLDS_ADA, opened, started
from dumps import DATA, dumped, found_in, put_back

from fixtures.database import Database, execute
from fixtures.desk import Fields, asked, send
from fixtures.program import CommandLine
from ledger.app import App
from ledger.domain.identifiers import StreamRef, claim_ref, contract_ref
from ledger.feed.followers import FollowerRunner
from ledger.feed.reader import FeedEvent
from ledger.privacy.access import Access, access_lines
from ledger.privacy.erasure import Erasures
from ledger.privacy.holds import Holds
from ledger.privacy.persons import LegalHold, PersonUnknown
from ledger.store.canonical import stream_ref
from ledger.store.errors import ImportOpen, Unreadable
from ledger.store.pool import Connection


def versions(wiring: App) -> dict[str, int]:
    refs = [stream_ref(name) for name in (*HOLDS_ADA, "contract/CC-3", "claim/K-4")]
    loaded = wiring.store.load_many(wiring.book, refs)
    return {ref.name: loaded.streams[ref].version for ref in refs}


def values_on(wiring: App, ref: StreamRef) -> set[str]:
    newest = wiring.store.load_many(wiring.book, [ref]).streams[ref].version
    opened = wiring.store.open_personal(wiring.book, ref, range(1, newest + 1))
    return {value for values in opened.values() for value in values.values()}


def values_of_all(wiring: App) -> set[str]:
    return set().union(*(values_on(wiring, stream_ref(name)) for name in HOLDS_ADA))


def test_no_dump_holds_a_persons_values_in_clear_neither_before_nor_after_the_erasure(
    book: App, erasures: Erasures, desk: Access, database: Database
) -> None:
    book.catch_up()
    assert values_of_all(book) == set(ADAS)
    assert found_in(dumped(database), (*ADAS, *BENS)) == []

    erasures.erase(ADA, desk)
    book.catch_up()

    assert found_in(dumped(database), (*ADAS, *BENS)) == []
    assert values_of_all(book) == {"[erased]"}
    assert values_on(book, contract_ref("CC-3")) == set(BENS)


def test_the_search_would_have_found_a_value_that_stands_in_clear(book: App, database: Database) -> None:
    assert book.pool
    execute(
        database.superuser_dsn,
        "create table projections.leak (plain text, written bytea, json text)",
        f"insert into projections.leak values ('{ADAS[0]}', '{ADAS[1]}', null)",
    )
    assert found_in(dumped(database), ADAS) == [ADAS[0], ADAS[1]]


def test_every_stream_that_holds_the_person_says_so_and_no_other(
    book: App, erasures: Erasures, desk: Access
) -> None:
    before = versions(book)

    erasure = erasures.erase(ADA, desk)

    assert not erasure.before
    assert set(erasure.streams) == set(HOLDS_ADA)
    assert {event.stream.name: (event.version, event.type) for event in erasure.events} == {
        name: (before[name] + 1, f"{name.partition('/')[0]}.SubjectErased") for name in HOLDS_ADA
    }
    assert versions(book) == before | {name: before[name] + 1 for name in HOLDS_ADA}


def test_an_erasure_moves_no_stream_in_time(book: App, erasures: Erasures, desk: Access) -> None:
    refs = [stream_ref(name) for name in HOLDS_ADA]
    before = book.store.load_many(book.book, refs)

    erasures.erase(ADA, desk)

    after = book.store.load_many(book.book, refs)
    assert [after.streams[ref].last_at for ref in refs] == [before.streams[ref].last_at for ref in refs]
    late = send(book, "GiveNotice", {"contract": "CC-2", "received_on": "2026-02-09", "channel": "email"})
    assert late.status == "recorded"


def read(command_line: CommandLine, *words: str) -> Any:  # noqa: ANN401  # whatever JSON says
    ended = command_line(*words, "--json")
    assert ended.exit_code == 0, ended.err
    return ended.json


@pytest.mark.usefixtures("book")
def test_limits_and_due_rows_are_the_same_and_the_whole_database_still_verifies(
    command_line: CommandLine,
) -> None:
    questions = (
        ("limits",),
        ("due",),
        ("contract", "list"),
        ("claim", "list"),
        ("complaint", "list"),
        ("limits", "--as-of", "7"),
        ("due", "--on", "2026-02-06"),
    )
    before = [read(command_line, *words) for words in questions]

    erased = command_line("subject", "erase", ADA, "--reason", "letter 4711")

    assert erased.exit_code == 0, erased.err
    assert [read(command_line, *words) for words in questions] == before
    verified = command_line("verify", "--views")
    assert verified.exit_code == 0, verified.err


@pytest.mark.usefixtures("book")
def test_replay_shows_erased_values_as_erased_and_those_of_others_as_they_were(
    command_line: CommandLine,
) -> None:
    assert command_line("subject", "erase", ADA, "--reason", "letter 4711").exit_code == 0

    for names in ((), ("--names", "--reason", "complaint")):
        hers = command_line("replay", "CC-1", "--json", *names)
        first = hers.json[0]["payload"]["policyholder"]
        assert (first["person"], first["name"], first["email"]) == (ADA, "[erased]", "[erased]")
        assert hers.json[-1]["type"].endswith("SubjectErased")
        assert not any(value in hers.out for value in ADAS)
    his = command_line("replay", "CC-3", "--names", "--reason", "complaint")
    assert BENS[0] in his.out
    assert not any(value in his.out for value in ADAS)


def test_followers_are_told(book: App, erasures: Erasures, desk: Access) -> None:
    told: list[tuple[str, str]] = []

    class Subscriber:
        name = "subscriber"
        types = frozenset({"contract.SubjectErased", "claim.SubjectErased", "complaint.SubjectErased"})

        def apply(self, _connection: Connection, events: Sequence[FeedEvent]) -> None:
            told.extend((event.stream.name, event.event.person) for event in events)  # type: ignore[attr-defined]  # all three name the person

    runner = FollowerRunner(book.pool, book.book, Subscriber())
    runner.catch_up()
    assert told == []

    erasures.erase(ADA, desk)
    book.seal()
    runner.catch_up()

    assert sorted(told) == sorted((name, ADA) for name in HOLDS_ADA)


def test_an_erasure_done_again_changes_nothing(book: App, erasures: Erasures, desk: Access) -> None:
    first = erasures.erase(ADA, desk)
    before = versions(book)

    again = erasures.erase(ADA, Access("desk-2", "subject erase", "again"))

    assert again.before
    assert (again.events, again.streams) == ((), first.streams)
    assert (again.erased_at, again.because) == (first.erased_at, "letter 4711")
    assert versions(book) == before
    with book.pool.connection() as connection:
        assert [line.who for line in access_lines(connection, book.book, ADA)] == ["desk-17"]


def test_nobody_is_erased_who_was_never_here(book: App, erasures: Erasures, desk: Access) -> None:
    with pytest.raises(PersonUnknown, match="subject list"):
        erasures.erase("P-AD", desk)
    assert send(book, "StartContract", started("CC-9", "P-AD", "Adriaan")).status == "recorded"


ERASED_COMMANDS: tuple[tuple[str, Fields], ...] = (
    ("CorrectPerson", {"contract": "CC-1", "person": ADA, "address": "Elsewhere 1"}),
    ("StartContract", started("CC-9", ADA, "Ada again")),
    ("OpenClaim", opened("K-9", "CC-3", ADA, "Ada again")),
    ("RejectClaim", {"claim": "K-2", "code": "OUTSIDE_COVER", "reason": "She said so"}),
    ("ReportFurtherIncident", {"claim": "K-1", "occurred_at": "2026-02-03", "narrative": "Again"}),
    (
        "LodgeComplaint",
        {"complaint": "X-9", "contract": "CC-2", "received_on": "2026-02-08", "subject": "Still nobody"},
    ),
)


@pytest.mark.parametrize(("name", "fields"), ERASED_COMMANDS, ids=[name for name, _ in ERASED_COMMANDS])
def test_whatever_is_personal_is_refused_from_then_on_by_SUBJECT_ERASED(
    book: App, erasures: Erasures, desk: Access, name: str, fields: Fields
) -> None:
    erasures.erase(ADA, desk)

    tried = book.ledger.dry_run(asked(name, fields))
    answer = send(book, name, fields, command_id="once-more")
    again = send(book, name, fields, command_id="once-more")

    assert (tried.status, tried.code) == (answer.status, answer.code) == ("refused", "SUBJECT_ERASED")
    assert (again.status, again.first_code) == ("repeated", "SUBJECT_ERASED")


def test_whatever_is_not_personal_goes_on(book: App, erasures: Erasures, desk: Access) -> None:
    erasures.erase(ADA, desk)

    for name, fields in (
        ("RejectClaim", {"claim": "K-2", "code": "OUTSIDE_COVER"}),
        ("RecordRefundFailure", {"claim": "K-1", "payment_reference": "PAY-1"}),
        ("IssueRefund", {"claim": "K-1", "payment_reference": "PAY-2"}),
        ("AcknowledgeComplaint", {"complaint": "X-1", "on": "2026-02-09"}),
        ("GiveNotice", {"contract": "CC-1", "received_on": "2026-02-09", "channel": "web_form"}),
        ("OpenClaim", opened("K-9", "CC-3", BEN, BENS[0])),
    ):
        assert send(book, name, fields).status == "recorded", name


@pytest.mark.usefixtures("book")
def test_an_import_is_told_of_each_line_that_names_the_erased_and_goes_on(
    command_line: CommandLine,
    erasures: Erasures,
    desk: Access,
    tmp_path: Any,  # noqa: ANN401  # pytest's Path
) -> None:
    erasures.erase(ADA, desk)
    lines = tmp_path / "later.jsonl"
    lines.write_text(
        '{"command_id":"i-1","command":"CorrectPerson","at":"2026-02-10T09:00:00+01:00",'
        f'"data":{{"contract":"CC-1","person":"{ADA}","name":"Ada Anew"}}}}\n'
        '{"command_id":"i-2","command":"GiveNotice","at":"2026-02-10T09:00:00+01:00",'
        '"data":{"contract":"CC-1","received_on":"2026-02-10","channel":"email"}}\n'
    )

    ended = command_line("import", str(lines), "--json")

    assert ended.exit_code == 1
    assert [(line["status"], line.get("code")) for line in ended.json_lines] == [
        ("refused", "SUBJECT_ERASED"),
        ("recorded", None),
    ]
    assert "Anew" not in ended.out + ended.err


def test_while_an_import_is_open_nobody_is_erased(book: App, erasures: Erasures, desk: Access) -> None:
    opened = book.books.open_import(book.book, b"\x01" * 32)
    with pytest.raises(ImportOpen, match="--abandon"):
        erasures.erase(ADA, desk)
    book.books.abandon_import(book.book, opened.import_id)

    assert not erasures.erase(ADA, desk).before


@pytest.mark.parametrize("contract", ["CC-1", "CC-2", "CC-3"])
def test_a_hold_on_any_contract_that_holds_the_person_forbids_the_erasure_until_it_is_lifted(
    book: App, erasures: Erasures, desk: Access, contract: str
) -> None:
    holds = Holds(book.pool, book.book)
    holds.place(contract, desk)
    before = versions(book)

    with pytest.raises(LegalHold, match=f"lift-hold {contract}"):
        erasures.erase(ADA, desk)
    assert versions(book) == before
    assert values_of_all(book) == set(ADAS)

    holds.lift(contract, desk)
    assert not erasures.erase(ADA, desk).before


def test_a_hold_on_the_contract_that_a_claim_was_moved_from_forbids_it_too(
    book: App, erasures: Erasures, desk: Access
) -> None:
    assert send(book, "StartContract", started("CC-8", "P-EVA", "Eva")).status == "recorded"
    assert send(book, "OpenClaim", opened("K-8", "CC-8", "P-KID", "Kid")).status == "recorded"
    assert send(book, "MoveClaim", {"claim": "K-8", "contract": "CC-3"}).status == "recorded"
    Holds(book.pool, book.book).place("CC-8", desk)

    with pytest.raises(LegalHold):
        erasures.erase("P-KID", desk)
    assert not erasures.erase(ADA, desk).before


def payload_of(database: Database, stream: str, version: int) -> bytes:
    with psycopg2.connect(database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select payload from ledger.events where stream = %s and version = %s", (stream, version)
        )
        [(payload,)] = cursor.fetchall()
    connection.close()
    return bytes(payload)


@pytest.mark.parametrize(
    ("stream", "version"),
    [("contract/CC-2", 1), ("contract/CC-1", 4), ("claim/K-1", 1)],
    ids=["another stream", "another version", "another type"],
)
def test_a_ciphertext_copied_to_another_event_does_not_open(
    book: App, database: Database, stream: str, version: int
) -> None:
    copied = payload_of(database, "contract/CC-1", 1).hex()
    execute(
        database.superuser_dsn,
        "alter table ledger.events disable trigger append_only",
        f"update ledger.events set payload = '\\x{copied}' where stream = '{stream}' and version = {version}",
    )

    assert ADAS[0] in book.store.open_personal(book.book, contract_ref("CC-1"), [1])[1].values()
    with pytest.raises(Unreadable, match="does not belong there"):
        book.store.open_personal(book.book, stream_ref(stream), [version])


def test_an_older_dump_of_the_data_put_back_stays_unreadable_and_the_erasure_is_told_again(
    book: App, erasures: Erasures, desk: Access, database: Database, command_line: CommandLine
) -> None:
    before = versions(book)
    older = dumped(database, *DATA)
    erasures.erase(ADA, desk)
    book.seal()

    put_back(database, older, DATA)

    assert versions(book) == before
    assert values_of_all(book) == {"[erased]"}
    shown = command_line("contract", "show", "CC-1", "--names", "--reason", "a look")
    assert "[erased]" in shown.out
    assert send(book, *ERASED_COMMANDS[0]).code == "SUBJECT_ERASED"
    assert erasures_half_undone(command_line) == ["hint"]
    told = erasures.erase(ADA, desk)
    assert (told.before, len(told.events)) == (False, len(HOLDS_ADA))
    assert erasures_half_undone(command_line) == []


def test_a_key_that_came_back_with_an_older_vault_is_destroyed_again_without_a_further_event(
    book: App, erasures: Erasures, desk: Access, database: Database, command_line: CommandLine
) -> None:
    older = dumped(database, "vault")
    erasures.erase(ADA, desk)
    assert erasures_half_undone(command_line) == []
    before = versions(book)
    put_back(database, older, ["vault"])
    assert values_on(book, claim_ref("K-1")) > {ADAS[4]}
    assert erasures_half_undone(command_line) == ["wrong"]

    again = erasures.erase(ADA, desk)

    assert (again.before, again.events) == (False, ())
    assert erasures_half_undone(command_line) == []
    assert versions(book) == before
    assert values_of_all(book) == {"[erased]"}


def erasures_half_undone(command_line: CommandLine) -> list[str]:
    checks = command_line("doctor", "--json").json["checks"]
    return [found["state"] for found in checks if found["check"] == "erased"]


def test_an_erasure_blanks_the_directory_of_names(
    book: App, erasures: Erasures, desk: Access, database: Database
) -> None:
    for person in (ADA, BEN):
        execute(
            database.superuser_dsn,
            f"insert into vault.directory values ('{book.book}', '{person}', 'name', 'box')",
            f"insert into vault.directory_words values ('{book.book}', 'hmac', '{person}', 'name')",
        )

    erasures.erase(ADA, desk)

    with book.pool.connection() as connection, connection.cursor() as cursor:
        for table in ("directory", "directory_words"):
            cursor.execute(f"select person from vault.{table}")
            assert cursor.fetchall() == [(BEN,)]
