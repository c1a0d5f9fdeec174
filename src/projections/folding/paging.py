"""Lists a page at a time: each goes on after the last row's place in the list's order, however far it is."""

from dataclasses import dataclass, field
from typing import cast

from projections.folding.rows import Source
from projections.folding.view import Table

Place = tuple[int, ...]
"""A row's place in its list's order."""

PLACE = "page_place"


@dataclass(slots=True)
class Paged:
    """A source of which the rows after a place are wanted, so many at most.

    `order`: what the view's query orders by, as whole numbers; together they name one row.
    """

    source: Source
    order: tuple[str, ...]
    after: Place | None
    limit: int
    places: list[Place] = field(default_factory=list)
    """Places of the rows that were read, filled by reading."""

    def found(self, table: Table) -> tuple[str, dict[str, object]]:
        """Give the rows after the place."""
        found, parameters = self.source.found(table)
        if self.after is None:
            return found, parameters
        sql = f"select * from ({found}) as all_found where ({', '.join(self.order)}) > %(page_after)s"  # noqa: S608  # a view's own columns
        return sql, parameters | {"page_after": self.after}

    def paged(self, sql: str) -> str:
        """Give the view's query with each row's place beside it, cut to the page."""
        place = f"array[{', '.join(f'({name})::bigint' for name in self.order)}]"
        begun = sql.replace("select", f"select {place} as {PLACE},", 1)
        return f"{begun} limit {self.limit:d}"

    def take_places(self, rows: list[dict[str, object]]) -> None:
        """Take the places from the rows, which bear them no longer."""
        self.places += [tuple(cast("list[int]", row.pop(PLACE))) for row in rows]
