"""Where a reader of the feed goes on, and which types it wants, as addresses and headers say it."""

from collections.abc import Collection
from difflib import get_close_matches

from ledger.domain.events import EVENT_TYPES
from ledger.feed.epochs import Cursor, EpochsPart, EpochUnknown, NotACursor, check_cursor
from ledger.feed.publishing.cloud_events import TYPE_PREFIX
from ledger.feed.publishing.schemas import published_types
from ledger.http.problems import Problem
from ledger.store.epochs import select_epochs
from ledger.store.pool import Pool

FIRST_EPOCH = 1


def written(epoch: int, position: int) -> str:
    """Write a cursor: the position alone in the first epoch, `EPOCH:POSITION` once the log was put back."""
    return str(position) if epoch == FIRST_EPOCH else f"{epoch}:{position}"


def read_cursor(text: str, *, bare_epoch: int | None = None) -> Cursor:
    """Read a cursor. `bare_epoch`: what a bare position stands for. Raises Problem."""
    try:
        cursor = Cursor.parse(text)
    except NotACursor as error:
        raise Problem("INVALID", f"after: {error}.") from error
    return cursor if cursor.epoch is not None else Cursor(bare_epoch, cursor.position)


def check_epoch(pool: Pool, book: str, cursor: Cursor) -> int:
    """Make sure that what was read up to a cursor still stands; gives the present epoch. Raises Problem."""
    with pool.connection() as connection:
        epochs = select_epochs(connection, book)
    try:
        check_cursor(cursor, epochs)
    except EpochsPart as error:
        raise Problem("CURSOR_GONE", f"{error}.", again_after=str(error.again)) from error
    except EpochUnknown as error:
        raise Problem("CURSOR_GONE", f"{error}.") from error
    return epochs[-1].epoch


class Wanted:
    """The event types that a reader wants: by their names, or as CloudEvents call them; none named: all."""

    def __init__(self, said: Collection[str]) -> None:
        """`said`: each a type, or several with commas between. Raises Problem for one that does not exist."""
        types = [name for part in said for name in part.split(",") if name]
        known = {*EVENT_TYPES, *published_types()}
        for name in types:
            if name not in known:
                near = get_close_matches(name, known, n=1, cutoff=0.0)
                message = f"types: there is no event type {name[:80]!r}; did you mean {near[0]}?"
                raise Problem("INVALID", message)
        self._types = frozenset(types)

    @property
    def names(self) -> frozenset[str] | None:
        """Stable names to ask the database for; None: all."""
        if not self._types:
            return None
        return frozenset(
            name.removeprefix(f"{TYPE_PREFIX}.").rpartition(".v")[0] if name not in EVENT_TYPES else name
            for name in self._types
        )

    def take(self, name: str, published: str) -> bool:
        """Say whether an event is wanted."""
        return not self._types or name in self._types or published in self._types
