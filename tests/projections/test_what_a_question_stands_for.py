"""Times that are no times, instants that are not over, and views that change while a question is asked."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import click
import pytest
from recorded_book import RecordedBook
from typed import Typed

from coverledger.composition import compose
from fixtures.desk import contract, send
from ledger.app import App
from projections.cli.query_options import reading
from projections.listing import Filters
from projections.queries.questions import list_limits, show_contract

QUESTIONS = (
    ("limits",),
    ("due",),
    ("contract", "show", "CC-1"),
    ("contract", "list"),
    ("contract", "history", "CC-1"),
    ("claim", "show", "K-1"),
    ("claim", "list"),
    ("claim", "history", "K-1"),
    ("complaint", "show", "X-1"),
    ("complaint", "list"),
    ("complaint", "history", "X-1"),
    ("replay", "CC-1"),
)
SUNDAY = "2026-03-01T09:00:00+01:00"
NO_TIMES = (
    ("--as-of", "soon"),
    ("--as-of", "-1"),
    ("--as-of", "2026-02-30"),
    ("--as-of", "2026-03-01T09:00:00"),
    ("--as-of", "9" * 30),
    ("--on", "4711"),
    ("--on", "20260301"),
    ("--on", SUNDAY),
)


@pytest.fixture
def recorded(typed: Typed, wiring: App) -> RecordedBook:
    """A book with one contract, which the command line reads as well."""
    send(wiring, "StartContract", contract("CC-1", "2026-01-01"), SUNDAY)
    assert typed.run("limits").code == 0
    return RecordedBook(wiring)


def test_a_time_that_is_none_is_refused_in_one_line_that_says_what_to_write(typed: Typed) -> None:
    for question, (option, said) in product(QUESTIONS, NO_TIMES):
        ended = typed.run(*question, option, said)
        assert (ended.code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
        assert re.search("202[56]-03-01", ended.stderr)


def test_a_position_that_is_not_there_yet_is_refused_by_every_question(typed: Typed) -> None:
    for question in QUESTIONS:
        ended = typed.run(*question, "--as-of", "4711")
        assert (ended.code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
        assert "the feed is empty" in ended.stderr


def test_an_instant_that_is_not_over_is_answered_with_a_word_of_warning(
    typed: Typed, recorded: RecordedBook
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for said in (tomorrow.isoformat(), tomorrow.date().isoformat()):
        ended = typed.run("limits", "--as-of", said, "--json")
        assert (ended.code, ended.stdout) == (0, typed.run("limits", "--json").stdout)
        assert "is not over yet" in ended.stderr
        assert f"--as-of {recorded.end()}" in ended.stderr
    for said in (datetime.now(UTC).isoformat(), "2020-01-01", str(recorded.end())):
        assert "not over" not in typed.run("limits", "--as-of", said).stderr


def test_a_view_that_is_dropped_while_a_question_is_asked_does_not_go_missing_from_its_answer(
    recorded: RecordedBook,
) -> None:
    verb = click.Context(click.Command("show"), obj=compose())
    with verb, reading(recorded.book, ("contracts", "limits", "due", "claims", "complaints")) as reader:
        before = show_contract(reader, "CC-1")
        assert recorded.runner("limits").start_over()
        assert show_contract(reader, "CC-1") == before
        assert len(list_limits(reader, Filters())) == 4
