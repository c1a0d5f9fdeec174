"""One question's view of the world: a book at a position, and where asked, on a date."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from ledger.domain.calendar import ONE_DAY, brussels_midnight
from ledger.domain.command import read_date, read_instant
from ledger.domain.identifiers import StreamRef
from ledger.errors import Rejected, UsageError
from ledger.feed.reader import Cursor, FeedEvent, check_cursor, read_feed, read_streams
from ledger.privacy.access import Opening, Stored
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.feed import checkpoint, feed_end
from ledger.store.log import select_epochs
from ledger.store.pool import Connection
from ledger.store.vault import SealedValue, sealed_values
from projections.runner.rows import AsOf, Given, RowSource
from projections.runner.view import Folding, View

BATCH = 2000
"""Positions read at once."""

FIRST_POSITION = "select position from ledger.log where book = %s and stream_id = %s and version = 1"

BETWEEN = """
select distinct events.stream from ledger.log join ledger.events using (book, stream_id, version)
where log.book = %s and log.position > %s and log.position <= %s limit %s
"""

BELONGING = """
with live as (select view, generation from projections.generations where book = %(book)s and state = 'live')
select 'claim', claim, min(opened_position) from projections.claims
where book = %(book)s and generation = (select generation from live where view = 'claims')
    and contract = %(contract)s and from_position <= %(position)s
group by claim
union all
select 'complaint', complaint, min(opened_position) from projections.complaints
where book = %(book)s and generation = (select generation from live where view = 'complaints')
    and contract = %(contract)s and from_position <= %(position)s
group by complaint
order by 3
"""


def plain_json(value: object) -> object:
    """Turn dates and instants, wherever they stand, into their ISO texts."""
    if isinstance(value, date):  # an instant is one too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(inner) for inner in value]
    return value


def first_position(connection: Connection, book: str, stream: StreamRef) -> int:
    """Return the position of a stream's first event. Raises `KeyError` when none is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_POSITION, (book, str(stream_id(book, stream))))
        found = cursor.fetchone()
    if found is None:
        raise KeyError(stream.name)
    return int(found[0])


def streams_between(connection: Connection, book: str, after: int, until: int, limit: int) -> list[StreamRef]:
    """Return the streams that events happened to after a position, until another one; so many at most."""
    with connection.cursor() as cursor:
        cursor.execute(BETWEEN, (book, after, until, limit))
        return [stream_ref(name) for (name,) in cursor]


def belonging(connection: Connection, book: str, contract: str, position: int) -> list[StreamRef]:
    """Return a contract's stream, then those of the claims and complaints that were ever on it by a position.

    Reads the registers of claims and complaints: they must have been brought up to the position.
    """
    with connection.cursor() as cursor:
        cursor.execute(BELONGING, {"book": book, "contract": contract, "position": position})
        return [StreamRef("contract", contract), *(StreamRef(kind, number) for kind, number, _ in cursor)]


def read_scope(
    connection: Connection, book: str, scope: StreamRef | None, position: int
) -> Sequence[FeedEvent]:
    """Read, up to a position, the events of a stream; of a contract with all that belongs to it; or all."""
    if scope is None:
        return list(read_until(connection, book, position))
    streams = belonging(connection, book, scope.number, position) if scope.kind == "contract" else [scope]
    return read_streams(connection, book, streams, position)


def read_until(
    connection: Connection, book: str, position: int, types: Collection[str] | None = None
) -> Iterator[FeedEvent]:
    """Read the feed from its start up to and including a position."""
    after = -1
    while after < position:
        limit = min(BATCH, position - after)
        yield from read_feed(connection, book, after, limit, types)
        after += limit


NOTHING = -1
"""The position before the first: nothing was known yet."""

ONE_MOMENT = timedelta(microseconds=1)

SEALED_AT = "select sealed_at from ledger.log where book = %s and position = %s"

IS_OVER = "select %s < clock_timestamp()"

