"""Recovery: each log goes on after a restore, in a new epoch where it does not extend what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.feed.followers import InTheVault
from ledger.feed.signing.epochs import begin_epoch
from ledger.store.epochs import Epoch
from ledger.store.errors import ImportOpen
from ledger.store.feed_rows import feed_end
from ledger.store.untold_erasures import untold_erasures
from ledger.subjects.access_log import Access
from ledger.subjects.erasing import Erasures
from ledger.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Recovered:
    """How one book goes on."""

    book: str
    events: int
    origin: str
    begun: Epoch | None
    """The epoch that was begun; None: the log extends all that was signed."""
    rebuilt: list[str]
    """Followers that had read further than the log goes, and start over."""
    erased: list[str]
    """Persons whose erasure the log had lost, and says again."""
    untold: list[str]
    """Persons whose erasure it cannot say again while an import is open."""

    @property
    def told(self) -> Mapping[str, object]:
        """The same for programs."""
        begun = self.begun
        return {
            "book": self.book,
            "events": self.events,
            "origin": self.origin,
            "epoch_begun": begun.epoch if begun else None,
            "from_position": begun.from_position if begun else None,
            "lost_size": begun.lost_size if begun else None,
            "rebuilt": self.rebuilt,
            "erased": self.erased,
            "untold": self.untold,
        }

    @property
    def line(self) -> str:
        """The same for people."""
        count = f"{self.events:,} event" + ("" if self.events == 1 else "s")
        if self.begun is None:
            said = f"{self.book}: {count}, and the log extends all that was signed"
        else:
            lost = f", where {self.begun.lost_size:,} had been signed" if self.begun.lost_size else ""
            said = (
                f"{self.book}: {count}{lost}; epoch {self.begun.epoch} has begun and parts "
                f"from those before at position {self.begun.from_position:,}: whoever follows from outside "
                "is told"
            )
        if self.erased:
            said += f"; said again of {len(self.erased):,} erased persons"
        if self.untold:
            said += f"; finish the open import, and then erase again: {', '.join(self.untold)}"
        return said + (f"; read anew: {', '.join(self.rebuilt)}" if self.rebuilt else "")


def tell_erased(wiring: Wiring) -> tuple[list[str], list[str]]:
    """Tell the streams of the erased that they are, where the log went back to before it was told.

    Gives those of whom it was said now, and those of whom it cannot be said while an import is open.
    """
    with wiring.pool.connection() as connection:
        untold = untold_erasures(connection, wiring.book)
    erasures = Erasures(wiring.store, wiring.pool, wiring.book)
    access = Access("restore", "restore", "the log was put back to before it said so")
    told: list[str] = []
    for place, person in enumerate(untold):
        try:
            if erasures.erase(person, access).events:
                told.append(person)
        except ImportOpen:
            return told, untold[place:]
    return told, []


def recover(wiring: Wiring, because: str) -> Recovered:
    """Let a book go on from what the database holds. Raises KeyFileRefused when the key is another log's."""
    begun = None
    if wiring.settings.sealer_enabled:
        begun = begin_epoch(wiring.sealer_pool, wiring.book, wiring.signing_place, because)
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
    rebuilt = []
    for name in wiring.followers:
        runner = wiring.runner(name)
        parted = isinstance(runner.follower, InTheVault) and runner.position() >= 0
        if (parted or runner.position() > end) and runner.start_over():
            rebuilt.append(name)
    erased, untold = tell_erased(wiring)
    wiring.catch_up()
    wiring.finish()
    with wiring.pool.connection() as connection:
        events = feed_end(connection, wiring.book) + 1
    return Recovered(wiring.book, events, wiring.book_row().origin, begun, rebuilt, erased, untold)
