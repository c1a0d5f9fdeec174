"""The agenda: of each stream its state, when time will next owe it something, and which deadlines stand."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg2.extras import execute_values

from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import Deadline, takes_effect_at
from ledger.domain.dispatch import State, fold, next_instant, state_from_json, state_to_json
from ledger.domain.event import RecordedEvent
from ledger.domain.identifiers import StreamKind, StreamRef
from ledger.feed.reader import FeedEvent, read_feed
from ledger.store.canonical import stream_ref
from ledger.store.feed import checkpoint, feed_end
from ledger.store.pool import Connection
from ledger.verification.findings import CheckedView, NotVerified, OnProgress

if TYPE_CHECKING:
    from ledger.app import App


class PendingChange(NamedTuple):
    """Streams whose standing deadlines an event has changed, with those that stand now."""

    streams: Collection[StreamRef]
    rows: Sequence[Deadline]


def pending(state: State | None) -> tuple[Deadline, ...]:
    """Return the deadlines of a stream that still ask for something."""
    return () if state is None else tuple(row for row in state.deadlines if is_pending(row))


def is_pending(row: Deadline) -> bool:
    """Return whether a deadline is open, or was missed and not met since."""
    return row.status == "open" or (row.status == "missed" and row.met_on is None)


def pending_changes(before: Mapping[StreamRef, State], after: Mapping[StreamRef, State]) -> PendingChange:
    """Compare what stood before a batch of events with what stands after it."""
    moved = {
        stream: pending(state)
        for stream, state in after.items()
        if pending(state) != pending(before.get(stream))
    }
    return PendingChange(moved.keys(), [row for rows in moved.values() for row in rows])


class AgendaEntry(NamedTuple):
    """A stream's state, and the earliest instant (UTC) at which time will owe it something.

    None: time will never owe it anything again.
    """

    state: State
    due_at: datetime | None

    @property
    def kinds(self) -> list[str]:
        """The deadlines that take effect then; none where a letter recorded late ends the contract (D3)."""
        return [
            row.kind for row in self.state.deadlines if self.due_at and takes_effect_at(row) == self.due_at
        ]


def fold_entry(before: AgendaEntry | None, recorded: RecordedEvent) -> AgendaEntry | None:
    """Fold one event of the stream. None: the stream has not begun."""
    state = fold(None if before is None else before.state, recorded)
    return None if state is None else AgendaEntry(state, next_instant(state))


def entry_to_json(diarised: AgendaEntry) -> str:
    """Write the state that the next event of the stream will need."""
    return state_to_json(diarised.state)


def entry_from_json(stream: StreamRef, due_at: datetime | None, text: str) -> AgendaEntry:
    """Read what was kept."""
    return AgendaEntry(state_from_json(stream.kind, text), due_at)


_LOAD = "select stream, due_at, memory from schedulers.diary where book = %s and stream = any(%s)"

_SAVE = """
insert into schedulers.diary (book, stream, due_at, kinds, memory) values %s
on conflict (book, stream) do update
set due_at = excluded.due_at, kinds = excluded.kinds, memory = excluded.memory
"""
_TEMPLATE = "(%s, %s, %s, %s::text[], %s)"
_PAGE = 2000
"""Rows in one statement of VALUES."""

_APPOINTMENTS = """
select stream, due_at, kinds from schedulers.diary
where book = %(book)s and due_at is not null
    and (%(until)s::timestamptz is null or due_at <= %(until)s)
order by due_at, stream
"""

_DUE = """
select stream, due_at, kinds from schedulers.diary
where book = %(book)s and due_at <= %(until)s and (due_at, stream) > (%(after_at)s, %(after_stream)s)
order by due_at, stream
limit %(limit)s
"""

_STATES = "select stream, memory from schedulers.diary where book = %s and stream like %s order by stream"

_NEXT_DUE_AFTER = "select min(due_at) from schedulers.diary where book = %s and due_at > %s"

_DROP = """
delete from schedulers.diary where book = %(book)s;
delete from schedulers.deadlines where book = %(book)s
"""

_DEADLINE_COLUMNS: Final = "stream, kind, rule, seq, raw_due_on, due_on, alert_on, status"
_DELETE_DEADLINES = "delete from schedulers.deadlines where book = %s and stream = any(%s)"
_INSERT_DEADLINES = f"insert into schedulers.deadlines (book, {_DEADLINE_COLUMNS}) values %s"  # noqa: S608  # own constants
_DEADLINES = f"""
select {_DEADLINE_COLUMNS} from schedulers.deadlines
where book = %(book)s
    and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
    and (%(due_until)s::date is null or due_on <= %(due_until)s)
    and (%(alert_until)s::date is null or alert_on <= %(alert_until)s)
