"""Many commands in one commit: each is answered as it would be alone, and none stops another."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import psycopg2
import pytest

from coverledger.composition import opened
from fixtures.database import Database, execute
from fixtures.desk import Fields, asked, at, claim, contract, ready_to_accept, send
from fixtures.program import settings_of
from ledger import command_batch
from ledger.app import App
from ledger.command_batch import Result
from ledger.command_envelope import Submission
from ledger.command_handler import Answer, decide_command
from ledger.config import Settings
from ledger.domain.contract.events import LimitConsumed
from ledger.domain.identifiers import contract_ref
from ledger.domain.refusals import Invalid
from ledger.store.errors import OutcomeUnknown
from ledger.store.events import Appended, Commit
from oracle.histories import history

WHEN = "2026-02-03T10:00:00+01:00"
ACCEPTED_AT = "2026-02-04T09:00:00+01:00"


def start(number: str, command_id: str | None = None) -> Submission:
    return asked("StartContract", contract(number), WHEN, command_id=command_id)


def said(results: Sequence[Result]) -> list[str]:
    """The code or status of each answer, or the name of what is there in its place."""
    return [one.code or one.status if isinstance(one, Answer) else type(one).__name__ for one in results]


def commits(database: Database) -> int:
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger.pending")
        [(found,)] = cursor.fetchall()
    return int(found)


def life(number: str) -> list[Submission]:
    """A contract, and a claim on it up to its acceptance."""
    k = f"K-{number}"
    fields: list[tuple[str, Fields, str]] = [
        ("StartContract", contract(number), "2026-01-01T09:00:00+01:00"),
        ("OpenClaim", claim(k, number), WHEN),
        ("IdentifyClaimant", {"claim": k, "method": "callback"}, WHEN),
        ("CompleteSubmission", {"claim": k, "completed_at": "2026-02-03"}, WHEN),
        ("AcceptClaim", {"claim": k, "loss_cents": 300_000}, ACCEPTED_AT),
    ]
    return [asked(name, given, when) for name, given, when in fields]


def test_a_whole_life_in_one_batch_is_one_commit_and_answered_as_command_by_command(
    wiring: App, database: Database
) -> None:
    together = wiring.ledger.submit_many(life("CC-1"))
    assert commits(database) == 1
    alone = [wiring.ledger.submit(command) for command in life("CC-2")]

    assert said(together) == ["recorded"] * 5
    events = [one.events for one in together if isinstance(one, Answer)]
    assert [[(event.version, event.type) for event in of_one] for of_one in events] == [
        [(event.version, event.type) for event in one.events] for one in alone
    ]


def test_each_command_of_a_batch_keeps_a_fate_of_its_own(wiring: App, database: Database) -> None:
    send(wiring, "StartContract", contract("CC-0"), WHEN, command_id="before")
    known = commits(database)
    batch = [
        start("CC-0", "before"),
        start("CC-1", "one"),
        start("CC-1", "two"),
        start("CC-1", "one"),
        start("CC-9", "one"),
        asked("StartContract", contract("CC-2"), "2199-01-01T09:00:00+01:00"),
        replace(start("CC-3"), if_versions=frozenset({7})),
        asked("GiveNotice", {"contract": "none", "received_on": "2026-01-01", "channel": "email"}),
        start("CC-4"),
    ]
    results = wiring.ledger.submit_many(batch)

    assert said(results) == [
        "repeated",
        "recorded",
        "EXISTS",
        "repeated",
        "ID_REUSED",
        "invalid",
        "StreamMoved",
        "UNKNOWN",
        "recorded",
    ]
    assert commits(database) == known + 1
    assert said(wiring.ledger.submit_many(batch)) == [
        "repeated",
        "repeated",
        "EXISTS",
        "repeated",
        "ID_REUSED",
        "invalid",
        "StreamMoved",
        "UNKNOWN",
        "repeated",
    ]


def test_a_batch_without_a_command_has_no_answer(wiring: App) -> None:
    assert list(wiring.ledger.submit_many([])) == []


def test_acceptances_in_one_batch_share_the_years_limit(wiring: App) -> None:
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    claims = ["K-1", "K-2", "K-3"]
    for number in claims:
        ready_to_accept(wiring, number)
    batch = [asked("AcceptClaim", {"claim": k, "loss_cents": 300_000}, ACCEPTED_AT) for k in claims]
    wiring.ledger.submit_many(batch)

    recorded = wiring.store.load_many(wiring.book, [contract_ref("CC-1")]).streams[contract_ref("CC-1")]
    consumed = [one.event.amount_cents for one in recorded.recorded if isinstance(one.event, LimitConsumed)]
    assert sum(consumed) == 500_000
    versions = [one.version for one in recorded.recorded]
    assert all(later == earlier + 1 for earlier, later in pairwise(versions))


def test_a_batch_whose_streams_moved_is_decided_again_whole(
    wiring: App, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, faster = wiring.ledger.record, [start("CC-2")]

    def record_after_another(commit: Commit) -> Appended:
        if faster:
            other = faster.pop()
            wiring.ledger.submit(other)
        return record(commit)

    monkeypatch.setattr(wiring.ledger, "record", record_after_another)
    results = wiring.ledger.submit_many([start("CC-1"), start("CC-2"), start("CC-3")])

    assert said(results) == ["recorded", "EXISTS", "recorded"]
    assert commits(database) == 2


def test_a_batch_whose_acknowledgement_was_lost_is_answered_as_if_it_had_come(
    wiring: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.ledger.submit(start("CC-0", "before"))
    record, lost = wiring.ledger.record, [True]

    def record_and_lose(commit: Commit) -> Appended:
        appended = record(commit)
        if lost.pop():
            message = "the connection broke"
            raise OutcomeUnknown(message)
        return appended

    monkeypatch.setattr(wiring.ledger, "record", record_and_lose)
    results = wiring.ledger.submit_many([start("CC-0", "before"), start("CC-1"), start("CC-1")])

    assert said(results) == ["repeated", "recorded", "EXISTS"]


@pytest.mark.parametrize("where", ["database", "decider"])
def test_fault_a_command_that_meets_what_nobody_foresaw_stops_no_other(
    wiring: App, database: Database, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    batch = [start(f"CC-{number}", f"start-{number}") for number in range(7)]
    if where == "database":
        execute(
            database.superuser_dsn,
            "create function public.refuse() returns trigger language plpgsql as $$ begin "
            "if new.command_id = 'start-3' then raise exception 'no'; end if; return new; end $$",
            "create trigger refuse before insert on ledger.events "
            "for each row execute function public.refuse()",
        )
    else:

        def breaks(*given: object, **more: object) -> object:
            if more["command_id"] == "start-3":
                raise OverflowError
            return decide_command(*given, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(command_batch, "decide_command", breaks)
    failed = "DatabaseRefused" if where == "database" else "OverflowError"

    assert said(wiring.ledger.submit_many(batch)) == ["recorded"] * 3 + [failed] + ["recorded"] * 3


def test_what_is_personal_of_somebody_erased_is_refused_alone(wiring: App, database: Database) -> None:
    wiring.ledger.submit_many([start("CC-1"), start("CC-2")])
    execute(
        database.superuser_dsn,
        "update vault.subjects set wrapped = null, master_id = null, erased_at = now(), "
        "erased_because = 'asked for' where person = 'P-CC-1'",
    )
    batch = [asked("OpenClaim", claim(f"K-{number}", f"CC-{number}"), WHEN) for number in (1, 2)]

    assert said(wiring.ledger.submit_many(batch)) == ["SUBJECT_ERASED", "recorded"]
    assert said(wiring.ledger.submit_many(batch)) == ["SUBJECT_ERASED", "repeated"]


def test_while_an_import_is_open_all_are_told_so_and_nothing_is_remembered(
    wiring: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring.ledger.submit(start("CC-0", "before"))
    batch = [start("CC-0", "before"), start("CC-1")]
    load_many = wiring.store.load_many

    def load_before_it_opens(*given: object, **more: object) -> object:
        loaded = load_many(*given, **more)  # type: ignore[arg-type]
        monkeypatch.setattr(wiring.store, "load_many", load_many)
        opened.append(wiring.books.open_import(wiring.book, b"x" * 32))
        return loaded

    opened: list[object] = []
    monkeypatch.setattr(wiring.store, "load_many", load_before_it_opens)
    assert said(wiring.ledger.submit_many(batch)) == ["repeated", "IMPORT_OPEN"]
    assert said(wiring.ledger.submit_many(batch)) == ["repeated", "IMPORT_OPEN"]


def test_a_simulated_books_clock_goes_with_the_commands_of_a_batch(simulated: App) -> None:
    notice = {"contract": "CC-1", "received_on": "2026-03-01", "channel": "email"}
    results = simulated.ledger.submit_many(
        [
            start("CC-1"),
            asked("GiveNotice", notice, "2026-03-01T09:00:00+01:00"),
            asked("StartContract", contract("CC-2")),
        ]
    )

    assert said(results) == ["recorded"] * 3
    assert simulated.book_row().clock_at == at("2026-03-01T09:00:00+01:00")
    second = simulated.store.load_many(simulated.book, [contract_ref("CC-2")]).streams[contract_ref("CC-2")]
    assert second.recorded[0].at == at("2026-03-01T09:00:00+01:00")


def submitted(lines: Iterable[Mapping[str, Any]]) -> list[Submission]:
    """The lines as submissions, but for those whose shape is wrong."""
    commands = []
    for line in lines:
        with suppress(Invalid):
            commands.append(asked(line["command"], line["data"], line["at"], command_id=line["command_id"]))
    return commands


def recorded(database: Database, book: str) -> list[tuple[Any, ...]]:
    """What a book's streams hold, but for what is random or says when it was recorded."""
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select stream, version, type, effective_on, at, command_id, ordinal, actor, causation_id is null"
            """, regexp_replace(convert_from(payload, 'UTF8'), '"(box|salt)":"[^"]*"', '', 'g') """
            "from ledger.events where book = %s order by stream, version",
            (book,),
        )
        return cursor.fetchall()


@pytest.mark.parametrize("seed", range(3))
def test_a_random_history_in_batches_of_any_size_is_that_of_its_commands_one_by_one(
    database: Database, tmp_path: Path, seed: int
) -> None:
    commands = submitted(history(seed, contracts=3, steps=60))
    settings = Settings.load(home=tmp_path / "home", **settings_of(database))
    sizes = Random(seed)  # noqa: S311  # a test's, no secret
    with opened("alone", settings) as alone, opened("together", settings) as together:
        answers = [alone.ledger.submit(command) for command in commands]
        batched: list[Result] = []
        while len(batched) < len(commands):
            size = sizes.randint(1, 20)
            batched += together.ledger.submit_many(commands[len(batched) : len(batched) + size])

    assert batched == answers
    assert recorded(database, "together") == recorded(database, "alone")
    assert len({one.status for one in answers}) > 1
