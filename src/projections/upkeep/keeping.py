"""A view as the program keeps it: where its fold has changed, it is built anew before it follows."""

from typing import TypeVar

from ledger.store.pool import Pool
from projections.folding.follower import ViewFollower
from projections.folding.generations import live
from projections.upkeep.rebuild import rebuild

Memory = TypeVar("Memory")


class KeptView(ViewFollower[Memory]):
    """Follows for the rows of a view that are read, whatever fold they came from."""

    def prepare(self, pool: Pool) -> None:
        """Build the view anew where its fold has changed since its rows were folded."""
        with pool.connection() as connection:
            standing = live(connection, self.book, self.view.name)
        if standing is not None and standing.fold_version != self.view.version:
            rebuild(pool, self.book, self.view)