order by due_on, stream, kind, seq
"""  # noqa: S608  # own constants

_COUNT = "select count(*) from schedulers.diary where book = %s and due_at <= %s"


class Appointment(NamedTuple):
    """A stream, and the instant (UTC) at which time will owe it something."""

    stream: StreamRef
    due_at: datetime
    kinds: tuple[str, ...]
    """Deadlines that take effect then."""


def load_entries(
    connection: Connection, book: str, streams: Collection[StreamRef]
) -> dict[StreamRef, AgendaEntry]:
    """Return what the diary holds of these streams; those that it does not know are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, (book, [stream.name for stream in streams]))
        found = [(stream_ref(name), due_at, memory) for name, due_at, memory in cursor]
    return {stream: entry_from_json(stream, due_at, memory) for stream, due_at, memory in found}


def save_entries(connection: Connection, book: str, diarised: Mapping[StreamRef, AgendaEntry]) -> None:
    """Write down what is known of these streams now. Commits nothing."""
    rows = [
        (book, stream.name, entry.due_at, entry.kinds, entry_to_json(entry))
        for stream, entry in diarised.items()
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, _SAVE, rows, template=_TEMPLATE, page_size=_PAGE)


def list_appointments(connection: Connection, book: str, until: datetime | None = None) -> list[Appointment]:
    """Return all that is diarised, the next first; `until`: up to and including that instant."""
    with connection.cursor() as cursor:
        cursor.execute(_APPOINTMENTS, {"book": book, "until": until})
        return [Appointment(stream_ref(stream), due_at, tuple(kinds)) for stream, due_at, kinds in cursor]


def due_by(
    connection: Connection, book: str, until: datetime, after: Appointment | None, limit: int
) -> list[Appointment]:
    """Return the next streams whose time has come by an instant, after the last one that was seen."""
    # The empty name sorts before every stream, so the first page starts at the very beginning.
    asked = {
        "book": book,
        "until": until,
        "after_at": "-infinity" if after is None else after.due_at,
        "after_stream": "" if after is None else after.stream.name,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, asked)
        return [Appointment(stream_ref(stream), due_at, tuple(kinds)) for stream, due_at, kinds in cursor]


def count_due(connection: Connection, book: str, until: datetime) -> int:
    """Return how many streams' time has come by an instant."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (book, until))
        (counted,) = cursor.fetchone() or (0,)
        return int(counted)


def next_due_after(connection: Connection, book: str, now: datetime) -> datetime | None:
    """Return the first instant (UTC) after `now` at which time will owe some stream something."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE_AFTER, (book, now))
        [(instant,)] = cursor.fetchall()
        return None if instant is None else instant.astimezone(UTC)


def save_deadlines(connection: Connection, book: str, change: PendingChange) -> None:
    """Write down which deadlines of these streams stand now. Commits nothing."""
    if not change.streams:
        return
    rows = [
        (
            book,
            row.subject.name,
            row.kind,
            row.rule,
            row.seq,
            row.raw_due_on,
            row.due_on,
            row.alert_on,
            row.status,
        )
        for row in change.rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_DEADLINES, (book, [stream.name for stream in change.streams]))
        execute_values(cursor, _INSERT_DEADLINES, rows, page_size=_PAGE)


def load_states(connection: Connection, book: str, kind: StreamKind | None = None) -> Sequence[State]:
    """Return all streams, or those of one kind, as the diary knows them, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, (book, f"{kind or ''}%"))
        return [entry_from_json(stream_ref(stream), None, memory).state for stream, memory in cursor]


def load_contracts(connection: Connection, book: str) -> Sequence[Contract]:
    """Return all contracts as the diary knows them, by number."""
    return [state for state in load_states(connection, book, "contract") if isinstance(state, Contract)]


def pending_deadlines(
    connection: Connection,
    book: str,
    *,
    kinds: Collection[str] | None = None,
    due_until: date | None = None,
    alert_until: date | None = None,
) -> Sequence[Deadline]:
    """Return the deadlines that are open, or missed and not met, the first due first. Dates are inclusive."""
    asked = {
        "book": book,
        "kinds": None if kinds is None else list(kinds),
        "due_until": due_until,
        "alert_until": alert_until,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DEADLINES, asked)
        return [Deadline(stream_ref(stream), *rest) for stream, *rest in cursor]


def drop_agenda(connection: Connection, book: str) -> None:
    """Drop all notes of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP, {"book": book})


