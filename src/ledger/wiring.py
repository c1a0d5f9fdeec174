"""The composition root: opens one book of the ledger and hands out its parts.

    with opened("cyber-care") as wiring:
        wiring.ledger.submit(...)
        wiring.catch_up("limits")

Used by every command and by `up`. What stands above the ledger (views, diary) comes in through entry
points: group `claims_ledger.followers` (name → factory(wiring) → Follower), `claims_ledger.services`
(name → callable(wiring, stop: threading.Event)), `claims_ledger.sweeps` (name → callable(wiring,
until: datetime) → number of events that time recorded: brings every stream of the book to `until`,
inclusive, whatever the book's clock says).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from importlib.metadata import entry_points
from threading import Event as StopEvent
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.feed.followers import Follower, FollowerRunner
    from ledger.feed.sealer import Sealer
    from ledger.settings import Settings
    from ledger.store.event_store import Books, EventStore
    from ledger.store.keys import MasterKeys
    from ledger.store.loaded import BookRow
    from ledger.store.pool import Pool

FOLLOWERS_GROUP = "claims_ledger.followers"
SERVICES_GROUP = "claims_ledger.services"
SWEEPS_GROUP = "claims_ledger.sweeps"

type_of_service = Callable[["Wiring", StopEvent], None]
type_of_sweep = Callable[["Wiring", datetime], int]


class Wiring:
    """The parts of one book, made when they are first asked for.

    `pool` is the application's (events, views, diary); the sealer has a pool of its own role.
    """

    settings: "Settings"
    book: str
    pool: "Pool"
    sealer_pool: "Pool"
    keys: "MasterKeys"
    store: "EventStore"
    books: "Books"
    ledger: "Ledger"
    sealer: "Sealer"

    def book_row(self) -> "BookRow":
        """Read the book's row: its kind, its clock, its open import."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The database's time, UTC."""
        raise NotImplementedError

    def followers(self) -> "Mapping[str, Follower]":
        """Everything that follows the feed, by name, as the packages register it."""
        raise NotImplementedError

    def runner(self, name: str) -> "FollowerRunner":
        """Give the runner of one follower. Raises UsedWrongly for a name that nobody registered."""
        raise NotImplementedError

    def seal(self) -> int:
        """Seal all that is recorded; number of commits sealed."""
        raise NotImplementedError

    def catch_up(self, *names: str) -> None:
        """Seal all that is recorded and bring these followers (none named: all) to the feed's end."""
        raise NotImplementedError

    def sweep(self, until: datetime) -> int:
        """Let time act on every stream up to `until`, inclusive, at each deadline's own instant; events recorded."""
        raise NotImplementedError

    def services(self) -> "Mapping[str, type_of_service]":
        """Give what `up` runs beside the sealer, by name; each runs in a thread until its stop event is set."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the pools and leave the embedded Postgres; the last program to leave stops it."""
        raise NotImplementedError


def opened(book: str, settings: "Settings | None" = None) -> AbstractContextManager[Wiring]:
    """Open a book for one program: start or join Postgres, create what is missing, migrate.

    Raises Unreachable (no server), UsedWrongly (settings), Refused (rights of key files).
    """
    raise NotImplementedError
