"""A run of folded events written to a view's tables: one load before, three writes after."""

import io
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import TypeVar

from ledger.store.pool import Connection
from projections.folding.versions import Folding
from projections.folding.view import Remembered, Row, Table, View

Memory = TypeVar("Memory")

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
    """Let this one transaction find rows by their keys, and commit before it is on disk.

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
