"""What is wrong with single rows, in words: sealed events, those that wait, those nobody recorded.

The slow and clear way, taken where the fast one found that something differs.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from ledger.proofs.errors import BadLeaf
from ledger.proofs.leaf import Leaf, payload_sha256, read_leaf
from ledger.proofs.merkle import leaf_hash
from ledger.store.canonical import named_stream_id
from ledger.store.pool import Connection
from ledger.store.sealing import UnsealedEvent, unpack
from ledger.store.sql import compose
from ledger.verification.chunks import LogChunk
from ledger.verification.findings import CutOut, NotVerified
from ledger.verification.rows import CheckedRows

EVENT_COLUMNS: Final = """
e.stream_id::text, e.version, e.stream, e.event_id::text, e.type, e.schema_version, e.effective_on::text,
to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
to_char(e.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
e.actor, e.command_id, e.ordinal, e.correlation_id::text, e.causation_id::text, e.payload, e.leaf, e.leaf_hash
"""
_BY_POSITION: Final = compose(
    """
select w.position, l.stream_id::text, l.version, l.leaf_hash, l.sealed_at::text,
    l.sealed_at < before.sealed_at, p.leaf_hash, pl.position, {event_columns}
from generate_series(%(first)s::bigint, %(end)s::bigint - 1) as w (position)
left join ledger.log l on l.book = %(book)s and l.position = w.position
left join ledger.log before on before.book = %(book)s and before.position = w.position - 1
left join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
left join ledger.log pl on pl.book = l.book and pl.stream_id = l.stream_id and pl.version = l.version - 1
    and pl.position < l.position
left join ledger.events p on p.book = pl.book and p.stream_id = pl.stream_id and p.version = pl.version
order by w.position
""",
    event_columns=EVENT_COLUMNS,
)


class EventColumns(NamedTuple):
    """An event's row as it stands: ids, dates and instants as text, as the leaf spells them."""

    stream_id: str
    version: int
    stream: str
    event_id: str
    type: str
    schema_version: int
    effective_on: str
    at: str
    recorded_at: str
    actor: str
    command_id: str
    ordinal: int
    correlation_id: str
    causation_id: str | None
    payload: bytes
    leaf: bytes
    leaf_hash: bytes
    """None in a column is as wrong as any other value that the leaf has not."""

    @property
    def row(self) -> str:
        """The row in words."""
        return f"ledger.events, {self.stream} version {self.version}"


class EventBefore(NamedTuple):
    """The event before one in its stream."""

    leaf_hash: bytes
    where: str
    """`position 48`, or that it is not sealed yet."""


class LogRow(NamedTuple):
    """What stands at one position."""

    position: int
    stream_id: str
    version: int
    leaf_hash: bytes
    sealed_at: str
    is_back_in_time: bool
    """Sealed before the position before it."""
    before: EventBefore | None
    """The stream's event before, where it is sealed at an earlier position."""
    event: EventColumns | None


def rows_between(
    connection: Connection, book: str, first: int, end: int
) -> Iterator[tuple[int, LogRow | None]]:
    """Yield each position from `first` up to, and not including, `end`; None where the log has none such."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_POSITION, {"book": book, "first": first, "end": end})
        for position, stream_id, version, leaf_hash, sealed_at, back, prev, prev_position, *columns in cursor:
            if stream_id is None:
                yield position, None
                continue
            before = None if prev is None else EventBefore(bytes(prev), f"position {prev_position}")
            yield (
                position,
                LogRow(
                    position, stream_id, version, bytes(leaf_hash or b""), sealed_at, back is True,
                    before, event_columns(columns),
                ),
            )  # fmt: skip


def event_columns(columns: list[object]) -> EventColumns | None:
    """Put an event's columns together; None where there is no such event."""
    if columns[0] is None:
        return None
    return EventColumns._make(bytes(value) if isinstance(value, memoryview) else value for value in columns)


_ENVELOPE: Final = (
    "stream", "version", "event_id", "type", "schema_version", "effective_on", "at", "recorded_at", "actor",
    "command_id", "ordinal", "correlation_id", "causation_id",
)  # fmt: skip
_SHOWN: Final = 60
"""Characters of a value that a message shows."""


def check_row(book: str, position: int, row: LogRow | None) -> bytes:
    """Check what stands at a position; gives its leaf hash. Raises NotVerified."""
    if row is None:
        raise NotVerified(position, "ledger.log", "the log has no such position: its row was deleted")
    place = f"ledger.log, position {position}"
    event = row.event
    if event is None:
        reason = (
            f"the log names stream {row.stream_id} version {row.version}, and ledger.events has no such event"
        )
        raise NotVerified(position, place, reason)
    wrong = what_is_wrong(book, event, row.leaf_hash, row.before)
    if wrong:
        raise NotVerified(position, event.row, wrong)
    if row.is_back_in_time:
        raise NotVerified(position, place, f"it was sealed at {row.sealed_at}, before the position before it")
    return row.leaf_hash


def what_is_wrong(book: str, event: EventColumns, sealed: bytes, before: EventBefore | None) -> str | None:
    """Return what is wrong with an event, given its sealed leaf hash and that of the event before it."""
    hashed = leaf_hash(event.leaf)
    if hashed != sealed and event.leaf_hash == sealed:
        return "its leaf is not the one that was sealed: the leaf was altered"
    if hashed != sealed and event.leaf_hash == hashed:
        return (
            "its leaf and leaf hash are not those that the log names: the event, or the log's row, "
            "was altered"
        )
    if event.leaf_hash != hashed:
        return "its leaf hash is not that of its leaf: one was altered"
    try:
        leaf = read_leaf(event.leaf)
    except BadLeaf as error:
        return str(error)
    return _differing_column(book, event, leaf) or _broken_chain(event, leaf, before)


def _differing_column(book: str, event: EventColumns, leaf: Leaf) -> str | None:
    if leaf.book != book:
        return f"its leaf is of the book {leaf.book!r}"
    for name in _ENVELOPE:
        stands, sealed = getattr(event, name), getattr(leaf, name)
        if stands != sealed:
            return f"its {name} is {_shown(stands)}, but {_shown(sealed)} was recorded"
    if not _is_its_stream(book, event):
        return f"its stream_id {event.stream_id} is not that of {event.stream}"
    if payload_sha256(event.payload) != leaf.payload_sha256:
        return "its payload is not the one that was recorded: it was altered"
    return None


def _is_its_stream(book: str, event: EventColumns) -> bool:
    try:
        return event.stream_id == str(named_stream_id(book, event.stream))
    except ValueError:
        return False


def _broken_chain(event: EventColumns, leaf: Leaf, before: EventBefore | None) -> str | None:
    named = f"version {event.version - 1} of {event.stream}"
    if leaf.prev is None:
        return None  # a first event: `read_leaf` has seen to it that it is version 1
    if before is None:
        return f"{named} does not stand before it in the log"
    if before.leaf_hash.hex() != leaf.prev:
        return (
            f"it does not name the leaf of {named} ({before.where}): "
            "one of the two, or their order, was altered"
        )
    return None


def _shown(value: object) -> str:
    text = str(value)
    return repr(value) if len(text) <= _SHOWN else repr(text[:_SHOWN] + "…")


_SEALED_AT = """
select (extract(epoch from sealed_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint
from ledger.log where book = %s and position = %s
"""


# The event before one in its stream stands nowhere: the newest place before which it cannot have stood.
_CUT_FROM = """
select coalesce(max(l.position) + 1, 0) from ledger.log l
where l.book = %(book)s and l.stream_id = %(stream_id)s and l.version < %(version)s
    and l.position < %(position)s
having not exists (
    select from ledger.events e
    where e.book = %(book)s and e.stream_id = %(stream_id)s and e.version = %(version)s - 1
)
"""


def check_slowly(connection: Connection, book: str, chunk: LogChunk) -> CheckedRows:
    """Check each row of a chunk, up to the first that is not what it must be."""
    leaf_hashes: list[bytes] = []
    begun, sealed_at = 0, 0
    row: LogRow | None = None
    try:
        for position, row in rows_between(connection, book, chunk.first, chunk.end):
            if position != chunk.first + len(leaf_hashes):
                twice = NotVerified(position, f"ledger.log, position {position}", "it stands there twice")
                return CheckedRows(leaf_hashes, begun, sealed_at, twice)
            leaf_hashes.append(check_row(book, position, row))
            begun += row is not None and row.version == 1
    except NotVerified as fault:
        cut = None if row is None else _cut_out(connection, book, row, fault)
        return CheckedRows(leaf_hashes, begun, sealed_at, cut or fault)
    with connection.cursor() as cursor:
        cursor.execute(_SEALED_AT, (book, chunk.end - 1))
        [(sealed_at,)] = cursor.fetchall()
    return CheckedRows(leaf_hashes, begun, sealed_at)


def _cut_out(connection: Connection, book: str, row: LogRow, fault: NotVerified) -> CutOut | None:
    """Return from where on an event may have been cut out, where that is what is wrong with a row."""
    if row.version == 1 or row.before is not None or row.event is None or fault.position != row.position:
        return None
    place = {"book": book, "stream_id": row.stream_id, "version": row.version, "position": row.position}
    with connection.cursor() as cursor:
        cursor.execute(_CUT_FROM, place)
        found = cursor.fetchone()
    if found is None:
        return None
    reason = f"{fault.reason}: it was cut out, at {found[0]} or between there and {row.position}"
    return CutOut(int(found[0]), fault.row, reason)


_EVENT_BYTES: Final = 52
_PAGE: Final = 500
_PENDING: Final = (
    "select ticket, events from ledger.pending where book = %s and ticket > %s order by ticket limit %s"
)
_WAITING: Final = compose(
    """
select w.number, l.position, p.leaf_hash, pl.position, {event_columns}
from unnest(%(streams)s::uuid[], %(versions)s::integer[]) with ordinality as w (stream_id, version, number)
left join ledger.events e on e.book = %(book)s and e.stream_id = w.stream_id and e.version = w.version
left join ledger.log l on l.book = %(book)s and l.stream_id = w.stream_id and l.version = w.version
left join ledger.events p on p.book = %(book)s and p.stream_id = w.stream_id and p.version = w.version - 1
left join ledger.log pl on pl.book = %(book)s and pl.stream_id = w.stream_id and pl.version = w.version - 1
order by w.number
""",
    event_columns=EVENT_COLUMNS,
)
_COUNTS: Final = """
select (select count(*) from ledger.log where book = %(book)s),
    (select count(*) from ledger.events where book = %(book)s)
"""
_OUTSIDE: Final = """
select e.stream, e.version, e.stream_id::text from ledger.events e
where e.book = %s
    and not exists (
        select from ledger.log l
        where l.book = e.book and l.stream_id = e.stream_id and l.version = e.version
    )
order by e.recorded_at, e.stream, e.version
"""
_STRAY_POSITION: Final = (
    "select position from ledger.log where book = %s and position < 0 order by position limit 1"
)


class PendingEvents(NamedTuple):
    """Events that wait for their position."""

    events: int
    since: datetime | None
    """When the first of them was recorded."""


def check_pending(connection: Connection, book: str, size: int) -> PendingEvents:
    """Check what stands outside a log of `size` events, which was found sound; gives what waits.

    Raises NotVerified.
    """
    waiting: set[tuple[str, int]] = set()
    since: list[datetime] = []
    for page in _pages(connection, book):
        since += _check_waiting(connection, book, page)
        waiting.update((str(UUID(bytes=event.place.stream_id)), event.place.version) for event in page)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"book": book})
        [(sealed, recorded)] = cursor.fetchall()
        if sealed != size:
            cursor.execute(_STRAY_POSITION, (book,))
            stray = cursor.fetchone()
            row = "ledger.log" if stray is None else f"ledger.log, position {stray[0]}"
            raise NotVerified(None, row, f"{sealed} rows stand for {size} positions: one was put in")
        if recorded == size + len(waiting):
            return PendingEvents(len(waiting), min(since, default=None))
        cursor.execute(_OUTSIDE, (book,))
        for stream, version, stream_id in cursor:
            if (stream_id, version) not in waiting:
                reason = (
                    "it stands neither in the log nor among those that wait: it was put in, or what "
                    "waits was deleted"
                )
                raise NotVerified(None, f"ledger.events, {stream} version {version}", reason)
    reason = f"it has {recorded} events, but {size} are sealed and {len(waiting)} wait"
    raise NotVerified(None, "ledger.events", reason)


