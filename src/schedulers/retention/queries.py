"""The table of what is kept until when, and whose records nothing asks for any more."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from psycopg2.extras import execute_values

from ledger.domain.identifiers import StreamRef
from ledger.store.canonical import stream_ref
from ledger.store.pool import Connection

_LOAD: Final = "select stream, memory from schedulers.retention where book = %s and stream = any(%s)"
_KEEP: Final = """
insert into schedulers.retention (book, stream, contract, person, erased, due_on, memory) values %s
on conflict (book, stream) do update
set contract = excluded.contract, person = excluded.person, erased = excluded.erased,
    due_on = excluded.due_on, memory = excluded.memory
"""
_ROWS: Final = """
select stream, contract, person, erased, due_on, memory from schedulers.retention where book = %s
"""
_DROP: Final = "delete from schedulers.retention where book = %s"

# A person is proposed once each contract that holds them, as policyholder or as victim of a claim on it, is
# over and past its day. `since`: the day of the last one.
_OVER: Final = """
select held.person, array_agg(distinct held.contract order by held.contract) as contracts,
       max(home.due_on) as since
from schedulers.retention held
join schedulers.retention home on home.book = held.book and home.stream = 'contract/' || held.contract
where held.book = %(book)s and exists (
    select from schedulers.retention mine
    join schedulers.retention due on due.book = mine.book and due.stream = 'contract/' || mine.contract
    where mine.book = held.book and mine.person = held.person and not mine.erased
        and due.due_on <= %(until)s
)
group by held.person
having bool_and(home.due_on is not null and home.due_on <= %(until)s) and not bool_and(held.erased)
order by since, held.person
"""


class Row(NamedTuple):
    """What is noted of one stream."""

    stream: StreamRef
    contract: str
    person: str
    erased: bool
    due_on: date | None
    memory: str


class Over(NamedTuple):
    """A person whose records nothing asks for any more."""

    person: str
    contracts: Sequence[str]
    since: date


def kept(connection: Connection, book: str, streams: Collection[StreamRef]) -> Mapping[StreamRef, str]:
    """Give what is remembered of these streams; those that are not known are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, (book, [stream.name for stream in streams]))
        return {stream_ref(name): memory for name, memory in cursor}


def keep(connection: Connection, book: str, rows: Sequence[Row]) -> None:
    """Write down what is known of these streams now. Commits nothing."""
    written = [
        (book, row.stream.name, row.contract, row.person, row.erased, row.due_on, row.memory) for row in rows
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, _KEEP, written)


def rows(connection: Connection, book: str) -> Mapping[StreamRef, Row]:
    """Give all that is noted of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, (book,))
        found = [Row(stream_ref(stream), *rest) for stream, *rest in cursor]
    return {row.stream: row for row in found}


def drop(connection: Connection, book: str) -> None:
    """Drop all notes of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP, (book,))


def over(connection: Connection, book: str, until: date) -> Sequence[Over]:
    """Give the persons of whom every contract's retention was over by a day, the longest over first."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, {"book": book, "until": until})
        return [Over(*row) for row in cursor]
