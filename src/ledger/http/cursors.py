"""Where a reader of the feed goes on, and which types it wants, as addresses and headers say it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from time import monotonic
from typing import Final

from ledger.domain.events import EVENT_TYPES
from ledger.feed.epochs import (
    FIRST_EPOCH,
    BeyondTheEnd,
    Cursor,
    EpochsPart,
    EpochUnknown,
    NotACursor,
    check_place,
    present_epoch,
)
from ledger.feed.publishing.schemas import published_types
from ledger.http.problems import Problem
from ledger.store.pool import Pool

CURSOR: Final = r"^([1-9][0-9]{0,8}:)?(-1|0|[1-9][0-9]{0,17})$"
"""As the OpenAPI document describes a cursor."""

EPOCH_SECONDS: Final = 1.0
"""So long the present epoch is believed: a new one begins where the log was put back."""


class PresentEpoch:
    """The epoch of whatever is handed out. Threads may share it.

    For a moment after a new one has begun the one before may be named: whoever goes on from there is told to
    read again, and misses nothing.
    """

    def __init__(self, pool: Pool, book: str) -> None:
        """Look through `pool`."""
        self._pool = pool
        self._book = book
        self._known: tuple[float, int] = (0.0, FIRST_EPOCH)

    @property
    def known(self) -> int | None:
        """The epoch as it was found a moment ago; None: longer ago."""
        until, epoch = self._known
        return epoch if monotonic() < until else None

    def look(self) -> int:
        """Give the epoch, from the database where it is not known."""
        known = self.known
        if known is None:
            with self._pool.connection() as connection:
                known = present_epoch(connection, self._book)
            self._known = (monotonic() + EPOCH_SECONDS, known)
        return known


def read_cursor(name: str, text: str) -> Cursor:
    """Read a cursor that the parameter `name` holds; a bare position is one of the first epoch.

    Raises Problem.
    """
    try:
        return Cursor.parse(text)
    except NotACursor as error:
        raise Problem("INVALID", f"{name}: {error}.") from error


@contextmanager
def places(name: str) -> Iterator[None]:
    """Say as problems why a reader cannot go on after the cursor that the parameter `name` holds."""
    try:
        yield
    except EpochsPart as error:
        raise Problem("CURSOR_GONE", f"{name}: {error}.", again_after=str(error.again)) from error
    except EpochUnknown as error:
        raise Problem("CURSOR_GONE", f"{name}: {error}.") from error
    except BeyondTheEnd as error:
        raise Problem("INVALID", f"{name}: {error}.") from error


def check_after(pool: Pool, book: str, cursor: Cursor) -> int:
    """Make sure that a reader of the feed may go on there; gives the present epoch. Raises Problem."""
    with places("after"), pool.connection() as connection:
        return check_place(connection, book, cursor)


class Wanted:
    """The event types that a reader wants: by their names, or as CloudEvents call them; none named: all."""

    def __init__(self, said: Collection[str], type_prefix: str) -> None:
        """`said`: each a type, or several with commas between. Raises Problem for one that does not exist.

        `type_prefix`: of the book's CloudEvents.
        """
        types = [name for part in said for name in part.split(",") if name]
        known = {*EVENT_TYPES, *published_types(type_prefix)}
        for name in types:
            if name not in known:
                near = get_close_matches(name, known, n=1, cutoff=0.0)
                message = f"types: there is no event type {name[:80]!r}; did you mean {near[0]}?"
                raise Problem("INVALID", message)
        self._types = frozenset(types)
        self._type_prefix = type_prefix

    @property
    def names(self) -> frozenset[str] | None:
        """Stable names to ask the database for; None: all."""
        if not self._types:
            return None
        return frozenset(
            name.removeprefix(f"{self._type_prefix}.").rpartition(".v")[0]
            if name not in EVENT_TYPES
            else name
            for name in self._types
        )

    def take(self, name: str, published: str) -> bool:
        """Say whether an event is wanted."""
        return not self._types or name in self._types or published in self._types
