"""Recovery: each log goes on after a restore, in a new epoch where it does not extend what was signed."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.feed.signing.epochs import begin_epoch
from ledger.store.epochs import Epoch
from ledger.store.feed_rows import feed_end
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
        return said + (f"; read anew: {', '.join(self.rebuilt)}" if self.rebuilt else "")


def recover(wiring: Wiring, because: str) -> Recovered:
    """Let a book go on from what the database holds. Raises KeyFileRefused when the key is another log's."""
    begun = None
    if wiring.settings.seals:
        begun = begin_epoch(wiring.sealer_pool, wiring.book, wiring.signing_place, because)
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
    rebuilt = []
    for name in wiring.followers:
        runner = wiring.runner(name)
        if runner.position() > end and runner.start_over():
            rebuilt.append(name)
    wiring.catch_up()
    wiring.finish()
    with wiring.pool.connection() as connection:
        events = feed_end(connection, wiring.book) + 1
    return Recovered(wiring.book, events, wiring.book_row().origin, begun, rebuilt)
