"""Persons are found by name, on the record; the directory holds no name, and an erasure blanks it."""

from contextlib import closing
from threading import Thread

import psycopg2
import pytest
from typed import Typed

from fixtures.database import Database, execute
from fixtures.desk import claim, contract, send
from ledger.app import App
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures
from ledger.verification.findings import NotVerified
from projections.views import directory as following
from projections.views.directory import Directory, Person, check_directory, indexed, words

WHEN = "2026-02-03T10:00:00+01:00"
ACCESS = Access("desk-17", "person find", "caller gave no number")
NAMES = ("Zoë", "zoe", "Van den Bossche", "bossche", "zoe@example.org", "Lucas", "lucas")


def person(number: str, name: str, **more: object) -> dict[str, object]:
    return {"person": number, "name": name} | more


@pytest.fixture
def named(wiring: App) -> App:
    zoe = person("P-1", "Zoë Van den Bossche", email="Zoe@Example.org")
    send(wiring, "StartContract", contract("CC-1", policyholder=zoe), WHEN)
    send(wiring, "StartContract", contract("CC-2", policyholder=person("P-2", "Lucas Zoete")), WHEN)
    victim = person("P-3", "Lucas Van den Bossche", relation="family", same_roof=True)
    send(wiring, "OpenClaim", claim("K-1", "CC-1", victim=victim), WHEN)
    wiring.catch_up()
    return wiring


def find(wiring: App, asked: str, limit: int = 50) -> list[Person]:
    directory = Directory(wiring.pool, wiring.store.subject_keys, wiring.store.book_keys, wiring.book)
    return directory.find(asked, ACCESS, 1_000, limit)


def found(wiring: App, asked: str) -> list[str]:
    return [one.person for one in find(wiring, asked)]


def test_a_name_becomes_words_without_accents_and_capitals_and_their_beginnings() -> None:
    assert words("Zoë  VAN-DEN Bossche") == ["zoe", "van", "den", "bossche"]
    assert words("d'Hondt, Ada@Example.org") == ["d", "hondt", "ada@example.org"]
    assert indexed("Li Peeters") == {"li", "pee", "peet", "peete", "peeter", "peeters"}
    assert words("?!") == []


@pytest.mark.parametrize(
    ("asked", "persons"),
    [
        ("bossche", ["P-1", "P-3"]),
        ("BOSS", ["P-1", "P-3"]),
        ("Bossche Zoe", ["P-1"]),
        ("zoë", ["P-1", "P-2"]),
        ("zoet luc", ["P-2"]),
        ("lucas bossche", ["P-3"]),
        ("zoe@example.ORG", ["P-1"]),
        ("zo", []),
        ("zoe@example", []),
        ("lucas zoe bossche", []),
        ("nobody", []),
    ],
)
def test_all_words_must_match_in_one_field_by_three_letters_or_more(
    named: App, asked: str, persons: list[str]
) -> None:
    assert found(named, asked) == persons


def test_whoever_is_found_stands_with_names_contracts_and_claims(named: App) -> None:
    [zoe] = find(named, "zoe@example.org")
    assert (zoe.name, zoe.email, zoe.contracts, zoe.claims) == (
        "Zoë Van den Bossche",
        "Zoe@Example.org",
        ["CC-1"],
        [],
    )
    [lucas] = find(named, "lucas boss")
    assert (lucas.name, lucas.victim_name, lucas.claims) == (None, "Lucas Van den Bossche", ["K-1"])


def test_a_corrected_name_is_found_and_the_wrong_one_no_more(named: App) -> None:
    corrected = {"contract": "CC-2", "person": "P-2", "name": "Lukas Zoute"}
    assert send(named, "CorrectPerson", corrected, WHEN).status == "recorded"
    named.catch_up()
    assert (found(named, "zoute"), found(named, "zoete")) == (["P-2"], [])
    check_directory(named, lambda _done, _total: None)


def test_each_one_shown_and_each_search_in_vain_is_in_the_access_log(named: App, database: Database) -> None:
    find(named, "bossche")
    find(named, "nobody")
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select who, what, why, person from ledger.access_log order by entry")
        lines = cursor.fetchall()
    told = ("desk-17", "person find", "caller gave no number")
    assert lines == [(*told, "P-1"), (*told, "P-3"), (*told, None)]


