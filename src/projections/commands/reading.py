"""How a command reads: the book is opened, its views brought up to the feed's end, one position taken."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

from ledger.cli.options import opened
from ledger.cli.output import note
from ledger.errors import Rejected
from projections.commands.options import empty_ok

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.feed.reader import Cursor
    from ledger.privacy.access import Access, Opening
    from ledger.store.pool import Connection
    from projections.asking.reader import Reader


@contextmanager
def reading(
    book: str,
    views: Sequence[str],
    *,
    as_of: str | None = None,
    on: date | None = None,
    access: "Access | None" = None,
) -> Iterator["Reader"]:
    """Give a reader of these views, caught up; of no view: of the feed alone.

    `access`: who opens personal values, and why; None: they stay sealed.

    Raises `UsageError` for an `as_of` that says no time, `Rejected` for one at which nothing was known yet.
    """
    from projections.asking.positions import NOTHING, NothingKnown, known_end, position_as_of, read_as_of  # noqa: PLC0415  # loaded when it runs
    from projections.asking.reader import SNAPSHOT, Reader  # noqa: PLC0415  # as above

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


def _opening(wiring: "App", access: "Access | None") -> "Opening | None":
    """Make what opens personal values; the master key is read only then."""
    if access is None:
        return None
    from ledger.privacy.access import Opening  # noqa: PLC0415  # loaded when it runs

    return Opening(wiring.pool, wiring.store.subject_keys, wiring.book, access)


def _warn_of_more(
    connection: "Connection", book: str, asked: "Cursor | datetime | None", position: int
) -> None:
    """Say on stderr when more may yet be sealed by the instant asked for, so that the answer can change."""
    from ledger.feed.reader import Cursor, present_epoch  # noqa: PLC0415  # loaded when it runs
    from projections.asking.positions import NOTHING, is_over  # noqa: PLC0415  # as above

    if isinstance(asked, datetime) and not is_over(connection, asked):
        kept = Cursor(present_epoch(connection, book), position)
        stays = "" if position == NOTHING else f"; --as-of {kept} prints this answer for ever"
        note(f"{asked.isoformat()} is not over yet: what is sealed until then will show as well{stays}.")


def _warn_of_parked(connection: "Connection", book: str, views: Sequence[str]) -> None:
    """Say on stderr when a view had to leave events out, for what it shows may then be wrong."""
    from projections.upkeep.standing import parked  # noqa: PLC0415  # loaded when it runs

    for name, count in parked(connection, book).items():
        if name in views:
            note(
                f"Warning: {count} events could not be folded into {name}, so it may be wrong:"
                f" coverledger projections parked {name} says why; once that is mended,"
                f" coverledger projections replay-parked {name}."
            )
