"""Options that commands share, and how a command line's words become instants, dates and reasons."""

import inspect
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, TypeVar

import click

from ledger import app
from ledger.app import App
from ledger.domain.command import read_date, read_instant
from ledger.environment import variable
from ledger.errors import UsageError
from ledger.imports.csv_rows import NotAnAmount, cents
from ledger.imports.lines import Malformed, checked_name
from ledger.logging import log_to_stderr
from ledger.privacy.access import Access
from ledger.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_BOOK = "cyber-care"

DEFAULT_ACTOR = "local"

MOST_DIGITS = 14
"""Of an amount in cents."""


def book_option(command: F) -> F:
    """Add `--book`, passed on as `book`."""
    return click.option(
        "--book",
        default=lambda: variable("book") or DEFAULT_BOOK,
        show_default=DEFAULT_BOOK,
        metavar="BOOK",
        help="The book of business.",
    )(command)


def json_option(command: F) -> F:
    """Add `--json`, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def actor_option(command: F) -> F:
    """Add `--actor`, passed on as `actor`."""
    return click.option(
        "--actor",
        default=lambda: variable("actor") or DEFAULT_ACTOR,
        show_default="COVERLEDGER_ACTOR, else local",
        metavar="ID",
        help="Staff id to record commands under; never a name.",
    )(command)


def examples(*lines: str) -> Callable[[F], F]:
    """Show examples at the end of a command's help, one a line, as they are typed."""

    def add(command: F) -> F:
        shown = "\n".join(f"  {line}" for line in lines)
        # \b tells click to leave the line ends of a paragraph alone.
        command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n\b\nExamples:\n{shown}"
        return command

    return add


def composed() -> Registry:
    """Return what the program is composed of that runs this verb; by itself, it is on a ledger alone."""
    return click.get_current_context().find_object(Registry) or Registry()


def opened(book: str, *, creates: bool = False) -> AbstractContextManager[App]:
    """Open the ledger for one command, and close it after.

    `creates`: also make what is missing and migrate. Raises as `ledger.app.opened`.
    """
    log_to_stderr(quiet=True)
    return app.opened(book, composed(), creates=creates)


def is_interactive() -> bool:
    """Return whether a person watches stderr, who would like to see progress."""
    return sys.stderr.isatty()


class Instant(click.ParamType[datetime]):
    """An instant with an offset, `2026-03-01T09:00:00+01:00`."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it; a time without offset is refused, for nobody can say when it was."""
        if isinstance(value, datetime):
            return value

        try:
            return read_instant(str(value))
        except ValueError as error:
            self.fail(f"{value!r} is no instant: it {error}.", param, ctx)


class Day(click.ParamType[date]):
    """A date, `2026-03-01`."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read an ISO date of the years 1900 to 2199 and nothing else."""
        if isinstance(value, date):
            return value

        try:
            return read_date(str(value))
        except ValueError as error:
            self.fail(f"{value!r} is no date: it {error}.", param, ctx)


class MomentType(click.ParamType[str]):
    """An instant with its offset, or a bare date; kept as written (R1 reads it)."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that it is one of the two."""
        text = str(value)
        if len(text) == len("2026-03-01"):
            DAY.convert(text, param, ctx)
        else:
            INSTANT.convert(text, param, ctx)
        return text


class Euro(click.ParamType[int]):
    """An amount of euro as people write it, in cents; an ambiguous one is refused."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it into cents."""
        try:
            return value if isinstance(value, int) else cents(str(value))
        except NotAnAmount as error:
            self.fail(f"{error}.", param, ctx)


class Cents(click.ParamType[int]):
    """Whole cents; a fraction is refused."""

    name = "cents"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read digits and nothing else."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            self.fail(f"{text[:40]!r} is no whole number of cents; write 3000.00 EUR as 300000.", param, ctx)
        return int(text)


INSTANT = Instant()
DAY = Day()
MOMENT = MomentType()
EURO = Euro()
CENTS = Cents()


LONGEST_REASON = 500


class Reason(click.ParamType[str]):
    """Why something is done about a person: a line of words."""

    name = "reason"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it; it is kept for good, so it must say something and be readable."""
        text = str(value).strip()
        if not text or len(text) > LONGEST_REASON or not text.isprintable():
            self.fail(
                f"give 1 to {LONGEST_REASON} characters in one line, without anybody's name.", param, ctx
            )
        return text


REASON = Reason()


def reason_option(command: F) -> F:
    """Add `--reason` and `--actor`."""
    reason = click.option(
        "--reason",
        type=REASON,
        required=True,
        metavar="TEXT",
        help="Why; kept for good, so name nobody in it.",
    )
    return reason(actor_option(command))


def access(who: str, what: str, why: str) -> Access:
    """Put together who does what, and why. Raises `UsageError` for an actor that is none."""
    try:
        return Access(checked_name("--actor", who), what, why)
    except Malformed as error:
        message = f"{error}."
        raise UsageError(message) from None


def instant(value: datetime | None) -> str | None:
    """Write an instant as ISO text, UTC; None stays None."""
    return None if value is None else value.isoformat()