def test_no_table_holds_a_name_or_a_word_of_one(named: App, database: Database) -> None:
    find(named, "bossche")
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        for table in ("vault.directory", "vault.directory_words", "ledger.access_log"):
            cursor.execute(f"select t::text from {table} t")
            rows = cursor.fetchall()
            assert rows
            text = "\n".join(row for (row,) in rows)
            assert not any(name in text or name.encode().hex() in text for name in NAMES)


def test_an_erasure_blanks_the_directory_and_nothing_brings_the_person_back(named: App) -> None:
    access = Access("desk-17", "subject erase", "asked for by letter")
    Erasures(named.ledger).erase("P-1", access)
    assert entries(named, "P-1") == 0
    named.catch_up()
    assert named.runner("directory").start_over()
    named.catch_up()
    assert found(named, "bossche") == ["P-3"]
    assert entries(named, "P-1") == 0
    check_directory(named, lambda _done, _total: None)


def entries(wiring: App, person: str) -> int:
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select (select count(*) from vault.directory where person = %(p)s)"
            " + (select count(*) from vault.directory_words where person = %(p)s)",
            {"p": person},
        )
        [(count,)] = cursor.fetchall()
        return int(count)


def test_an_erasure_while_the_directory_is_being_kept_waits_and_then_blanks_it(
    named: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert named.runner("directory").start_over()
    erasures = Erasures(named.ledger)
    erasing = Thread(target=erasures.erase, args=("P-1", Access("d", "subject erase", "by letter")))
    put = following.put

    def put_slowly(*given: object) -> None:
        erasing.start()
        erasing.join(0.3)
        assert erasing.is_alive(), "the erasure did not wait for the key that is in use"
        put(*given)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(following, "put", put_slowly)
    named.runner("directory").catch_up()
    erasing.join(10)
    assert entries(named, "P-1") == 0
    assert entries(named, "P-2") > 0


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("delete from vault.directory where person = 'P-1' and field = 'name'", "deleted|altered"),
        ("delete from vault.directory_words where person = 'P-2'", "altered"),
        (
            "update vault.directory set box = 'x' where person = 'P-1' and field = 'name'",
            "altered",
        ),
        ("insert into vault.directory values ('cyber-care', 'P-9', 'name', 'x')", "no event explains"),
    ],
)
def test_verify_finds_an_entry_that_somebody_changed(
    named: App, database: Database, tampering: str, said: str
) -> None:
    assert check_directory(named, lambda _done, _total: None).rows == 4
    execute(database.superuser_dsn, tampering)
    with pytest.raises(NotVerified, match=said):
        check_directory(named, lambda _done, _total: None)


def test_a_directory_that_somebody_changed_is_kept_anew_by_a_rebuild(
    typed: Typed, wiring: App, database: Database
) -> None:
    zoe = person("P-1", "Zoë Van den Bossche")
    send(wiring, "StartContract", contract("CC-1", policyholder=zoe), WHEN)
    assert typed.run("person", "find", "boss", "--reason", "no number").code == 0
    execute(database.superuser_dsn, "delete from vault.directory_words")
    assert typed.rows("person", "find", "boss", "--reason", "no number") == []
    assert typed.rows("projections", "rebuild", "directory") == [{"view": "directory", "positions": 1}]
    assert len(typed.rows("person", "find", "boss", "--reason", "no number")) == 1


def test_persons_are_found_as_typed_for_people_and_for_programs(typed: Typed, wiring: App) -> None:
    zoe = person("P-1", "Zoë Van den Bossche")
    send(wiring, "StartContract", contract("CC-1", policyholder=zoe), WHEN)
    rows = typed.rows("person", "find", "boss", "--reason", "no number")
    assert [(row["person"], row["name"], row["contracts"]) for row in rows] == [
        ("P-1", "Zoë Van den Bossche", ["CC-1"])
    ]
    shown = typed.run("person", "find", "van", "boss", "--reason", "no number")
    assert "Zoë Van den Bossche" in shown.stdout
    assert "Nobody is found" in typed.run("person", "find", "xyz", "--reason", "no number").stderr
    assert typed.run("person", "find", "?", "--reason", "no number").code == 2
    assert typed.run("person", "find", "boss").code == 2
    assert typed.run("person", "find", "boss", "--reason", "").code == 2
