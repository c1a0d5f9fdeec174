"""`coverledger import`, as it is typed."""

import csv
import json
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import psycopg2
import pytest
from freezegun import freeze_time

from coverledger.composition import opened
from fixtures.database import Database, execute
from fixtures.desk import Fields, claim, contract
from fixtures.program import CommandLine
from ledger import command_batch
from ledger.command_handler import decide_command
from ledger.domain.registry import read_command
from ledger.imports import importer
from ledger.imports import sources as checking
from ledger.imports.importer import CHUNK_LINES
from ledger.imports.sources import merged, opened_sources

Write = Callable[..., str]
ROUND_TRIP = Path(__file__).parents[1] / "imports" / "cents_round_trip"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(lines: Iterable[Fields | str | bytes], name: str = "book.jsonl") -> str:
        path = tmp_path / name
        path.write_bytes(
            b"".join(
                (
                    line
                    if isinstance(line, bytes)
                    else (line if isinstance(line, str) else json.dumps(line)).encode()
                )
                + b"\n"
                for line in lines
            )
        )
        return str(path)

    return write


def line(command_id: str, command: str, at: str, fields: Fields) -> Fields:
    return {"command_id": command_id, "command": command, "at": at, "data": fields}


def start(number: str, at: str = "2026-01-01T09:00:00+01:00", **fields: object) -> Fields:
    return line(f"start-{number}", "StartContract", at, contract(number, **fields))


def counted(database: Database, *tables: str) -> list[int]:
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        found = []
        for table in tables or ("events", "commands", "imports"):
            cursor.execute(f"select count(*) from ledger.{table}")
            found += [count for (count,) in cursor.fetchall()]
        return found


