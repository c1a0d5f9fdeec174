"""A view as a follower of the feed: each batch is one load, one run in memory, one write."""

import io
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Generic

from ledger.feed.followers import Halted
from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from projections.runner.generations import live_or_first
from projections.runner.view import Folding, Memory, Remembered, Row, Table, View

DROPPED_AT_ONCE = 20_000
"""Rows that one statement drops."""

_NULL = ""

SUIT_A_BATCH = "set local random_page_cost = 1.1; set local synchronous_commit = off"

_SEPARATOR = "\x1e"

MANY = "string_to_array(%s, E'\\x1e')"
"""SQL: many values out of one text. An array of literals is parsed value by value, and costs a third more."""

LOAD = f"""
select key, since_position, memory from projections.remembered
where book = %s and generation = %s and view = %s and key = any({MANY})
"""  # noqa: S608  # of its own constants

FORGET = """
delete from projections.remembered where book = %(book)s and view = %(view)s;
delete from projections.generations where book = %(book)s and view = %(view)s;
delete from ledger.followers where book = %(book)s and name like %(view)s || '@%%';
delete from ledger.parked where book = %(book)s and follower like %(view)s || '@%%'
"""

REMEMBER = f"""
insert into projections.remembered (book, generation, view, key, since_position, memory)
select %s, %s, %s, key, since_position, memory
from unnest({MANY}, {MANY}::bigint[], {MANY}) as fresh (key, since_position, memory)
on conflict (book, generation, view, key) do update set memory = excluded.memory
"""  # noqa: S608  # as above


def suit_a_batch(connection: Connection) -> None:
    """Set this one transaction to find rows by their keys, and to commit before it is on disk.

    A batch touches some hundred rows of a table that may have millions. Where Postgres takes random reads
    for as dear as on a turning disk, its default, it would read the whole table for them, for longer with
    each batch.

    Nothing can be lost by the commit: rows, memory and checkpoint come back from a crash together or not at
    all, and what did not come back is folded again from the feed.
    """
    with connection.cursor() as cursor:
        cursor.execute(SUIT_A_BATCH)


def load_remembered(
    connection: Connection, book: str, generation: int, view: View[Memory], keys: Collection[str]
) -> dict[str, Remembered[Memory]]:
    """Load what the view remembers of these keys, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD, (book, generation, view.name, joined(keys)))
        return {key: Remembered(since, view.from_text(memory)) for key, since, memory in cursor}


def forget(connection: Connection, book: str, view: View[Memory]) -> None:
    """Drop a view's rows of one book, what its fold remembers, and all its generations."""
    with connection.cursor() as cursor:
        cursor.execute(f"delete from {view.table.name} where book = %s", (book,))  # noqa: S608  # a constant name
        cursor.execute(FORGET, {"book": book, "view": view.name})


def drop_rows(connection: Connection, book: str, generation: int, view: View[Memory]) -> int:
    """Drop some of a generation's rows and of its memory; how many, 0 when none is left."""
    gone = 0
    with connection.cursor() as cursor:
        for table, of_it in ((view.table.name, "true"), ("projections.remembered", "view = %(view)s")):
            cursor.execute(
                f"delete from {table} where ctid = any(array("  # noqa: S608  # names are constants
                f"select ctid from {table} where book = %(book)s and generation = %(generation)s and {of_it}"
                f" limit {DROPPED_AT_ONCE}))",
                {"book": book, "generation": generation, "view": view.name},
            )
            gone += cursor.rowcount
    return gone


def write(connection: Connection, book: str, generation: int, folding: Folding[Memory]) -> None:
    """Write what a run of events has changed. Commits nothing: that is for whoever moves the checkpoint."""
    table = folding.view.table
    with connection.cursor() as cursor:
        if folding.closed:
            identities = list(zip(*folding.closed, strict=True))
            cursor.execute(
                _closing(table, identities),
                (*map(joined, identities), joined(folding.closed.values()), book, generation),
            )
        if folding.versions:
            rows = ((book, generation, v.from_position, v.to_position, *v.row) for v in folding.versions)
            columns = ", ".join(("book", "generation", "from_position", "to_position", *table.columns))
            cursor.copy_expert(f"copy {table.name} ({columns}) from stdin (null '{_NULL}')", copy_text(rows))
        if folding.touched:
            view, keys = folding.view, list(folding.touched)
            kept = [folding.remembered[key] for key in keys]
            since, texts = [was.since for was in kept], [view.to_text(was.memory) for was in kept]
            cursor.execute(
                REMEMBER, (book, generation, view.name, joined(keys), joined(since), joined(texts))
            )


