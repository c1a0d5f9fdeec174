"""Generations of a view: the one that is read, one that is being built beside it, and those that were kept.

A rebuild folds the feed into rows of a new generation while everybody goes on reading the live one. Each
generation knows the version of the fold that made it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from ledger.store.pool import Connection

State = Literal["building", "live", "kept"]

LIVE: Final = """
(select generation from projections.generations where book = %(book)s and view = %(view)s and state = 'live')
"""
"""SQL: the live generation of a view."""

_COLUMNS: Final = "view, generation, fold_version, state, begun_at, live_at, kept_at"
_ALL: Final = f"""
select {_COLUMNS} from projections.generations where book = %s order by view, generation
"""  # noqa: S608  # of its own constants
_IN_STATE: Final = f"""
select {_COLUMNS} from projections.generations where book = %s and view = %s and state = %s
"""  # noqa: S608  # as above
_FIRST: Final = """
insert into projections.generations (book, view, generation, fold_version, state, live_at)
values (%s, %s, 1, %s, 'live', clock_timestamp()) on conflict do nothing
"""
_NEXT: Final = """
insert into projections.generations (book, view, generation, fold_version, state)
select %(book)s, %(view)s, 1 + max(generation), %(version)s, 'building'
from projections.generations where book = %(book)s and view = %(view)s
on conflict do nothing
"""
_LOCK: Final = """
select from projections.generations where book = %s and view = %s order by generation for update
"""
_KEEP: Final = """
update projections.generations set state = 'kept', kept_at = clock_timestamp()
where book = %s and view = %s and state = 'live'
"""
_GO_LIVE: Final = """
update projections.generations set state = 'live', live_at = clock_timestamp()
where book = %s and view = %s and generation = %s and state = 'building'
"""
_DROP: Final = "delete from projections.generations where book = %s and view = %s and generation = %s"


class Generation(NamedTuple):
    """One generation of one view."""

    view: str
    generation: int
    fold_version: int
    state: State
    begun_at: datetime
    live_at: datetime | None
    kept_at: datetime | None


def generations(connection: Connection, book: str) -> Sequence[Generation]:
    """Return all generations of all views of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, (book,))
        return [Generation._make(row) for row in cursor]


def in_state(connection: Connection, book: str, view: str, state: State) -> Sequence[Generation]:
    """Return a view's generations of one state: of `live` and `building` there is one at most."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_STATE, (book, view, state))
        return [Generation._make(row) for row in cursor]


def live(connection: Connection, book: str, view: str) -> Generation | None:
    """Return the generation that is read; None before the view's first batch."""
    found = in_state(connection, book, view, "live")
    return found[0] if found else None


def live_or_first(connection: Connection, book: str, view: str, version: int) -> Generation:
    """Return the generation that is read; where there is none, begin a first one of this fold's version."""
    found = live(connection, book, view)
    if found is not None:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, (book, view, version))
    [first] = in_state(connection, book, view, "live")
    return first


def begin(connection: Connection, book: str, view: str, version: int) -> Generation:
    """Return the generation that is being built; begin one where none is. There must be a live one."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"book": book, "view": view, "version": version})
    [building] = in_state(connection, book, view, "building")
    return building


def lock(connection: Connection, book: str, view: str) -> None:
    """Keep everybody else from beginning, switching or dropping a generation of the view."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (book, view))


def go_live(connection: Connection, book: str, view: str, generation: int) -> bool:
    """Put the generation that was built live; False when it is being built no more."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, (book, view))
        cursor.execute(_GO_LIVE, (book, view, generation))
        return cursor.rowcount == 1


def drop_named(connection: Connection, book: str, view: str, generation: int) -> None:
    """Forget that there was such a generation."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP, (book, view, generation))
