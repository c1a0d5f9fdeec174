"""What one decision needs to know, loaded in one round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from ledger.domain.event import RecordedEvent
from ledger.domain.identifiers import StreamRef
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.errors import BookUnknown
from ledger.store.events import StreamHead, read_payload
from ledger.store.pool import Connection, execute_prepared


@dataclass(frozen=True, slots=True)
class OpenImport:
    """An import that has begun and is neither finished nor abandoned: it holds the book's clock."""

    import_id: UUID
    digest: bytes
    """SHA-256 of what is imported."""
    clock_at: datetime | None
    """Instant of the last line recorded; None before the first."""


@dataclass(frozen=True, slots=True)
class BookRow:
    """A book of business as its row states it."""

    book: str
    kind: Literal["real", "simulated"]
    epoch: int
    origin: str
    clock_at: datetime | None
    """A simulated book's present, which stands still until it is moved; None in a real one."""
    held_at: datetime | None
    """Where an import that ended in the past left the book; the sweep waits while it is set."""
    open_import: OpenImport | None


@dataclass(frozen=True, slots=True)
class LoadedStream:
    """One stream as it stood when it was loaded; version 0 and nothing recorded: it does not exist."""

    version: int
    last_leaf: bytes | None
    """Leaf hash of the newest event."""
    last_at: datetime | None
    """Instant (`at`) of the newest event."""
    recorded: Sequence[RecordedEvent]
    event_ids: Sequence[UUID]
    """Of the events in `recorded`, in the same order."""
    contract_id: UUID | None
    """Correlation id of the newest event: stream id of the contract that the stream belongs to now."""

    @property
    def head(self) -> StreamHead:
        """Expected state of the stream for a commit."""
        return StreamHead(self.version, self.last_leaf)


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What a command was answered the first time."""

    content_hmac: bytes
    answer: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One consistent picture: everything in it was read by one statement."""

    now: datetime
    """The database's time, UTC."""
    book: BookRow
    streams: Mapping[StreamRef, LoadedStream]
    """Every stream asked for, known or not, and the contract of each claim whose contract was wanted."""
    contracts: Mapping[StreamRef, StreamRef]
    """Claim (or complaint) → its present contract, for those whose contract was wanted and that exist."""
    answers: Mapping[tuple[str, str], FirstAnswer]
    """(sender, command id) → first answer, for the ids asked for that are on record."""
    answer: FirstAnswer | None
    """First answer of the one command that `load` was asked about."""


# The book's row comes first, then the answers, then the events by stream and version. Columns that one part
# does not have are null there. Only the parts that are asked for are sent: planning is most of what a small
# load costs.
_BOOK: Final = """
select 0 as part, clock_timestamp() as at, b.kind as type, b.epoch as version, b.origin as stream, b.clock_at,
       b.held_at, b.import_id::text as event_id, i.digest as payload, i.clock_at as import_clock_at,
       null::date as effective_on, null::integer as schema_version, null::text as correlation_id,
       null::bytea as leaf_hash
from ledger.books b
left join ledger.imports i using (book, import_id)
where b.book = %(book)s
"""
_ANSWERS: Final = """
union all
select 1, null, sender, null, command_id, null, null, answer, content_hmac, null, null, null, null, null
from ledger.commands where book = %(book)s and (sender, command_id) in %(commands)s
"""
_EVENTS: Final = """
union all
select 2, at, type, version, stream, null, null, event_id::text, payload, null, effective_on,
       schema_version, correlation_id::text, leaf_hash
from ledger.events where book = %(book)s and stream_id = any ({streams})
"""
_ORDER: Final = "order by part, stream, version"

_STREAMS: Final = "%(streams)s::uuid[]"
# A claim's contract is found by the claim's newest event.
_STREAMS_AND_CONTRACTS: Final = """%(streams)s::uuid[] || array(
    select (
        select correlation_id from ledger.events where book = %(book)s and stream_id = wanted.stream_id
        order by version desc limit 1
    ) from unnest(%(claims)s::uuid[]) as wanted (stream_id)
)"""

# What one command needs, prepared: its planning is most of what it costs, and is done once a connection.
_PREPARED: Final = {
    name: f"prepare {name} (text, text, text, uuid[], uuid[]) as "
    + (_BOOK + _ANSWERS + _EVENTS.format(streams=streams) + _ORDER)
    .replace("%(book)s", "$1")
    .replace("%(commands)s", "(($2, $3))")
    .replace("%(streams)s::uuid[]", "$4")
    .replace("%(claims)s::uuid[]", "$5")
    for name, streams in (("ledger_load", _STREAMS), ("ledger_load_contracts", _STREAMS_AND_CONTRACTS))
}
_EXECUTE: Final = (
    "execute {name} (%(book)s, %(sender)s, %(command_id)s, %(streams)s::uuid[], %(claims)s::uuid[])"
)

_ANSWER: Final = """
select content_hmac, answer from ledger.commands where book = %s and sender = %s and command_id = %s
"""


class _Row(NamedTuple):
    """One row of the loading query; what it means depends on its part."""

    part: int
    at: datetime
    type: str
    version: int
    stream: str
    clock_at: datetime | None
    held_at: datetime | None
    event_id: str
    payload: memoryview
    import_clock_at: datetime | None
    effective_on: date
    schema_version: int
    correlation_id: str
    leaf_hash: memoryview


