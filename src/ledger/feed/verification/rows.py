"""Single rows in words: events by position, or those that wait, with all that each must agree with.

The slow and clear way, taken where the fast one found that something differs.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.store.pool import Connection

EVENT_COLUMNS: Final = """
e.stream_id::text, e.version, e.stream, e.event_id::text, e.type, e.schema_version, e.effective_on::text,
to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
to_char(e.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
e.actor, e.command_id, e.ordinal, e.correlation_id::text, e.causation_id::text, e.payload, e.leaf, e.leaf_hash
"""
_BY_POSITION: Final = f"""
select w.position, l.stream_id::text, l.version, l.leaf_hash, l.sealed_at::text,
    l.sealed_at < before.sealed_at, p.leaf_hash, pl.position, {EVENT_COLUMNS}
from generate_series(%(first)s::bigint, %(end)s::bigint - 1) as w (position)
left join ledger.log l on l.book = %(book)s and l.position = w.position
left join ledger.log before on before.book = %(book)s and before.position = w.position - 1
left join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
left join ledger.log pl on pl.book = l.book and pl.stream_id = l.stream_id and pl.version = l.version - 1
    and pl.position < l.position
left join ledger.events p on p.book = pl.book and p.stream_id = pl.stream_id and p.version = pl.version
order by w.position
"""  # noqa: S608 # put together from its own constants


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
    """Give each position from `first` up to, and not including, `end`; None where the log has none such."""
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
