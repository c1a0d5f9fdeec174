"""What is due comes by due date, the same order wherever it is asked for."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from fixtures.desk import claim, contract, ready_to_accept, send
from fixtures.program import CommandLine
from fixtures.served import Served
from fixtures.visited import visiting

STARTS = ("2025-11-03", "2025-07-01", "2025-11-03", "2025-03-31", "2025-09-15")
"""Recorded in this order, due in another; two of one day."""


@pytest.fixture
def due(served: Served) -> Served:
    for number, starts_on in enumerate(STARTS):
        send(served.wiring, "StartContract", contract(f"CC-{number}", starts_on), "2026-01-02T09:00:00Z")
    for number in (2, 0):
        ready_to_accept(served.wiring, f"K-{number}", f"CC-{number}")
    lodged = {"complaint": "X-1", "contract": "CC-1", "received_on": "2026-02-20", "subject": "s"}
    send(served.wiring, "LodgeComplaint", lodged)
    send(served.wiring, "OpenClaim", claim("K-9", "CC-4"))
    served.wiring.catch_up()
    return served


def keys(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(row["due_on"], row["subject"], row["kind"]) for row in rows]


def test_fault_50_due_dates_come_in_order_everywhere(
    due: Served, command_line: CommandLine, tmp_path: Path
) -> None:
    rows = keys(command_line("due", "--json").json)
    assert len(rows) > 10
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert len({row[0] for row in rows}) < len(rows)  # some share a day
    # Of one day those come first whose contract, claim or complaint was recorded first.
    recorded = [f"contract:CC-{number}" for number in range(5)] + [
        *("claim:K-2", "claim:K-0", "complaint:X-1", "claim:K-9")
    ]
    assert rows == sorted(rows, key=lambda row: (row[0], recorded.index(row[1])))

    out = tmp_path / "due.csv"
    assert command_line("due", "--out", str(out)).exit_code == 0
    assert keys(list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))) == rows
    assert keys(command_line("due", "--on", "2026-03-01", "--json").json) == rows
    assert keys(due.get("/due?limit=1000").json()) == rows
    assert keys(list(csv.DictReader(io.StringIO(due.get("/due.csv").text)))) == rows
    with visiting(due, "back_office") as desk:
        assert keys(desk.get("/due.json").json()) == [row for row in rows if row[2] != "retention"]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_fault_50_pages_follow_the_same_order_through_ties(due: Served, limit: int) -> None:
    whole = due.get("/due?limit=1000").json()
    paged, url = [], f"/due?limit={limit}"
    while url:
        page = due.get(url)
        paged += page.json()
        url = page.links.get("next", {}).get("url", "")
    assert paged == whole


def test_fault_50_until_when_records_are_kept_comes_by_date_too(
    due: Served, command_line: CommandLine
) -> None:
    for number in (0, 3, 1):
        annulled = {"contract": f"CC-{number}", "received_on": "2026-02-20", "channel": "email"}
        assert send(due.wiring, "GiveNotice", annulled).status == "recorded"
    due.wiring.sweep(due.wiring.now())
    rows = command_line("due", "--kind", "retention", "--json").json
    assert [row["due_on"] for row in rows] == sorted(row["due_on"] for row in rows)


@pytest.mark.usefixtures("due")
def test_fault_50_a_contract_and_a_claim_show_theirs_in_order(command_line: CommandLine) -> None:
    for words in (("contract", "show", "CC-0"), ("claim", "show", "K-0")):
        told = command_line(*words, "--json").json["due"]
        assert [row["due_on"] for row in told] == sorted(row["due_on"] for row in told)
