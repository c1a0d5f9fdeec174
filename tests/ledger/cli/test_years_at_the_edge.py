"""Dates and instants at the calendar's edge are refused in one line wherever one is taken."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from coverledger.__main__ import program
from fixtures.desk import claim, contract
from fixtures.program import CommandLine
from fixtures.served import Served
from fixtures.visited import visiting
from ledger.domain.command import read_date, read_instant
from ledger.domain.refusals import Invalid
from ledger.domain.registry import COMMANDS, read_command
from ledger.http.openapi import command_schema, example
from ledger.imports.lines import Malformed, instant

INSTANTS = (
    "9999-12-31T23:59:59+00:00",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+13:00",
    "0001-01-01T00:00:00-13:00",
    "1899-12-31T23:59:59Z",
    "1900-01-01T00:00:00+13:00",
    "2199-12-31T23:30:00Z",
    "2200-01-01T00:00:00+01:00",
    "0000-01-01T00:00:00Z",
    "-001-01-01T00:00:00Z",
    "12026-01-01T00:00:00Z",
    "+02026-01-01T00:00:00Z",
    "2026-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:01Z",
    "2026-01-01T00:00:00+99:99",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00",
    "\uff12\uff10\uff12\uff16-01-01T00:00:00Z",
)
DATES = (
    "9999-12-31",
    "0001-01-01",
    "1899-12-31",
    "2200-01-01",
    "0000-01-01",
    "-001-01-01",
    "12026-01-01",
    "2026-02-30",
    "2027-02-29",
    "20260101",
    "2026-W01-1",
    "٢٠٢٦-01-01",
)
GOOD_INSTANTS = ("1900-01-02T00:00:00Z", "2199-12-31T00:00:00+01:00", "2026-01-01T00:00:00+14:00")


@pytest.mark.parametrize("text", INSTANTS)
def test_fault_30_an_instant_at_the_edge_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"instant|years|offset"):
        read_instant(text)
    with pytest.raises(Malformed, match=r"^at: "):
        instant(text)


@pytest.mark.parametrize("text", DATES)
def test_fault_30_a_date_at_the_edge_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|years|day"):
        read_date(text)


def test_fault_30_what_lies_within_the_years_is_taken() -> None:
    for text in GOOD_INSTANTS:
        assert read_instant(text).tzinfo
        assert instant(text).tzinfo is UTC
    assert [read_date(day).year for day in ("1900-01-01", "2199-12-31")] == [1900, 2199]
    assert read_instant("2026-01-01t00:00:00.123456789z") == datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)


def date_fields(schema: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """The fields of a command that take a date, and whether they take an instant too."""
    for name, part in schema["properties"].items():
        shapes = [part, *part.get("anyOf", ())]
        shapes += [inner for shape in shapes for inner in shape.get("anyOf", ())]
        formats = {shape.get("format") for shape in shapes}
        if formats & {"date", "date-time"}:
            yield name, "date-time" in formats


FIELDS = [(name, *field) for name in COMMANDS for field in date_fields(command_schema(name)[0])]


def test_fault_30_the_walk_meets_every_field() -> None:
    named = {(name, field) for name, field, _ in FIELDS}
    assert len(FIELDS) > 15
    assert {("StartContract", "starts_on"), ("OpenClaim", "occurred_at"), ("AnswerComplaint", "on")} <= named


@pytest.mark.parametrize(("name", "field", "takes_instants"), FIELDS)
def test_fault_30_no_field_of_a_command_takes_it(name: str, field: str, takes_instants: bool) -> None:  # noqa: FBT001  # a table's column
    for text in (*DATES, *(INSTANTS if takes_instants else ())):
        with pytest.raises(Invalid, match=f"{field}: "):
            read_command(name, example(name) | {field: text})


def options(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from options(command, (*path, name))
            else:
                yield from (((*path, name), parameter) for parameter in command.params)


def test_fault_30_no_option_of_the_command_line_takes_it() -> None:
    tried: set[str] = set()
    for path, parameter in options(program()):
        kind = parameter.type.name
        wrong = {
            "date": DATES,
            "instant": INSTANTS,
            "moment": DATES + INSTANTS,
            "month": ("9999-12", "0001-01", "1899-12", "2200-01", "0000-01", "12026-01"),
        }.get(kind, ())
        for text in wrong:
            with pytest.raises(click.BadParameter) as raised:
                parameter.type.convert(text, parameter, None)
            assert "\n" not in raised.value.message, (path, parameter.name)
        tried |= {kind} if wrong else set()
    assert tried == {"date", "instant", "moment", "month"}


def test_fault_30_the_command_line_says_it_in_a_line(command_line: CommandLine) -> None:
    given = (
        ("submit", "StartContract", json.dumps(contract("C", "9999-12-31"))),
        ("submit", "OpenClaim", json.dumps(claim(occurred_at=INSTANTS[2]))),
        ("submit", "StartContract", json.dumps(contract("C")), "--at", INSTANTS[0]),
        ("claim", "show", "K-1", "--as-of", INSTANTS[1]),
        ("due", "--as-of", "9999-12-31"),
        ("due", "--on", "0001-01-01"),
        ("due", "--before", "9999-12-31"),
        ("report", "bordereau", "9999-12"),
        ("report", "guarantees", "--year", "9999"),
        ("deadlines", "sweep", "--until", "9999-12-31"),
        ("simulate", "--until", "9999-12-31"),
    )
    for words in given:
        typed = command_line(*words)
        assert (typed.exit_code, typed.out, len(typed.err.splitlines())) == (2, "", 1), (words, typed)


@pytest.mark.parametrize("text", [INSTANTS[0], INSTANTS[2], "2026-12-31T23:59:60Z", "9999-12-31"])
def test_fault_30_an_import_names_the_line(bare_line: CommandLine, tmp_path: Path, text: str) -> None:
    good = {
        "command_id": "1",
        "command": "StartContract",
        "at": "2026-01-01T00:00:00Z",
        "data": contract("C"),
    }
    lines = [
        good,
        good | {"command_id": "2", "at": text},
        good | {"command_id": "3", "command": "OpenClaim", "data": claim(occurred_at=text)},
        good | {"command_id": "4", "data": contract("D", text)},
    ]
    file = tmp_path / "book.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    typed = bare_line("import", str(file))
    assert typed.exit_code == 2
    assert [line.split(":")[0] for line in typed.err.splitlines()[:3]] == ["line 2", "line 3", "line 4"]
    assert "Traceback" not in typed.err
    rows = tmp_path / "StartContract.csv"
    header = "command_id,at,contract,product,starts_on,policyholder.person,policyholder.name\n"
    rows.write_text(
        f"{header}1,2026-01-01T00:00:00Z,C,cyber-care,{text},P,N\n2,{text},D,cyber-care,2026-01-01,P,N\n",
        encoding="utf-8",
    )
    typed = bare_line("import", str(rows))
    assert typed.exit_code == 2
    assert [line.split(":")[0] for line in typed.err.splitlines()[:2]] == ["line 2", "line 3"]


def test_fault_30_over_http_it_is_422(served: Served) -> None:
    refused = 0
    for name, field, takes_instants in FIELDS:
        for text in (DATES[0], *(INSTANTS[:4] if takes_instants else ())):
            told = served.command(name, example(name) | {field: text}, f"{name}-{field}-{text}")
            assert (told.status_code, told.json()["code"]) == (422, "INVALID"), (name, field, text)
            refused += 1
    assert refused > 20
    for text in INSTANTS:
        told = served.command("StartContract", contract("C"), "at", params={"at": text})
        assert (told.status_code, told.json()["code"]) == (422, "INVALID"), text


@pytest.mark.slow
def test_fault_30_no_parameter_of_a_route_takes_it(served: Served) -> None:
    tried: set[str] = set()
    wrong = {"on": DATES, "before": DATES, "since": DATES, "as_of": DATES + INSTANTS}
    wrong |= {"month": ("9999-12", "0001-01", "0000-01"), "year": ("9999", "0", "99999")}
    for path, methods in served.app.openapi()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", ()):
            name = parameter["name"]
            address = path.replace("{book}", served.wiring.book).replace("{number}", "CC-1")
            for text in wrong.get(name, ())[:: 1 if name not in tried else 5]:
                if name == "as_of" and text.isdigit():
                    continue  # It is a position.
                told = served.get(address, params={name: text}, headers={"Access-Reason": "asked"})
                assert (told.status_code, told.json()["code"]) == (422, "INVALID"), (address, name, text)
            tried |= {name} & wrong.keys()
    assert tried == set(wrong)


@pytest.mark.slow
def test_fault_30_the_site_says_it_on_its_pages_and_forms(served: Served) -> None:
    served.command("StartContract", contract("CC-1", "2025-01-01"))
    served.wiring.catch_up()
    with visiting(served, "back_office") as desk:
        for path in ("/", "/contracts", "/claims", "/due", "/due/calendar", "/retention", "/reports"):
            for name in ("as_of", "on", "before", "from", "until", "month"):
                for text in ("9999-12-31", "0001-01-01", "9999-12", INSTANTS[0], INSTANTS[2], "20260101"):
                    shown = desk.get(path, params={name: text})
                    assert shown.status_code in {200, 400, 422}, (path, name, text)
        for text in ("9999-12-31", "0001-01-01", "2026-02-30"):
            refused = desk.send("/contracts/CC-1", "GiveNotice", received_on=text, channel="email")
            assert refused.status_code == 422, text