def _pages(connection: Connection, book: str) -> Iterator[list[UnsealedEvent]]:
    """Yield the events that wait, commit by commit, some hundred commits at a time."""
    after = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PENDING, (book, after, _PAGE))
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        for ticket, events in rows:
            if not len(events) or len(events) % _EVENT_BYTES:
                reason = f"it has {len(events)} bytes, which are no events: it was altered"
                raise NotVerified(None, f"ledger.pending, ticket {ticket}", reason)
        yield [event for _, events in rows for event in unpack(bytes(events))]


def _check_waiting(connection: Connection, book: str, events: Sequence[UnsealedEvent]) -> Iterator[datetime]:
    """Check events that wait; gives when each was recorded."""
    wanted = {
        "book": book,
        "streams": [str(UUID(bytes=event.place.stream_id)) for event in events],
        "versions": [event.place.version for event in events],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, wanted)
        for number, position, prev, prev_position, *columns in cursor:
            place, leaf_hash = events[number - 1]
            stands = event_columns(columns)
            if stands is None:
                row = f"ledger.pending, stream {UUID(bytes=place.stream_id)} version {place.version}"
                raise NotVerified(
                    None, row, "ledger.events has no such event: it was deleted, or never recorded"
                )
            if position is not None:
                raise NotVerified(
                    position, stands.row, "it still waits for a position, but the log has it already"
                )
            where = "not sealed yet" if prev_position is None else f"position {prev_position}"
            before = None if prev is None else EventBefore(bytes(prev), where)
            wrong = what_is_wrong(book, stands, leaf_hash, before)
            if wrong:
                raise NotVerified(None, f"{stands.row}, not sealed yet", wrong)
            yield datetime.fromisoformat(stands.recorded_at)
