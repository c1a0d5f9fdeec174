"""The sealer: gives each committed event its position in the feed."""

from collections.abc import Callable, Sequence
from threading import Event as StopEvent

from ledger.store.pool import Connection, Pool

type_of_grow = Callable[[Connection, str, int, Sequence[bytes]], None]


class Sealer:
    """Seals one book. Any number may run: the book's row lock lets one seal at a time."""

    def __init__(
        self,
        pool: Pool,
        book: str,
        *,
        batch: int = 1_000,
        grow: Callable[[Connection, str, int, Sequence[bytes]], None] | None = None,
    ) -> None:
        """`batch`: commits sealed by one transaction at most.

        `grow`: called in the same transaction with (connection, book, first position, leaf hashes) of what was sealed.
        """

    def seal_once(self) -> int:
        """Seal one batch; number of commits sealed."""
        raise NotImplementedError

    def seal_all(self) -> int:
        """Seal until nothing more can be sealed; number of commits sealed."""
        raise NotImplementedError

    def run(self, stop: StopEvent) -> None:
        """Seal until `stop` is set."""
        raise NotImplementedError

    def wake(self) -> None:
        """Tell a running sealer of this process that there is something to seal."""
        raise NotImplementedError
