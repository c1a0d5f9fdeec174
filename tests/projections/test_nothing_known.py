"""An answer for a time before the first record is none: it says so, and writes no file."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from coverledger.__main__ import program
from fixtures.desk import claim, contract, send
from fixtures.program import CommandLine
from fixtures.served import Served
from fixtures.visited import visiting
from ledger.app import App

BEFORE = ("1999-12-31", "1950-01-01T00:00:00+01:00")
ARGUMENTS = {"number": "CC-1", "month": "2026-02"}


def commands_as_of(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that takes `--as-of`, with the arguments that it needs."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from commands_as_of(command, (*path, name))
            elif any(parameter.name == "as_of" for parameter in command.params):
                given = (p for p in command.params if isinstance(p, click.Argument))
                yield (*path, name, *(ARGUMENTS[str(parameter.name)] for parameter in given))


AS_OF = list(commands_as_of(program()))


def test_fault_21_the_walk_meets_every_command_that_looks_back() -> None:
    assert len(AS_OF) > 15
    assert {("due",), ("report", "bordereau", "2026-02"), ("replay", "CC-1"), ("today",)} <= set(AS_OF)


@pytest.fixture
def line(wiring: App, command_line: CommandLine) -> CommandLine:
    for name, fields in (("StartContract", contract()), ("OpenClaim", claim())):
        assert send(wiring, name, fields).status == "recorded"
    wiring.catch_up()
    return command_line


@pytest.mark.slow
def test_fault_21_every_command_refuses_a_time_before_the_first_record(
    line: CommandLine, tmp_path: Path
) -> None:
    for number, words in enumerate(AS_OF):
        as_of = BEFORE[number % 2]
        typed = line(*words, "--as-of", as_of, *(("--json",) if number % 3 else ()))
        assert (typed.exit_code, typed.out) == (1, ""), (words, typed)
        assert typed.err.startswith("Error: Nothing was known before 20"), (words, typed)
        assert len(typed.err.splitlines()) == 1
    out = tmp_path / "rows.csv"
    for words in (("report", "refunds"), ("due",), ("claim", "list"), ("limits",)):
        assert line(*words, "--as-of", BEFORE[0], "--out", str(out)).exit_code == 1
        assert not out.exists()
        assert line(*words, "--as-of", BEFORE[0], "--out", str(out), "--empty-ok").exit_code == 0
        assert len(out.read_text(encoding="utf-8").splitlines()) == 1
        out.unlink()
    assert line("due", "--as-of", BEFORE[0], "--empty-ok", "--json").json == []
    # What was known is still told, however little.
    assert line("contract", "list", "--as-of", "0", "--json").json[0]["contract"] == "CC-1"


def test_fault_21_a_book_in_which_nothing_happened_says_so(command_line: CommandLine, tmp_path: Path) -> None:
    shown = command_line("contract", "list")
    assert (shown.exit_code, shown.out) == (0, "")
    assert "is empty: nothing has been recorded in it yet" in shown.err
    assert command_line("limits", "--json").json == []
    asked = command_line("report", "payments", "--as-of", "2026-01-01", "--out", str(tmp_path / "a.csv"))
    assert asked.exit_code == 1
    assert "Nothing is known yet: book 'cyber-care' has no record." in asked.err
    assert list(tmp_path.glob("*.csv")) == []


def test_fault_21_over_http_it_is_a_problem_with_a_code(served: Served) -> None:
    served.command("StartContract", contract())
    served.wiring.catch_up()
    operations = served.app.openapi()["paths"]
    asked = 0
    for path, methods in operations.items():
        named = {parameter["name"] for parameter in methods.get("get", {}).get("parameters", ())}
        if "as_of" not in named:
            continue
        address = path.replace("{book}", served.wiring.book).replace("{number}", "CC-1")
        told = served.get(address, params={"as_of": BEFORE[asked % 2]}, headers={"Access-Reason": "asked"})
        assert (told.status_code, told.json()["code"]) == (404, "NOTHING_KNOWN"), (address, told.text)
        assert told.json()["detail"].startswith("Nothing was known before 20")
        assert "404" in methods["get"]["responses"]
        asked += 1
    assert asked > 30


def test_fault_21_on_the_site_it_is_a_sentence(served: Served) -> None:
    served.command("StartContract", contract())
    served.wiring.catch_up()
    with visiting(served, "admin") as admin:
        for path in ("/", "/contracts", "/contracts/CC-1", "/due", "/reports", "/reports/refunds"):
            shown = admin.get(path, params={"as_of": BEFORE[0]})
            assert (shown.status_code, "Nothing was known before" in shown.text) == (404, True), path
        dutch = admin.get("/claims", params={"as_of": BEFORE[1]}, headers={"Accept-Language": "nl"})
        assert "was er niets bekend" in dutch.text
        for path in ("/due.json", "/reports/refunds.csv"):
            told = admin.get(path, params={"as_of": BEFORE[0]})
            assert told.status_code == 404, path
        assert admin.get("/due.json", params={"as_of": BEFORE[0]}).json()["code"] == "NOTHING_KNOWN"
