"""Views against a fresh fold of the feed: for `projections diff`, and for `verify --views`.

Every row with its whole history, and what the fold remembers, against a fresh fold of the feed up to where
the view stands. In one snapshot, so that a follower at work is no difference.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.store.feed import checkpoint, feed_end
from ledger.store.pool import Connection, Pool
from ledger.verification.findings import CheckedView, NotVerified, OnProgress
from projections.queries.reader import read_until
from projections.runner.generations import live
from projections.runner.view import Folding, Row, View

if TYPE_CHECKING:
    from ledger.app import App

NO_GENERATION: Final = 0
"""Of a view that has not followed the feed yet: it has no rows."""

Version = tuple[int, int | None, Row]
"""From which position, until which (None: it stands now), and the row."""


def live_generation(connection: Connection, book: str, view: str) -> int:
    """Return the number of the generation that is read."""
    standing = live(connection, book, view)
    return NO_GENERATION if standing is None else standing.generation


def rows_of(connection: Connection, book: str, generation: int, view: View[Any]) -> Iterator[Version]:
    """Yield all row versions of one generation, in no order."""
    columns = ", ".join(view.table.columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select from_position, to_position, {columns} from {view.table.name}"  # noqa: S608  # names are constants
            " where book = %s and generation = %s",
            (book, generation),
        )
        for from_position, to_position, *row in cursor:
            yield from_position, to_position, tuple(row)


EVENTS: Final = """
select position, stream, version, type from ledger.history where book = %s and position = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row version that stands on one side only, and the event behind it."""

    view: str
    where: str
    """`view only`: a row that no event explains; `feed only`: a row that is missing."""
    from_position: int
    to_position: int | None
    row: Row
    event: str | None
    """The event at `from_position`: `contract/CC-1 7 contract.LimitConsumed`; None where none is there."""


def compare(pool: Pool, book: str, view: View[Any]) -> list[Difference]:
    """Compare a view, as far as it has come, with the feed up to there; the first bad position first."""
    with pool.transaction() as connection:
        # The checkpoint and the rows are read at one moment, so that a follower at work is no difference.
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
        position = checkpoint(connection, book, view.name)
        generation = live_generation(connection, book, view.name)
        kept = Counter(rows_of(connection, book, generation, view))
        folding = Folding(view)
        folding.take_all(read_until(connection, book, position, view.types))
        fresh = Counter((one.from_position, one.to_position, one.row) for one in folding.versions)
        found = [
            (where, *version)
            for where, only in (("view only", kept - fresh), ("feed only", fresh - kept))
            for version in only.elements()
        ]
        events = events_at(connection, book, {begin for _, begin, _, _ in found})
    differences = [
        Difference(view.name, where, begin, end, row, events.get(begin)) for where, begin, end, row in found
    ]
    return sorted(differences, key=lambda difference: (difference.from_position, difference.where))


def events_at(connection: Connection, book: str, positions: set[int]) -> dict[int, str]:
    """Return the events at these positions, as far as there are any."""
    if not positions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, (book, list(positions)))
        return {position: f"{stream} {version} {name}" for position, stream, version, name in cursor}


SNAPSHOT = "set transaction isolation level repeatable read, read only"
REMEMBERED = """
select key, since_position, memory from projections.remembered
where book = %s and generation = %s and view = %s
"""


def check_view(wiring: "App", view: View[Any], progress: OnProgress) -> CheckedView:
    """Check one view as far as it has come: its row versions. Raises NotVerified for the first bad row."""
    book = wiring.book
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        position, end = checkpoint(connection, book, view.name), feed_end(connection, book)
        if position > end:
            row = f"ledger.followers, {view.name}"
            raise NotVerified(
                None, row, f"it says position {position}, the feed ends at {end}: it was altered"
            )
        generation = live_generation(connection, book, view.name)
        folding = Folding(view)
        for event in read_until(connection, book, position, view.types):
            folding.take(event)
            progress(event.position + 1, position + 1)
        kept = Counter(rows_of(connection, book, generation, view))
        remembered = _remembered(connection, book, generation, view)
    fresh = Counter((version.from_position, version.to_position, version.row) for version in folding.versions)
    _compare_rows(view, kept, fresh)
    _compare_memory(view, remembered, folding)
    return CheckedView(sum(fresh.values()), position)


def _compare_rows(view: View[Any], kept: "Counter[Version]", fresh: "Counter[Version]") -> None:
    """Refuse rows that no event explains, and a view that lacks one."""
    put_in, missing = kept - fresh, fresh - kept
    if not put_in and not missing:
        return
    first = min([*put_in, *missing], key=lambda version: version[0])
    position, identity = first[0], first[2][: view.table.identity]
    row = f"{view.table.name}, {' '.join(map(str, identity))}"
    at_fault = [
        version for version in put_in if version[0] == position and version[2][: len(identity)] == identity
    ]
    if not at_fault:
        raise NotVerified(
            position, row, "the row that the feed gives from here on is missing: it was deleted"
        )
    wanted = [
        version for version in missing if version[0] == position and version[2][: len(identity)] == identity
    ]
    if not wanted:
        raise NotVerified(position, row, "no event explains this row: it was put in or altered")
    names = ("from_position", "to_position", *view.table.columns)
    stands, ought = ((one[0][0], one[0][1], *one[0][2]) for one in (at_fault, wanted))
    name, is_so, should = next(
        (name, is_so, should)
        for name, is_so, should in zip(names, stands, ought, strict=True)
        if is_so != should
    )
    raise NotVerified(position, row, f"its {name} is {is_so}, but the feed gives {should}: it was altered")


def _compare_memory(view: View[Any], kept: dict[str, tuple[int, str]], folding: Folding[Any]) -> None:
    """Refuse a memory that would make the next rows wrong."""
    fresh = {key: (was.since, view.to_text(was.memory)) for key, was in folding.remembered.items()}
    differing = sorted(key for key in kept.keys() | fresh.keys() if kept.get(key) != fresh.get(key))
    if differing:
        key = differing[0]
        place = fresh[key][0] if key in fresh else kept[key][0]
        row = f"projections.remembered, {view.name} {key}"
        raise NotVerified(
            place, row, "what the view remembers of it is not what the feed gives: it was altered"
        )


def _remembered(
    connection: Connection, book: str, generation: int, view: View[Any]
) -> dict[str, tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(REMEMBERED, (book, generation, view.name))
        return {key: (since, memory) for key, since, memory in cursor}