def test_malformed_lines_are_all_listed_and_nothing_is_recorded(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    file = write(
        [
            start("CC-1"),
            b"\x89PNG\x00\x01",
            start("CC-2") | {"at": "2026-01-01T09:00:00"},
            line("a", "AcceptClaim", "2026-01-02T09:00:00+01:00", {"claim": "K", "loss_cents": 10.5}),
            line("b", "AcceptClaim", "2026-01-02T09:00:00+01:00", {"claim": "K", "loss_cents": "10"}),
            line("c", "WithdrawClaim", "2026-01-02T09:00:00+01:00", {"claim": "K", "more": 1}),
            line("d", "DestroyClaim", "2026-01-02T09:00:00+01:00", {"claim": "K"}),
            line("e", "WithdrawClaim", "2026-01-02T09:00:00+01:00", {"claim": "K" * 10_000_000}),
            line("f", "WithdrawClaim", "2026-01-01T08:00:00+01:00", {"claim": "K"}),
            line(
                "g",
                "GiveNotice",
                "2026-01-03T09:00:00+01:00",
                {"contract": "CC-1", "received_on": "2026-01-04"},
            ),
            "{",
        ]
    )
    typed = command_line("import", file)

    assert typed.exit_code == 2
    numbers = [words.split(":")[0] for words in typed.err.splitlines() if words.startswith("line ")]
    assert numbers == [f"line {number}" for number in range(2, 12)]
    assert "10 lines are malformed" in typed.err
    assert typed.out == ""
    assert counted(database) == [0, 0, 0]


def test_malformed_lines_are_one_json_object_each_when_asked(command_line: CommandLine, write: Write) -> None:
    typed = command_line("import", write([start("CC-1"), "{", "[]"]), "--json")

    assert typed.exit_code == 2
    assert [(found["line"], found["status"]) for found in typed.json_lines] == [
        (2, "invalid"),
        (3, "invalid"),
    ]


@pytest.mark.parametrize("where", ["database", "decider", "reader"])
def test_fault_one_line_that_meets_what_nobody_foresaw_stops_no_other(
    command_line: CommandLine, write: Write, database: Database, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    lines = [start(f"CC-{number}") for number in range(7)]
    file = write(lines)
    if where == "database":
        # As a constraint that an operator's own trigger adds, or a defect of ours in one statement.
        execute(
            database.superuser_dsn,
            "create function public.refuse() returns trigger language plpgsql as $$ begin "
            "if new.command_id = 'start-CC-3' then raise exception 'no %', new.command_id; end if; "
            "return new; end $$",
            "create trigger refuse before insert on ledger.events "
            "for each row execute function public.refuse()",
        )
    elif where == "decider":

        def breaks(*given: object, **more: object) -> object:
            if more["command_id"] == "start-CC-3":
                message = "Ada Peeters"
                raise OverflowError(message)
            return decide_command(*given, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(command_batch, "decide_command", breaks)
    else:

        def unreadable(name: str, fields: Fields, **more: bool) -> object:
            if fields["contract"] == "CC-3":
                message = "Ada Peeters"
                raise RecursionError(message)
            return read_command(name, fields, **more)

        monkeypatch.setattr(importer, "read_command", unreadable)
    typed = command_line("import", file, "--json")

    assert typed.exit_code == 1
    statuses = {answer["line"]: answer["status"] for answer in typed.json_lines}
    assert statuses == dict.fromkeys((1, 2, 3, 5, 6, 7), "recorded") | {4: "failed"}
    assert "line 4: it met an error that nobody foresaw" in typed.err
    assert "Ada Peeters" not in typed.err + typed.out
    assert "Traceback" not in typed.err
    assert counted(database, "commands") == [6]

    if where == "database":
        execute(database.superuser_dsn, "drop trigger refuse on ledger.events")
    monkeypatch.setattr(command_batch, "decide_command", decide_command)
    monkeypatch.setattr(importer, "read_command", read_command)
    again = command_line("import", file, "--json")
    assert again.exit_code == 0
    assert [answer["status"] for answer in again.json_lines].count("recorded") == 1


def test_fault_a_line_that_cannot_be_checked_is_listed_with_its_number(
    command_line: CommandLine, write: Write, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        message = "Ada Peeters"
        raise OverflowError(message)

    monkeypatch.setattr(checking, "check", breaks)
    typed = command_line("import", write([start("CC-1"), start("CC-2")]))

    assert typed.exit_code == 2
    assert "line 2: it cannot be checked, by a defect of the ledger (OverflowError" in typed.err
    assert "Ada Peeters" not in typed.err
    assert counted(database) == [0, 0, 0]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_malformed(command_line: CommandLine, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)

    assert command_line("import", str(path)).exit_code == 2


@pytest.mark.parametrize("file", ["none.jsonl", "."])
def test_a_file_that_cannot_be_read_is_used_wrongly(command_line: CommandLine, file: str) -> None:
    typed = command_line("import", file)

    assert typed.exit_code == 2
    assert "can't be read" in typed.err


def test_a_dry_run_checks_and_records_nothing(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    typed = command_line("import", write([start("CC-1")]), "--dry-run")

    assert typed.exit_code == 0
    assert counted(database) == [0, 0, 0]


def test_lines_in_the_future_of_a_real_book_are_listed(command_line: CommandLine, write: Write) -> None:
    future = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    typed = command_line("import", write([start("CC-1"), start("CC-2", future)]))

    assert typed.exit_code == 2
    assert "line 2: at: " in typed.err
    assert "future" in typed.err


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_lines_in_the_future_are_listed_among_other_malformed_ones_and_put_no_other_line_out_of_order(
    command_line: CommandLine, write: Write, more: tuple[str, ...]
) -> None:
    lines = [start("CC-1") | {"more": 1}, start("CC-2", "2190-01-01T09:00:00+01:00"), start("CC-3")]
    typed = command_line("import", write(lines), "--json", *more)

    assert typed.exit_code == 2
    assert [(found["line"], found["command_id"]) for found in typed.json_lines] == [
        (1, "start-CC-1"),
        (2, "start-CC-2"),
    ]


def test_until_a_day_to_come_is_used_wrongly_in_a_real_book(command_line: CommandLine, write: Write) -> None:
    assert command_line("import", write([start("CC-1")]), "--until", "2190-01-01").exit_code == 2


def test_several_files_are_merged_by_at(command_line: CommandLine, write: Write) -> None:
    contracts = write([start("CC-1"), start("CC-2", "2026-01-03T09:00:00+01:00")], "contracts.jsonl")
    claims = write(
        [
            line("k1", "OpenClaim", "2026-01-02T09:00:00+01:00", claim("K-1", "CC-1", "2026-01-02")),
            line("k2", "OpenClaim", "2026-01-03T09:00:00+01:00", claim("K-2", "CC-2", "2026-01-03")),
        ],
        "claims.jsonl",
    )
    typed = command_line("import", contracts, claims, "--json")

    assert [(a["command_id"], a["status"]) for a in typed.json_lines] == [
        ("start-CC-1", "recorded"),
        ("k1", "recorded"),
        ("start-CC-2", "recorded"),
        ("k2", "recorded"),
    ]
    assert (typed.json_lines[1]["file"], typed.json_lines[1]["line"]) == (claims, 1)


def test_json_lines_and_csv_go_together(command_line: CommandLine, write: Write) -> None:
    rows = write(
        ["command_id,at,claim,method", "i1,2026-01-02T10:00:00+01:00,K-1,callback"], "IdentifyClaimant.csv"
    )
    lines = write(
        [
            start("CC-1"),
            line("k1", "OpenClaim", "2026-01-02T09:00:00+01:00", claim("K-1", "CC-1", "2026-01-02")),
        ]
    )
    typed = command_line("import", rows, lines)

    assert typed.exit_code == 0, typed.err
    assert "3 commands: 3 recorded" in typed.err


def test_stdin_is_a_file_too(command_line: CommandLine) -> None:
    typed = command_line("import", "-", "--json", stdin=json.dumps(start("CC-1")).encode())

    assert typed.json_lines[0]["status"] == "recorded"


def test_one_id_on_two_lines_is_repeated_or_reused_by_its_content(
    command_line: CommandLine, write: Write
) -> None:
    other = start("CC-2") | {"command_id": "start-CC-1"}
    typed = command_line("import", write([start("CC-1"), start("CC-1"), other]), "--json")

    assert typed.exit_code == 1
    assert [(a["status"], a.get("code")) for a in typed.json_lines] == [
        ("recorded", None),
        ("repeated", None),
        ("refused", "ID_REUSED"),
    ]


def test_a_command_sent_live_and_imported_later_is_one_command(
    command_line: CommandLine, write: Write
) -> None:
    fields = json.dumps(contract("CC-1"))
    command_line("submit", "StartContract", fields, "--id", "start-CC-1", "--at", "2026-01-01T09:00:00+01:00")
    typed = command_line("import", write([start("CC-1")]), "--json")

    assert typed.json_lines[0]["status"] == "repeated"


def test_lines_with_something_personal_of_an_erased_person_are_refused_and_the_import_goes_on(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    command_line("import", write([start("CC-1")]))
    execute(
        database.superuser_dsn,
        "update vault.subjects set wrapped = null, master_id = null, erased_at = now(), erased_because = 'x'",
    )
    at = "2026-01-02T09:00:00+01:00"
    more = write(
        [
            line("k1", "OpenClaim", at, claim("K-1", "CC-1", "2026-01-02")),
            line("k2", "IdentifyClaimant", at, {"claim": "K-1", "method": "callback"}),
            start("CC-2", at),
        ],
        "more.jsonl",
    )
    typed = command_line("import", more, "--json")

    assert [(a["status"], a.get("code")) for a in typed.json_lines] == [
        ("refused", "SUBJECT_ERASED"),
        ("refused", "UNKNOWN"),
        ("recorded", None),
    ]


def test_an_import_over_many_chunks_answers_in_order(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    lines = [start(f"CC-{number}") for number in range(2 * CHUNK_LINES + 7)]
    lines += [
        line(
            f"n-{number}",
            "GiveNotice",
            "2026-01-05T09:00:00+01:00",
            {"contract": f"CC-{number}", "received_on": "2026-01-05", "channel": "email"},
        )
        for number in range(CHUNK_LINES)
    ]
    typed = command_line("import", write(lines), "--json")

    assert typed.exit_code == 0
    assert [answer["command_id"] for answer in typed.json_lines] == [sent["command_id"] for sent in lines]
    assert counted(database, "log", "pending") == [3 * CHUNK_LINES + 7, 0]


def broken_off(database: Database, typed_before: Callable[[], object]) -> None:
    """Leave an import as one that was killed in its middle leaves it."""
    typed_before()
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.imports set closed_at = null, outcome = null")
        cursor.execute(
            "update ledger.books set held_at = null, import_id = (select import_id from ledger.imports)"
        )
        connection.commit()


def test_an_open_import_refuses_others_says_what_to_type_and_goes_on_with_its_own_file(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    file, other = write([start("CC-1")]), write([start("CC-2")], "other.jsonl")
    broken_off(database, lambda: command_line("import", file))

    told = command_line("import", other)
    assert (told.exit_code, "import --abandon" in told.err) == (1, True)
    assert "IMPORT_OPEN" in told.err

    sent = command_line("submit", "StartContract", json.dumps(contract("CC-3")), "--json")
    assert (sent.exit_code, sent.json["code"]) == (1, "IMPORT_OPEN")

    swept = command_line("deadlines", "sweep")
    assert swept.exit_code == 1

    again = command_line("import", file, "--json")
    assert again.json_lines[0]["status"] == "repeated"
    assert command_line("import", other).exit_code == 0


def test_an_open_import_can_be_given_up_and_what_it_recorded_stays(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    file = write([start("CC-1")])
    broken_off(database, lambda: command_line("import", file))

    assert command_line("import", "--abandon").exit_code == 0
    assert command_line("submit", "StartContract", json.dumps(contract("CC-3"))).exit_code == 0
    assert counted(database, "commands") == [2]
    assert command_line("import", "--abandon").exit_code == 2
    assert command_line("import", file, "--abandon").exit_code == 2


def renewals(command_line: CommandLine, number: str) -> int:
    shown = command_line("contract", "show", number, "--json")
    return int(shown.json["term"])


def test_until_lets_time_act_on_streams_that_no_line_touches_up_to_that_midnight(
    command_line: CommandLine, write: Write
) -> None:
    file = write([start("CC-1", "2024-03-01T09:00:00+01:00", starts_on="2024-03-01")])
    typed = command_line("import", file, "--until", "2025-03-01")

    assert typed.exit_code == 0
    assert "time stands at 2025-02-28T23:00:00+00:00" in typed.err
    assert renewals(command_line, "CC-1") == 2


def test_the_same_import_until_a_later_day_lets_time_act_on_and_holds_the_book_there(
    command_line: CommandLine, write: Write
) -> None:
    file = write([start("CC-1", "2024-03-01T09:00:00+01:00", starts_on="2024-03-01")])
    command_line("import", file, "--until", "2025-02-28")
    again = command_line("import", file, "--until", "2026-03-01")

    assert "1 repeated" in again.err
    assert renewals(command_line, "CC-1") == 3
    with opened("cyber-care") as wiring:
        assert wiring.book_row().held_at == datetime(2026, 2, 28, 23, tzinfo=UTC)


def test_until_needs_a_sealer_and_an_import_without_one_goes_on_later(
    command_line: CommandLine, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.cli.import_run.SEAL_SECONDS", 0.2)
    file = write([start("CC-1", "2024-03-01T09:00:00+01:00", starts_on="2024-03-01")])
    monkeypatch.setenv("COVERLEDGER_SEALER_ENABLED", "no")
    alone = command_line("import", file, "--until", "2025-03-01")
    assert (alone.exit_code, "start its sealer" in alone.err) == (3, True)

    monkeypatch.delenv("COVERLEDGER_SEALER_ENABLED")
    assert command_line("import", file, "--until", "2025-03-01").exit_code == 0
    assert renewals(command_line, "CC-1") == 2


def test_the_eve_of_a_renewal_renews_nothing(command_line: CommandLine, write: Write) -> None:
    file = write([start("CC-1", "2024-03-01T09:00:00+01:00", starts_on="2024-03-01")])
    command_line("import", file, "--until", "2025-02-28")

    assert renewals(command_line, "CC-1") == 1


def test_a_book_held_in_the_past_goes_on_by_a_sweep_or_by_an_import_without_until(
    command_line: CommandLine, write: Write
) -> None:
    file = write([start("CC-1", "2024-03-01T09:00:00+01:00", starts_on="2024-03-01")])
    command_line("import", file, "--until", "2025-03-01")
    with opened("cyber-care") as wiring:
        assert wiring.book_row().held_at == datetime(2025, 2, 28, 23, tzinfo=UTC)

    command_line("import", write([start("CC-2")], "more.jsonl"))
    with opened("cyber-care") as wiring:
        assert wiring.book_row().held_at is None
    command_line("deadlines", "sweep")
    assert renewals(command_line, "CC-1") >= 3


def test_a_simulated_books_clock_follows_the_import(command_line: CommandLine, write: Write) -> None:
    command_line("init", "--simulated", "--book", "training")
    file = write([start("CC-1", "2024-03-01T09:00:00+01:00", starts_on="2024-03-01")])
    typed = command_line("import", file, "--until", "2031-03-01", "--book", "training")

    assert typed.exit_code == 0, typed.err
    with opened("training") as wiring:
        assert wiring.book_row().clock_at == datetime(2031, 2, 28, 23, tzinfo=UTC)
        assert wiring.book_row().held_at is None


def test_fault_34_cents_are_cents_and_that_is_said(
    command_line: CommandLine, tmp_path: Path, database: Database
) -> None:
    before, accepted = ROUND_TRIP / "pre.jsonl", ROUND_TRIP / "AcceptClaim.csv"
    assert command_line("import", str(before)).exit_code == 0
    told = command_line("import", str(accepted))
    assert told.exit_code == 0, told.err
    assert "whole numbers in loss_cents are read as cents: 5000 is 50.00 EUR" in told.err
    shown = json.loads(command_line("claim", "show", "RTK-1", "--json").out)
    assert shown["loss_cents"] == 45_000
    exported = tmp_path / "AcceptClaim.csv"
    assert command_line("claim", "list", "--out", str(exported)).exit_code == 0
    with exported.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["loss"] == "450.00"
    exported.write_text(f"command_id,at,claim,loss\nrt-5,2025-07-03T09:00:00+02:00,RTK-1,{row['loss']}\n")
    again = command_line("import", str(exported), "--json")
    assert [json.loads(answer)["status"] for answer in again.out.splitlines()] == ["repeated"]
    assert database.name


TIES = sorted((Path(__file__).parents[1] / "imports" / "ties").iterdir())


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_fault_33_rows_of_one_instant_go_in_the_order_of_a_life(
    command_line: CommandLine, order: tuple[int, ...]
) -> None:
    told = command_line("import", *(str(TIES[place]) for place in order), "--json")
    assert told.exit_code == 0, told.err
    assert [answer["command_id"] for answer in told.json_lines] == ["t-1", "t-2", "t-3"]


def test_fault_33_a_whole_life_in_one_instant_and_each_file_in_its_own_order(write: Write) -> None:
    at = "2026-03-01T09:00:00+01:00"
    commands = (
        "CloseClaim", "IssueRefund", "AcceptClaim", "CompleteSubmission", "GiveAdvice", "IdentifyClaimant",
        "OpenClaim", "StartContract",
    )  # fmt: skip
    files = [write([line(name, name, at, {"x": 1})], f"{name}.jsonl") for name in commands]
    mixed = [line(f"own-{name}", name, at, {"x": 1}) for name in ("IssueRefund", "StartContract")]
    with opened_sources([*files, write(mixed, "mixed.jsonl")]) as sources:
        merged_ids = [one.command_id for one in merged(sources)]
    assert [one for one in merged_ids if not one.startswith("own-")] == list(reversed(commands))
    assert merged_ids.index("own-IssueRefund") < merged_ids.index("own-StartContract")


def test_whole_numbers_of_a_csv_are_euro_and_that_is_said(command_line: CommandLine, write: Write) -> None:
    at = "2026-01-02T10:00:00+01:00"
    told = command_line(
        "import", write(["command_id,at,claim,loss", f"a,{at},K,5000"], "AcceptClaim.csv"), "--dry-run"
    )
    untold = command_line(
        "import",
        write(["command_id,at,claim,loss", f"a,{at},K,5000.00"], "AcceptClaim.csv"),
        "--dry-run",
    )

    assert "loss are read as euro: 5000 is 5,000.00 EUR" in told.err
    assert "euro" not in untold.err


def test_an_import_tells_its_rate(  # how high it is `make bench` says
    command_line: CommandLine, write: Write
) -> None:
    lines = [start(f"CC-{number}") for number in range(400)]
    typed = command_line("import", write(lines))

    (summary,) = [words for words in typed.err.splitlines() if "400 commands" in words]
    rate = int(summary.rsplit(", ", 1)[1].removesuffix("/s.").replace(",", ""))
    assert rate > 0, summary


def test_an_import_of_today_is_recorded_with_the_true_time(
    command_line: CommandLine, write: Write, database: Database
) -> None:
    with freeze_time("2020-01-01", tick=True):  # our own clock is not asked
        command_line("import", write([start("CC-1")]))
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select clock_timestamp() - max(recorded_at) < interval '1 minute' from ledger.events")
        assert cursor.fetchall() == [(True,)]