def load(
    connection: Connection,
    book: str,
    refs: Sequence[StreamRef],
    claims: Sequence[StreamRef],
    commands: Sequence[tuple[str, str]],
) -> Loaded:
    """Read the book's row, streams, claims (or complaints) with their contracts, and first answers.

    Raises BookUnknown and Unreadable.
    """
    statement = _BOOK + (_ANSWERS if commands else "")
    if refs or claims:
        statement += _EVENTS.format(streams=_STREAMS_AND_CONTRACTS if claims else _STREAMS)
    wanted = _wanted(book, refs, claims) | {"commands": tuple(commands)}
    return _loaded(_selected(connection, statement + _ORDER, wanted), book, refs, claims, commands)


def load_prepared(
    connection: Connection,
    book: str,
    refs: Sequence[StreamRef],
    claims: Sequence[StreamRef],
    command: tuple[str, str],
) -> Loaded:
    """Read as `load` does, for one command, by a prepared statement that the connection keeps.

    The connection must lead to the server itself, and be in no transaction. Raises as `load`.
    """
    name = "ledger_load_contracts" if claims else "ledger_load"
    wanted = _wanted(book, refs, claims) | {"sender": command[0], "command_id": command[1]}
    with connection.cursor() as cursor:
        execute_prepared(cursor, _EXECUTE.format(name=name), wanted, {name: _PREPARED[name]})
        rows = [_Row._make(row) for row in cursor.fetchall()]
    return _loaded(rows, book, refs, claims, (command,))


def _wanted(book: str, refs: Sequence[StreamRef], claims: Sequence[StreamRef]) -> dict[str, object]:
    return {
        "book": book,
        "streams": [str(stream_id(book, ref)) for ref in {*refs, *claims}],
        "claims": [str(stream_id(book, ref)) for ref in claims],
    }


def _selected(connection: Connection, statement: str, wanted: Mapping[str, object]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, wanted)
        return [_Row._make(row) for row in cursor.fetchall()]


def _loaded(
    rows: Sequence[_Row],
    book: str,
    refs: Sequence[StreamRef],
    claims: Sequence[StreamRef],
    commands: Sequence[tuple[str, str]],
) -> Loaded:
    if not rows or rows[0].part != 0:
        raise BookUnknown(book)
    answers: dict[tuple[str, str], FirstAnswer] = {}
    by_stream: dict[str, list[_Row]] = {}
    for row in rows[1:]:
        if row.part == 1:
            answers[row.type, row.stream] = FirstAnswer(bytes(row.payload), row.event_id)
        else:
            by_stream.setdefault(row.stream, []).append(row)
    streams = dict.fromkeys((*refs, *claims), _EMPTY)
    for name, held in by_stream.items():
        ref = stream_ref(name)
        streams[ref] = _stream(ref, held)
    return Loaded(
        now=_utc(rows[0].at),
        book=_book(book, rows[0]),
        streams=streams,
        contracts=_contracts(book, streams, claims),
        answers=answers,
        answer=answers.get(commands[0]) if commands else None,
    )


def first_answer(connection: Connection, book: str, sender: str, command_id: str) -> FirstAnswer | None:
    """Read the first answer to a command; None when it is not on record."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWER, (book, sender, command_id))
        found = cursor.fetchone()
    return FirstAnswer(bytes(found[0]), found[1]) if found else None


_EMPTY: Final = LoadedStream(0, None, None, (), (), None)


def _stream(ref: StreamRef, rows: Sequence[_Row]) -> LoadedStream:
    recorded = [
        RecordedEvent(
            ref,
            row.version,
            read_payload(
                bytes(row.payload),
                type_name=row.type,
                schema_version=row.schema_version,
                stream=row.stream,
                version=row.version,
            ),
            row.effective_on,
            _utc(row.at),
        )
        for row in rows
    ]
    newest = rows[-1]
    return LoadedStream(
        version=newest.version,
        last_leaf=bytes(newest.leaf_hash),
        last_at=recorded[-1].at,
        recorded=recorded,
        event_ids=[UUID(row.event_id) for row in rows],
        contract_id=UUID(newest.correlation_id),
    )


def _contracts(
    book: str, streams: Mapping[StreamRef, LoadedStream], claims: Sequence[StreamRef]
) -> Mapping[StreamRef, StreamRef]:
    by_id = {stream_id(book, ref): ref for ref in streams if ref.kind == "contract"}
    found: dict[StreamRef, StreamRef] = {}
    for claim in claims:
        contract_id = streams[claim].contract_id
        contract = by_id.get(contract_id) if contract_id else None
        if contract is not None:
            found[claim] = contract
    return found


def _book(book: str, row: _Row) -> BookRow:
    open_import = (
        OpenImport(
            UUID(row.event_id), bytes(row.payload), _utc(row.import_clock_at) if row.import_clock_at else None
        )
        if row.event_id
        else None
    )
    return BookRow(
        book=book,
        kind="simulated" if row.type == "simulated" else "real",
        epoch=row.version,
        origin=row.stream,
        clock_at=_utc(row.clock_at) if row.clock_at else None,
        held_at=_utc(row.held_at) if row.held_at else None,
        open_import=open_import,
    )


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
