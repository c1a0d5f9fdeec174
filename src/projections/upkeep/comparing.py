"""Two generations of a view against each other, row by row with their history, as of one position.

The database compares, so that no memory grows with the view.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ledger.store.pool import Connection
from projections.folding.view import Row, View

SHOWN: Final = 20
"""Differing rows that are named; all are counted."""

_COMPARED: Final = """
with one as (
    select from_position, case when to_position <= %(until)s then to_position end as to_position, {columns}
    from {table} where book = %(book)s and generation = %(one)s
        and from_position <= %(until)s
        and (from_position > %(after)s or (to_position > %(after)s and to_position <= %(until)s))
), other as (
    select from_position, case when to_position <= %(until)s then to_position end as to_position, {columns}
    from {table} where book = %(book)s and generation = %(other)s
        and from_position <= %(until)s
        and (from_position > %(after)s or (to_position > %(after)s and to_position <= %(until)s))
), differing as (
    select %(one)s as generation, * from (select * from one except all select * from other) as x
    union all
    select %(other)s as generation, * from (select * from other except all select * from one) as y
)
select count(*) over (), * from differing order by from_position, generation limit %(shown)s
"""


class Differing(NamedTuple):
    """A row version that only one of two generations has."""

    generation: int
    from_position: int
    to_position: int | None
    row: Row


class Compared(NamedTuple):
    """How many row versions differ, and the first of them by position."""

    found: int
    first: Sequence[Differing]

    def and_then(self, later: "Compared") -> "Compared":
        """Add what was found at later positions."""
        return Compared(self.found + later.found, [*self.first, *later.first][:SHOWN])


def compare_generations(  # noqa: PLR0913, PLR0917  # two generations and a range
    connection: Connection, book: str, view: View[Any], one: int, other: int, until: int, after: int = -1
) -> Compared:
    """Compare two generations as of position `until`, which both must have reached.

    `after`: only what has come or gone since then.
    """
    sql = _COMPARED.format(table=view.table.name, columns=", ".join(view.table.columns))
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {"book": book, "one": one, "other": other, "until": until, "after": after, "shown": SHOWN},
        )
        found = cursor.fetchall()
    count = int(found[0][0]) if found else 0
    return Compared(
        count,
        [Differing(generation, begin, end, tuple(row)) for _, generation, begin, end, *row in found],
    )
