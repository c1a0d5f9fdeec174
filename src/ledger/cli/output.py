"""Printing: data to stdout, messages to stderr; tables for people, JSON for programs."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Protocol, TextIO

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ledger.cli.options import is_interactive

PIPE_WIDTH = 200
"""Columns of a table that is written into a pipe, so that no value is folded."""


def note(message: str) -> None:
    """Print a note to the person, on stderr."""
    click.echo(message, err=True)


def print_json(value: object) -> None:
    """Print one JSON value, an array or an object, in one go."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=None if not sys.stdout.isatty() else 2))


def print_json_line(value: Mapping[str, object]) -> None:
    """Print one object on a line of its own (JSON Lines)."""
    click.echo(json.dumps(value, ensure_ascii=False))


def discard_output() -> None:
    """Discard what is still written to stdout: its reader went away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def has_no_window(stream: TextIO | None = None) -> bool:
    """Return whether a stream (stdout unless named) goes into a pipe or a file, where no width is given."""
    return not (stream or sys.stdout).isatty() and "COLUMNS" not in os.environ


def console(*, stderr: bool = False) -> Console:
    """Return a rich console that keeps to NO_COLOR and to what the stream is."""
    stream = sys.stderr if stderr else sys.stdout
    width = PIPE_WIDTH if has_no_window(stream) else None
    return Console(file=stream, width=width, soft_wrap=False, highlight=False)


def print_table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """Print a table for people; None is shown as an empty cell, numbers stand to the right.

    The first column names its row and stands on one line; what does not fit beside it is folded, never cut.
    """
    kept = list(rows)
    table = Table(title=title, box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        numbers = any(isinstance(row[index], int) for row in kept)
        table.add_column(header, justify="right" if numbers else "left", no_wrap=index == 0, overflow="fold")
    for row in kept:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console().print(table)


REDRAW_SECONDS = 0.1


class Reach(Protocol):
    """Something that is told how far a work has come."""

    def reach(self, done: int, total: int | None = None) -> None:
        """Report how many are done; `total`: of how many, where that was not known before."""


class _Silence:
    def reach(self, done: int, total: int | None = None) -> None:
        """Report nothing: nobody watches."""


class _Bar:
    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown, self._task = shown, task
        self._drawn = monotonic()
        self._begun = self._drawn

    def reach(self, done: int, total: int | None = None) -> None:
        if total is not None:
            self._shown.update(self._task, total=total)
        now = monotonic()
        if now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            rate = f"{done / (now - self._begun):,.0f}/s"
            self._shown.update(self._task, completed=done, rate=rate)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Reach]:
    """Show a bar with the rate on stderr, to a person only. `total`: None where it is not known."""
    if not is_interactive():
        yield _Silence()
        return

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    if total is not None:
        columns += [MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        yield _Bar(shown, shown.add_task(what, total=total, rate=""))
