"""What the program is made of, by the names that are stored and shown; and a ledger with nothing above it."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from coverledger.__main__ import program
from coverledger.composition import compose
from fixtures.database import Database
from fixtures.desk import contract, send
from fixtures.program import environment_for, settings_of
from ledger.app import BookParts, Serving, opened
from ledger.config import Settings
from ledger.registry import Registry
from projections.views.registry import VIEWS

NAMES_OF_BEFORE = {
    *("limits", "due", "contracts", "claims", "complaints", "refunds", "payments", "reserves", "timeline"),
    "bordereau",
}


def test_followers_and_checks_bear_the_names_under_which_they_are_stored_and_reported() -> None:
    parts = BookParts.of(compose().adds_parts)

    assert set(VIEWS) >= NAMES_OF_BEFORE
    assert set(parts.followers) == {*VIEWS, "directory", "diary", "letters", "retention"}
    assert set(parts.view_checks) == {*VIEWS, "directory", "diary", "retention"}


def test_services_bear_the_names_under_which_they_are_watched() -> None:
    assert set(Serving.of(compose().adds_serving).services) == {
        *("views", "rebuilding", "cancellation", "figures", "http", "subscriptions"),
        *("diary", "clockwork", "post", "digest", "operator", "heads"),
    }


def verbs() -> list[str]:
    return sorted(compose().verbs)


@pytest.mark.parametrize("name", verbs())
def test_a_verb_is_there_under_the_name_that_the_list_of_all_gives_it(name: str) -> None:
    whole = program()
    assert isinstance(whole, click.Group)
    verb = whole.get_command(click.Context(whole), name)

    assert verb is not None
    assert not isinstance(verb, click.Group) or verb.commands
    assert compose().verbs[name].summary.endswith(".")


def test_a_ledger_with_nothing_above_it_takes_commands(database: Database, tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home", **settings_of(database))
    with opened("cyber-care", Registry(), settings) as app:
        send(app, "StartContract", contract("CC-1"))

        assert app.seal() == 1
        assert app.followers == app.services == {}


def test_the_program_runs_as_a_module(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "coverledger", "--version"],
        check=True,
        capture_output=True,
        text=True,
        env=environment_for(tmp_path),
    )
    assert ended.stdout.startswith("coverledger, version ")


SERVING_ALONE = {"fastapi", "uvicorn", "apscheduler", "aiohttp", "jinja2"}


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--version"], SERVING_ALONE | {"pydantic", "psycopg2", "eventsourcing", "rich"}),
        (["verify", "--help"], SERVING_ALONE),
        (["contract", "list", "--help"], SERVING_ALONE),
        (["submit", "--help"], SERVING_ALONE),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_verb_waits_for_nothing_that_only_serving_needs(
    words: list[str], heavy: set[str], tmp_path: Path
) -> None:
    script = (
        f"import sys; from coverledger.__main__ import run; run({words}); print({heavy} & set(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env=environment_for(tmp_path),
    )
    assert ended.stdout.splitlines()[-1] == "set()"
