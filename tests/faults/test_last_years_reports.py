"""A report as of last year's end is the same to the byte, whatever is recorded afterwards.

The book lives through its years by a moved clock of the database, so that last year's end is an instant in
its past: events were sealed before it and after it. In full, 10,000 commands follow the first print.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from random import Random

import pytest

from faults.desks_histories import Line, import_all, instant, of_desks
from fixtures.database import Database
from fixtures.moved_clock import MovedClock
from fixtures.program import CommandLine
from ledger.app import App
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures
from ledger.store.feed import feed_end
from oracle.brussels import midnight
from projections.views.registry import VIEWS

LAST_YEARS_END = "2025-12-31"
NEW_YEAR = midnight(date(2026, 1, 1))
PRINTED_FROM = midnight(date(2026, 3, 1))
"""The reports are first printed when two months of the new year are in the book as well."""
SHORT, FULL = 5, 150
FURTHER_SHORT, FURTHER_FULL = 250, 10_000
FIRST_DESK = 105
REPORTS = (
    ("report", "refunds"),
    ("report", "payments"),
    ("report", "recoveries"),
    ("report", "guarantees"),
    ("report", "timeline"),
    ("report", "bordereau", "2025-12"),
    ("limits",),
    ("due",),
    ("contract", "list"),
    ("claim", "list"),
    ("complaint", "list"),
)
ENDS = (".csv", ".xlsx", ".parquet")
TOUCHING = {"AcceptClaim", "CorrectIncident", "IssueRefund", "MoveClaim", "RecordRecovery", "ReopenClaim"}
"""What is recorded later on claims that stood in the report, whatever else is."""


@pytest.fixture
def clock(database: Database) -> MovedClock:
    return MovedClock(database.superuser_dsn)


@pytest.mark.test_all
def test_reports_as_of_last_years_end_are_the_same_bytes_after_ten_thousand_commands(
    clock: MovedClock, wiring: App, command_line: CommandLine, tmp_path: Path, *, full: bool
) -> None:
    desks = range(FIRST_DESK, FIRST_DESK + (FULL if full else SHORT))
    lines = of_desks(desks)
    earlier = [line for line in lines if instant(line) < PRINTED_FROM]
    further = lines[len(earlier) :]
    live_through(wiring, clock, earlier)
    clock.set(max(PRINTED_FROM, clock.now()))
    year_end, end = last_sealed_by(wiring, NEW_YEAR), end_of(wiring)
    assert 0 < year_end < end
    stood = {
        str(row[kind])
        for kind in ("contract", "claim")
        for row in command_line(kind, "list", "--as-of", LAST_YEARS_END, "--json").json
    }
    first = printed(command_line, tmp_path / "first", "--as-of", LAST_YEARS_END)
    assert [name for name, text in first.items() if name.endswith(".csv") and text.count(b"\n") < 2] == []

    touched = live_through(wiring, clock, further)
    assert sum(touched.values()) >= (FURTHER_FULL if full else FURTHER_SHORT)
    assert {command for command, number in touched if number in stood} >= TOUCHING
    erased = erase_some(wiring, 20 if full else 2)
    second = printed(command_line, tmp_path / "second", "--as-of", LAST_YEARS_END)
    assert [name for name in first if first[name] != second[name]] == []
    opened = ("--names", "--reason", "asked for it", "--as-of", LAST_YEARS_END)
    [*_, person] = command_line("contract", "show", erased, *opened, "--json").json["persons"]
    assert person["name"] == "[erased]"
    by_position = printed(command_line, tmp_path / "third", "--as-of", str(year_end), ends=())
    # Days of cover are counted up to the day asked for, and that of a position is the day it was sealed on.
    del by_position["report-guarantees.json"]
    assert by_position == {name: first[name] for name in by_position}
    now = printed(command_line, tmp_path / "now", ends=())
    assert [name for name in now if first[name] == now[name]] == []


def live_through(wiring: App, clock: MovedClock, lines: Sequence[Line]) -> Counter[tuple[str, str]]:
    """Record lines month by month, each month once it is over; which commands were taken, and on what."""
    taken: Counter[tuple[str, str]] = Counter()
    for month, its in groupby(lines, key=lambda line: f"{instant(line).astimezone(UTC):%Y-%m}"):
        of_month = list(its)
        clock.set(instant(of_month[-1]) + timedelta(seconds=1))
        for line, answer in zip(of_month, import_all(wiring, of_month, month.encode()), strict=True):
            if answer.status == "recorded":
                data = line["data"]
                taken[line["command"], data.get("claim") or data.get("contract") or data["complaint"]] += 1
    wiring.catch_up(*VIEWS)
    return taken


def printed(
    command_line: CommandLine, folder: Path, *when: str, ends: Sequence[str] = ENDS
) -> dict[str, bytes]:
    """Print every report and every list, as JSON and into each kind of file."""
    folder.mkdir()
    for words in REPORTS:
        name = "-".join(words)
        said = command_line(*words, *when, "--json")
        assert said.exit_code == 0, said.err
        (folder / f"{name}.json").write_text(said.out)
        for end in ends:
            said = command_line(*words, *when, "--out", str(folder / f"{name}{end}"))
            assert said.exit_code == 0, said.err
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def erase_some(wiring: App, count: int) -> str:
    """Erase policyholders of whom the reports tell, and name a contract of one: no report shows a name."""
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select payload->'policyholder'->>'person', stream from ledger.history"
            " where book = %s and type = 'contract.ContractStarted' and sealed_at < %s order by 1, 2",
            (wiring.book, NEW_YEAR),
        )
        contracts = dict(cursor.fetchall())
    erased = Random(3).sample(sorted(contracts), count)  # noqa: S311  # chance that can be repeated
    for person in erased:
        Erasures(wiring.ledger).erase(person, Access("desk-1", "subject erase", "asked for it"))
    return str(contracts[erased[0]]).partition("/")[2]


def last_sealed_by(wiring: App, instant: datetime) -> int:
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select max(position) from ledger.log where book = %s and sealed_at < %s", (wiring.book, instant)
        )
        [(position,)] = cursor.fetchall()
    return int(position)


def end_of(wiring: App) -> int:
    with wiring.pool.connection() as connection:
        return feed_end(connection, wiring.book)