NAME = "diary"


class Agenda:
    """Notes for each stream of a book when time will next owe it something, and which deadlines stand."""

    name = NAME
    types: frozenset[str] | None = None

    def __init__(self, book: str) -> None:
        """Follow for the diary of one book."""
        self.book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit."""
        diarised = load_entries(connection, self.book, {event.stream for event in events})
        before = {stream: entry.state for stream, entry in diarised.items()}
        for event in events:
            entry = fold_entry(diarised.get(event.stream), event.recorded)
            if entry is not None:
                diarised[event.stream] = entry
        save_entries(connection, self.book, diarised)
        after = {stream: entry.state for stream, entry in diarised.items()}
        save_deadlines(connection, self.book, pending_changes(before, after))

    def forget(self, connection: Connection) -> None:
        """Drop the book's diary, to be kept again from the start. Must not commit."""
        drop_agenda(connection, self.book)


BATCH = 2000
"""Positions read at once."""
_SNAPSHOT = "set transaction isolation level repeatable read, read only"
_ROWS = "select stream, due_at, kinds, memory from schedulers.diary where book = %s"


def check_agenda(wiring: "App", progress: OnProgress) -> CheckedView:
    """Check the diary as far as it has come. Raises NotVerified for the first bad row."""
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT)
        position, end = checkpoint(connection, wiring.book, NAME), feed_end(connection, wiring.book)
        if position > end:
            row = f"ledger.followers, {NAME}"
            raise NotVerified(
                None, row, f"it says position {position}, the feed ends at {end}: it was altered"
            )
        diarised, newest = _fold_feed(connection, wiring.book, position, progress)
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, (wiring.book,))
            kept = {stream: (due_at, tuple(kinds), memory) for stream, due_at, kinds, memory in cursor}
        noted: dict[str, set[Deadline]] = {}
        for deadline in pending_deadlines(connection, wiring.book):
            noted.setdefault(deadline.subject.name, set()).add(deadline)
    fresh = {
        stream.name: (entry.due_at, tuple(entry.kinds), entry_to_json(entry))
        for stream, entry in diarised.items()
    }
    differing = [name for name in kept.keys() | fresh.keys() if kept.get(name) != fresh.get(name)]
    if differing:
        first = min(differing, key=lambda name: (newest.get(stream_ref(name), end), name))
        place = newest.get(stream_ref(first))
        raise NotVerified(place, f"schedulers.diary, {first}", _difference(kept.get(first), fresh.get(first)))
    _check_pending(diarised, noted, newest)
    return CheckedView(len(fresh), position)


def _fold_feed(
    connection: Connection, book: str, position: int, progress: OnProgress
) -> tuple[dict[StreamRef, AgendaEntry], dict[StreamRef, int]]:
    """Fold the feed up to a position; with the newest position of each stream."""
    diarised: dict[StreamRef, AgendaEntry] = {}
    newest: dict[StreamRef, int] = {}
    after = -1
    while after < position:
        limit = min(BATCH, position - after)
        for event in read_feed(connection, book, after, limit):
            entry = fold_entry(diarised.get(event.stream), event.recorded)
            if entry is not None:
                diarised[event.stream] = entry
                newest[event.stream] = event.position
        after += limit
        progress(after + 1, position + 1)
    return diarised, newest


def _check_pending(
    diarised: dict[StreamRef, AgendaEntry], noted: dict[str, set[Deadline]], newest: dict[StreamRef, int]
) -> None:
    """Check the deadlines that stand. Raises NotVerified for the first bad row."""
    owed = {ref.name: set(pending(entry.state)) for ref, entry in diarised.items() if pending(entry.state)}
    for name in sorted(noted.keys() | owed.keys()):
        if noted.get(name) != owed.get(name):
            place = newest.get(stream_ref(name))
            raise NotVerified(
                place, f"schedulers.deadlines, {name}", _difference(noted.get(name), owed.get(name))
            )


def _difference(kept: object, fresh: object) -> str:
    if kept is None:
        return "the row that the feed gives is missing: it was deleted"
    if fresh is None:
        return "no event explains this row: it was put in"
    return "it is not what the feed gives: it was altered"
