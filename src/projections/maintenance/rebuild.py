"""Building a view anew beside the one that is read: fold, compare, switch in one transaction, keep the old.

The database compares, so that no memory grows with the view.

Whoever reads goes on reading. A build that was broken off goes on where it stood.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeVar

from ledger.feed.follower_group import BATCH_TOGETHER, FollowerGroup
from ledger.feed.followers import FollowerRunner
from ledger.store.feed import checkpoint, feed_end, lock_checkpoint, move_checkpoint
from ledger.store.pool import Connection, Pool
from projections.runner import generations
from projections.runner.follower import ViewFollower, drop_rows, shadow_name
from projections.runner.generations import live
from projections.runner.view import Row, View

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


_SNAPSHOT: Final = "set transaction isolation level repeatable read, read only"
_TAKE_OVER_PARKED: Final = """
delete from ledger.parked where book = %(book)s and follower = %(view)s;
update ledger.parked set follower = %(view)s where book = %(book)s and follower = %(shadow)s;
delete from ledger.followers where book = %(book)s and name = %(shadow)s
"""
_FORGET_SHADOW: Final = """
delete from ledger.parked where book = %(book)s and follower = %(shadow)s;
delete from ledger.followers where book = %(book)s and name = %(shadow)s
"""

Report = Callable[[int], None]


class Rebuilt(NamedTuple):
    """What came of building a view anew."""

    view: str
    generation: int
    """The one that is read now."""
    positions: int
    """Folded by this call."""
    differing: int
    """Row versions in which it is not what was read before."""
    first: Sequence[Differing]
    """The first of them by position."""
    switch_seconds: float
    """For so long nobody could follow for the view; reading it went on."""


class _Building(NamedTuple):
    view: View[Any]
    generation: int
    runner: FollowerRunner
    began_at: int


class _Switched(NamedTuple):
    standing_at: int
    """To where the generation that was read before had come."""
    position: int
    """To where the one that is read now has."""


def rebuild(pool: Pool, book: str, view: View[Any], report: Report = lambda _: None) -> Rebuilt:
    """Build one view anew; `report` is told how many more positions are folded. Raises Halted."""
    [rebuilt] = rebuild_together(pool, book, [view], report)
    return rebuilt


def rebuild_together(
    pool: Pool, book: str, views: Sequence[View[Any]], report: Report = lambda _: None
) -> list[Rebuilt]:
    """Build views anew over one reading of the feed. Raises Halted."""
    begun = [_begin(pool, book, view) for view in views]
    FollowerGroup(pool, book, [building.runner for building in begun]).catch_up(report)
    return [_finish(pool, book, building) for building in begun]


def drop_kept(pool: Pool, book: str, view: View[Any], report: Report = lambda _: None) -> list[int]:
    """Drop the generations that rebuilds kept, and name them; `report`: told how many more rows are gone."""
    with pool.connection() as connection:
        kept = generations.in_state(connection, book, view.name, "kept")
    for one in kept:
        _drop(pool, book, view, one.generation, report)
    return [one.generation for one in kept]


def _begin(pool: Pool, book: str, view: View[Any]) -> _Building:
    """Begin a generation beside the live one, or go on with one that was begun by the same fold."""
    with pool.connection() as connection:
        generations.live_or_first(connection, book, view.name, view.version)
        building = generations.begin(connection, book, view.name, view.version)
        position = checkpoint(connection, book, shadow_name(view.name, building.generation))
        usable = building.fold_version == view.version and position <= feed_end(connection, book)
    if not usable:
        _drop(pool, book, view, building.generation)
        return _begin(pool, book, view)
    follower = ViewFollower(view, book, building=building.generation)
    return _Building(
        view, building.generation, FollowerRunner(pool, book, follower, batch=BATCH_TOGETHER), position
    )


def _finish(pool: Pool, book: str, building: _Building) -> Rebuilt:
    """Compare what was built with what is read, let it be read, and compare what came meanwhile."""
    view, generation, _, began_at = building
    before, compared, until = _compare(pool, book, building)
    # What came while they were compared, so that hardly anything is left to fold while nobody may follow.
    building.runner.catch_up()
    begun = perf_counter()
    switched = _switch(pool, book, building)
    seconds = perf_counter() - begun
    if before is not None and switched is not None:
        with pool.connection() as connection:
            late = compare_generations(
                connection, book, view, before, generation, switched.standing_at, until
            )
        compared = compared.and_then(late)
    positions = 0 if switched is None else switched.position - began_at
    return Rebuilt(view.name, generation, positions, compared.found, compared.first, seconds)


def _compare(pool: Pool, book: str, building: _Building) -> tuple[int | None, Compared, int]:
    """Compare as of the last position that both reached: what is read until now, and how they differ."""
    view = building.view
    with pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT)
        until = min(
            checkpoint(connection, book, view.name),
            checkpoint(connection, book, building.runner.follower.name),
        )
        standing = generations.live(connection, book, view.name)
        if standing is None or standing.generation == building.generation:
            return None, Compared(0, ()), until
        found = compare_generations(connection, book, view, standing.generation, building.generation, until)
        return standing.generation, found, until


def _switch(pool: Pool, book: str, building: _Building) -> _Switched | None:
    """Put what was built live, at the position to which the view had come or beyond.

    None where somebody else has switched.
    """
    view, generation, runner, _ = building
    with pool.transaction() as connection:
        # While this row is locked nobody follows for the view, so what is built cannot fall behind it again.
        standing_at = lock_checkpoint(connection, book, view.name)
        generations.lock(connection, book, view.name)
        runner.catch_up()
        position = lock_checkpoint(connection, book, runner.follower.name)
        if not generations.go_live(connection, book, view.name, generation):
            connection.rollback()
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                _TAKE_OVER_PARKED, {"book": book, "view": view.name, "shadow": runner.follower.name}
            )
        move_checkpoint(connection, book, view.name, position)
    return _Switched(standing_at, position)


def _drop(pool: Pool, book: str, view: View[Any], generation: int, report: Report = lambda _: None) -> None:
    """Drop one generation's rows and memory, some at a time, and then its name."""
    while True:
        with pool.connection() as connection:
            gone = drop_rows(connection, book, generation, view)
        if not gone:
            break
        report(gone)
    with pool.transaction() as connection:
        _forget(connection, book, view, generation)


def _forget(connection: Connection, book: str, view: View[Any], generation: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_SHADOW, {"book": book, "shadow": shadow_name(view.name, generation)})
    generations.drop_named(connection, book, view.name, generation)


Memory = TypeVar("Memory")


class KeptView(ViewFollower[Memory]):
    """Follows for the rows of a view that are read, whatever fold they came from."""

    def prepare(self, pool: Pool) -> None:
        """Build the view anew where its fold has changed since its rows were folded."""
        with pool.connection() as connection:
            standing = live(connection, self.book, self.view.name)
        if standing is not None and standing.fold_version != self.view.version:
            rebuild(pool, self.book, self.view)
