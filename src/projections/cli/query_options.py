"""Options that questions share, and how a command reads: which time it stands for, which rows are wanted."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar

import click

from ledger.app import App
from ledger.cli.options import DAY, REASON, access, actor_option, opened
from ledger.cli.output import note
from ledger.errors import Rejected
from ledger.feed.reader import Cursor, present_epoch
from ledger.privacy.access import Access, Opening
from ledger.store.pool import Connection
from projections.maintenance.status import parked
from projections.queries.reader import (
    NOTHING,
    SNAPSHOT,
    NothingKnown,
    Reader,
    is_over,
    known_end,
    position_as_of,
    read_as_of,
)

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")

EMPTY_OK = f"{__name__}.empty_ok"
"""Where the context of a command keeps whether `--empty-ok` was given."""

_as_of = click.option(
    "--as-of",
    "as_of",
    metavar="POSITION|INSTANT|DATE",
    help=(
        "As known then: at a position of the feed, at an instant with its offset, or by the end of a day."
        " The answer never changes, whatever is corrected later."
    ),
)

_empty_ok = click.option(
    "--empty-ok",
    is_flag=True,
    expose_value=False,
    callback=lambda context, _option, given: context.meta.__setitem__(EMPTY_OK, given),
    help="With --as-of: also answer for a time before the first record, with nothing.",
)


def as_of_option(command: F) -> F:
    """Add `--as-of`, and `--empty-ok`, which `empty_ok` tells of."""
    return _as_of(_empty_ok(command))


def empty_ok() -> bool:
    """Whether the command that runs may answer for a time at which nothing was known."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(EMPTY_OK))


on_option = click.option(
    "--on",
    type=DAY,
    metavar="DATE",
    help="As the business stood on that date, by what is known now (or at --as-of), corrections included.",
)


def time_options(command: F) -> F:
    """Add `--on` and `--as-of`."""
    return on_option(as_of_option(command))


def names_options(what: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Add `--names`, `--reason` and `--actor`, passed on as `access`: None unless names are asked for.

    `what`: the command, as the access log calls it.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def run(*args: object, names: bool, reason: str | None, actor: str, **given: object) -> R:
            return command(*args, access=_access(what, actor, reason, names=names), **given)

        named = click.option("--names", is_flag=True, help="Open personal values; the access log says so.")
        why = click.option(
            "--reason", type=REASON, metavar="TEXT", help="Why names are opened; kept, so name nobody in it."
        )
        return named(why(actor_option(run)))

    return add


def _access(what: str, actor: str, reason: str | None, *, names: bool) -> Access | None:
    if names and reason is None:
        message = "--names opens personal values, which is written down: say why with --reason."
        raise click.UsageError(message)
    if reason is not None and not names:
        message = "--reason says why names are opened: give --names as well, or leave it out."
        raise click.UsageError(message)
    return None if reason is None else access(actor, what, reason)


@contextmanager
def reading(
    book: str,
    views: Sequence[str],
    *,
    as_of: str | None = None,
    on: date | None = None,
    access: Access | None = None,
) -> Iterator[Reader]:
    """Yield a reader of these views, caught up; of no view: of the feed alone.

    `access`: who opens personal values, and why; None: they stay sealed.

    Raises `UsageError` for an `as_of` that says no time, `Rejected` for one at which nothing was known yet.
    """
    asked = None if as_of is None else read_as_of(as_of)
    # On a date, the registers say which streams belong to a contract.
    wanted = tuple(dict.fromkeys((*views, *(() if on is None else ("claims", "complaints")))))
    with opened(book) as wiring:
        if wanted:
            wiring.catch_up(*wanted)
        else:
            wiring.seal()
        with wiring.pool.transaction() as connection:
            # One answer takes several queries: no view may be rebuilt between two of them.
            with connection.cursor() as cursor:
                cursor.execute(SNAPSHOT)
            _warn_of_parked(connection, book, wanted)
            end = known_end(connection, book, wanted)
            try:
                position = position_as_of(connection, book, asked, end, empty_ok=empty_ok())
            except NothingKnown as error:
                message = f"{error} With --empty-ok the answer is given, with nothing in it."
                raise Rejected(message) from error
            _warn_of_more(connection, book, asked, position)
            yield Reader(connection, book, position, on, _opening(wiring, access))
            if end == NOTHING:
                note(f"Book {book!r} is empty: nothing has been recorded in it yet.")


def _opening(wiring: App, access: Access | None) -> Opening | None:
    """Make what opens personal values; the master key is read only then."""
    if access is None:
        return None

    return Opening(wiring.pool, wiring.store.subject_keys, wiring.book, access)


def _warn_of_more(connection: Connection, book: str, asked: Cursor | datetime | None, position: int) -> None:
    """Warn when more may yet be sealed by the instant asked for, so that the answer can change."""
    if isinstance(asked, datetime) and not is_over(connection, asked):
        kept = Cursor(present_epoch(connection, book), position)
        stays = "" if position == NOTHING else f"; --as-of {kept} prints this answer for ever"
        note(f"{asked.isoformat()} is not over yet: what is sealed until then will show as well{stays}.")


def _warn_of_parked(connection: Connection, book: str, views: Sequence[str]) -> None:
    """Warn when a view had to leave events out, for what it shows may then be wrong."""
    for name, count in parked(connection, book).items():
        if name in views:
            note(
                f"Warning: {count} events could not be folded into {name}, so it may be wrong:"
                f" coverledger projections parked {name} says why; once that is mended,"
                f" coverledger projections replay-parked {name}."
            )