def copy_text(rows: Iterable[Row]) -> io.StringIO:
    r"""Write rows in Postgres' text format for COPY: tabs between, nothing for null.

    No value of a view is the empty text, and none holds a tab or a line end: the domain takes none. A
    backslash is escaped.
    """
    lines = []
    for row in rows:
        line = "\t".join([_NULL if value is None else str(value) for value in row])
        lines.append(line.replace("\\", r"\\") if "\\" in line else line)
    lines.append("")
    return io.StringIO("\n".join(lines))


def joined(values: Iterable[object]) -> str:
    """Write values as one text, for `MANY`.

    None of them is empty. Raises ValueError where one holds the separator, a control character: the domain
    takes none.
    """
    texts = list(map(str, values))
    text = _SEPARATOR.join(texts)
    if text.count(_SEPARATOR) != max(len(texts) - 1, 0):
        message = f"a value of a view holds the character {_SEPARATOR!r}, which separates values"
        raise ValueError(message)
    return text


_ARRAYS = {str: ("text", ' collate "C"'), int: ("bigint", ""), date: ("date", "")}
"""By the type of an identity's values: the type of their array, and how they compare."""


def _closing(table: Table, identities: Sequence[tuple[object, ...]]) -> str:
    """Write the statement that ends row versions: those of these identities that still stand."""
    names = table.columns[: table.identity]
    arrays, compared = zip(*(_ARRAYS[type(values[0])] for values in identities), strict=True)
    same = " and ".join(f"t.{name} = v.{name}{how}" for name, how in zip(names, compared, strict=True))
    unnested = ", ".join(f"{MANY}::{array}[]" for array in (*arrays, "bigint"))
    return (
        f"update {table.name} as t set to_position = v.to_position"  # noqa: S608  # names are constants
        f" from unnest({unnested}) as v ({', '.join(names)}, to_position)"
        f" where t.book = %s and t.generation = %s and {same} and t.to_position is null"
    )


class FoldChanged(Halted):
    """The rows of a view come from another version of its fold: it must be built anew before it follows."""


class ViewFollower(Generic[Memory]):
    """Keeps one view of one book. Its checkpoint moves in the same transaction as its rows."""

    in_stream_order = True

    def __init__(self, view: View[Memory], book: str, *, building: int | None = None) -> None:
        """Follow for one view of one book: for the rows that are read, or for a generation being built."""
        self.view = view
        self.book = book
        self.building = building
        self.name = view.name if building is None else shadow_name(view.name, building)
        self.types = view.types

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit.

        Raises:
            FoldChanged: the rows that are read were folded otherwise.

        """
        suit_a_batch(connection)
        generation = self._generation(connection)
        keys = {self.view.key_of(event) for event in events}
        keys.update(key for event in events if (key := self.view.mentions(event)) is not None)
        folding = Folding(self.view, load_remembered(connection, self.book, generation, self.view, keys))
        folding.take_all(events)
        write(connection, self.book, generation, folding)

    def forget(self, connection: Connection) -> None:
        """Drop the view's rows and memory, of every generation, to be folded again. Must not commit."""
        forget(connection, self.book, self.view)

    def _generation(self, connection: Connection) -> int:
        if self.building is not None:
            return self.building
        standing = live_or_first(connection, self.book, self.view.name, self.view.version)
        if standing.fold_version != self.view.version:
            message = (
                f"the view {self.name} was folded by version {standing.fold_version} of its fold, and this"
                f" program has version {self.view.version}: coverledger projections rebuild {self.name}"
            )
            raise FoldChanged(message)
        return standing.generation


def shadow_name(view: str, generation: int) -> str:
    """Return the checkpoint's name of a generation that is being built: `limits@2`."""
    return f"{view}@{generation}"