POSITION = re.compile(r"([1-9][0-9]{0,8}:)?(0|[1-9][0-9]{0,18})", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class NothingKnown(Rejected):
    """By the time asked for the ledger knew of nothing yet: an answer would rest on nothing."""

    def __init__(self, book: str, since: datetime | None) -> None:
        """`since`: when its first record became known, UTC; None: it has none."""
        self.since = since
        super().__init__(
            f"Nothing is known yet: book {book!r} has no record."
            if since is None
            else f"Nothing was known before {since.isoformat()}, when the first record of book {book!r} was "
            "sealed: ask for a later time."
        )


def read_as_of(said: str, *, name: str = "--as-of") -> Cursor | datetime:
    """Read what stands behind `--as-of`: a position, an instant with its offset, or a date (until its end).

    A bare position is one of the first epoch of the log. `name`: what the option is called where it is given.

    Raises `UsageError` for anything else.
    """
    if POSITION.fullmatch(said):
        return Cursor.parse(said)
    try:
        if DATE.fullmatch(said):
            # All that was known on that day: until the midnight that ends it, not included.
            return brussels_midnight(read_date(said) + ONE_DAY) - ONE_MOMENT
        return read_instant(said)
    except ValueError as error:
        message = (
            f"{name} {said!r} is neither a position (4711), nor an instant with its offset"
            " (2026-03-01T09:00:00+01:00), nor a date (2026-03-01), from 1900 to 2199: write one of these."
        )
        raise UsageError(message) from error


def known_end(connection: Connection, book: str, views: Collection[str]) -> int:
    """Return the last position that all these views have folded; of no view: the feed's end.

    A question stands for no later one: while it is asked, others record and seal, and an answer as of a
    position must be the one that this position will always give.
    """
    if not views:
        return feed_end(connection, book)
    return min(checkpoint(connection, book, name) for name in views)


def position_as_of(
    connection: Connection, book: str, asked: Cursor | datetime | None, end: int, *, empty_ok: bool = False
) -> int:
    """Turn what was asked for into a position up to `end`, which None asks for.

    Raises `UsageError` for a position that has not been reached: its answer could still change;
    `NothingKnown` for an instant before the first record, unless `empty_ok`; `EpochsPart` and `EpochUnknown`
    for a position that the log does not hold any more, or not yet.
    """
    if asked is None:
        return end
    if isinstance(asked, Cursor):
        check_cursor(asked, select_epochs(connection, book))
        if asked.position > end:
            reached = "is empty" if end == NOTHING else f"ends at position {end}"
            message = (
                f"Position {asked.position} is not there yet: the feed {reached}; ask for one up to that."
            )
            raise UsageError(message)
        return asked.position
    if not empty_ok:
        since = sealed_at(connection, book, 0)
        if since is None or asked < since:
            raise NothingKnown(book, since)
    return _last_sealed_by(connection, book, asked, end)


def is_over(connection: Connection, instant: datetime) -> bool:
    """Return whether an instant lies behind the database's clock: nothing more is sealed by it."""
    with connection.cursor() as cursor:
        cursor.execute(IS_OVER, (instant,))
        (over,) = cursor.fetchone() or (False,)
    return bool(over)


def sealed_at(connection: Connection, book: str, position: int) -> datetime | None:
    """Return the instant at which a position became known, UTC; None for a position that has no event."""
    with connection.cursor() as cursor:
        cursor.execute(SEALED_AT, (book, position))
        found = cursor.fetchone()
    return None if found is None else found[0].astimezone(UTC)


def _last_sealed_by(connection: Connection, book: str, instant: datetime, end: int) -> int:
    # `sealed_at` never decreases and positions are dense, so the log is searched by halving:
    # some twenty look-ups by its key, and no further index on the largest table.
    low, high = NOTHING, end
    while low < high:
        middle = (low + high + 1) // 2
        at = sealed_at(connection, book, middle)
        if at is not None and at <= instant:
            low = middle
        else:
            high = middle - 1
    return low


Memory = TypeVar("Memory")

SNAPSHOT = "set transaction isolation level repeatable read, read only"
"""First statement of the transaction that a question is answered in."""


@dataclass(slots=True)
class Reader:
    """Where questions find their rows: in the views as of a position, or folded for a date (`on`).

    With `on`, the streams asked for are folded from events up to the position with
    `effective_on` ≤ `on`; without, the views' own tables answer.
    """

    connection: Connection
    book: str
    position: int
    on: date | None = None
    opening: Opening | None = None
    """Opens personal values for whoever asks; None: they stay sealed."""
    folded: Mapping[str, int] = field(default_factory=dict)
    """How far views had come when the transaction's snapshot was taken; of others that is not known."""
    _events: dict[StreamRef | None, Sequence[FeedEvent]] = field(default_factory=dict)

    def source(self, view: View[Memory], scope: StreamRef | None = None) -> RowSource:
        """Return a view's rows; `scope`: of this stream, or of this contract and what belongs to it."""
        if self.on is None:
            return AsOf(self.book, self.position, is_newest=self.folded.get(view.name) == self.position)
        folding = Folding(view, elsewhere=self._first_position)
        for event in self._read(scope):
            if event.effective_on <= self.on and (view.types is None or event.type in view.types):
                folding.take(event)
        return Given(folding.standing(), folding.standing_since())

    def events(self, stream: StreamRef, *, own: bool) -> Sequence[FeedEvent]:
        """Return a stream's events up to that time; not `own`: with those of what belongs to a contract."""
        if own:
            found: Sequence[FeedEvent] = read_streams(self.connection, self.book, [stream], self.position)
        else:
            found = self._read(stream)
        return [event for event in found if self.on is None or event.effective_on <= self.on]

    def around(self, scope: StreamRef | None) -> Sequence[FeedEvent]:
        """Return the events of a contract and what belongs to it, or of the whole book, up to that time."""
        return [event for event in self._read(scope) if self.on is None or event.effective_on <= self.on]

    def _read(self, scope: StreamRef | None) -> Sequence[FeedEvent]:
        if scope not in self._events:
            self._events[scope] = read_scope(self.connection, self.book, scope, self.position)
        return self._events[scope]

    def _first_position(self, stream: str) -> int:
        return first_position(self.connection, self.book, stream_ref(stream))


FIELDS = ("name", "email", "address")
"""What a person is known by. Narratives, reasons and accounts are opened by `replay` alone."""

Person = dict[str, object]


def persons_of(reader: Reader, opening: Opening, stream: StreamRef) -> list[Person]:
    """Return the persons of a contract with its claims and complaints, or of a claim, as known at that time.

    Whoever was erased stands with `[erased]`. What the contract says goes before what a claim says.
    """
    events = sorted(reader.events(stream, own=False), key=lambda event: event.stream.kind == "contract")
    clear_texts = opening.clear_texts(map(stored, events), _names_somebody)
    persons: dict[str, Person] = {}
    for event in events:
        for value in filter(_names_somebody, sealed_values(event.payload)):
            unnamed = {"person": value.person} | dict.fromkeys(FIELDS)
            persons.setdefault(value.person, unnamed)[_field(value)] = clear_texts[value.box]
    return list(persons.values())


def stored(event: FeedEvent) -> Stored:
    """Return an event as far as opening it needs."""
    return Stored(event.stream, event.version, event.type, event.payload)


def _names_somebody(value: SealedValue) -> bool:
    return _field(value) in FIELDS


def _field(value: SealedValue) -> str:
    return value.path.rpartition(".")[2]
