"""Retention (R13): until when records are kept, and whose are over. It proposes; a person erases."""

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg2.extras import execute_values
from pydantic import TypeAdapter

from ledger.clock import present
from ledger.domain.calendar import brussels_date
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.domain.retention import (
    LISTENED_TO,
    KeptClaim,
    KeptContract,
    keep_claim,
    keep_contract,
    paid,
    retention,
)
from ledger.feed.reader import FeedEvent, read_feed
from ledger.privacy.holds import Hold, standing_holds
from ledger.store.canonical import stream_ref
from ledger.store.feed import checkpoint, feed_end
from ledger.store.pool import Connection
from ledger.verification.findings import CheckedView, NotVerified, OnProgress

if TYPE_CHECKING:
    from ledger.app import App

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


class RetentionRow(NamedTuple):
    """What is noted of one stream."""

    stream: StreamRef
    contract: str
    person: str
    erased: bool
    due_on: date | None
    memory: str


class ExpiredRetention(NamedTuple):
    """A person whose records nothing asks for any more."""

    person: str
    contracts: Sequence[str]
    since: date


def load_memories(
    connection: Connection, book: str, streams: Collection[StreamRef]
) -> Mapping[StreamRef, str]:
    """Return what is remembered of these streams; those that are not known are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, (book, [stream.name for stream in streams]))
        return {stream_ref(name): memory for name, memory in cursor}


def save_rows(connection: Connection, book: str, rows: Sequence[RetentionRow]) -> None:
    """Write down what is known of these streams now. Commits nothing."""
    written = [
        (book, row.stream.name, row.contract, row.person, row.erased, row.due_on, row.memory) for row in rows
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, _KEEP, written)


def rows(connection: Connection, book: str) -> Mapping[StreamRef, RetentionRow]:
    """Return all that is noted of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, (book,))
        found = [RetentionRow(stream_ref(stream), *rest) for stream, *rest in cursor]
    return {row.stream: row for row in found}


def drop_rows(connection: Connection, book: str) -> None:
    """Drop all notes of a book."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP, (book,))


def expired_retentions(connection: Connection, book: str, until: date) -> Sequence[ExpiredRetention]:
    """Return the persons of whom every contract's retention was over by a day, the longest over first."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, {"book": book, "until": until})
        return [ExpiredRetention(*row) for row in cursor]


NAME = "retention"

KeptRecord = KeptContract | KeptClaim

_CONTRACTS: Final = TypeAdapter(KeptContract)
_CLAIMS: Final = TypeAdapter(KeptClaim)


class Retention:
    """Notes until when each contract's records are kept, and whose they are."""

    name = NAME
    types: frozenset[str] | None = frozenset(event.stable_name for event in LISTENED_TO)

    def __init__(self, book: str) -> None:
        """Follow for one book."""
        self.book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit."""
        standing = self._standing(connection, {event.stream for event in events})
        moved: set[StreamRef] = set()
        for event in events:
            home = home_of(standing, event)
            if home is not None and home not in standing:
                standing |= self._standing(connection, {home})
            moved.update(fold_into(standing, event))
        save_rows(connection, self.book, [row_of(stream, standing[stream]) for stream in moved])

    def forget(self, connection: Connection) -> None:
        """Drop all notes of the book, to be kept again from the start. Must not commit."""
        drop_rows(connection, self.book)

    def _standing(self, connection: Connection, streams: set[StreamRef]) -> dict[StreamRef, KeptRecord]:
        return {
            stream: (_CONTRACTS if stream.kind == "contract" else _CLAIMS).validate_json(text)
            for stream, text in load_memories(connection, self.book, streams).items()
        }


def home_of(standing: Mapping[StreamRef, KeptRecord], event: FeedEvent) -> StreamRef | None:
    """Return the contract that a claim belongs to after an event; None for a contract's own event."""
    after = _after(standing.get(event.stream), event)
    return contract_ref(after.contract) if isinstance(after, KeptClaim) else None


def fold_into(standing: dict[StreamRef, KeptRecord], event: FeedEvent) -> Iterator[StreamRef]:
    """Fold one event into what is known of its stream and of its contract; names those that it moves."""
    after = _after(standing.get(event.stream), event)
    if after is None:
        return
    standing[event.stream] = after
    yield event.stream
    if isinstance(after, KeptClaim):
        home = contract_ref(after.contract)
        contract = standing.get(home)
        if isinstance(contract, KeptContract):
            standing[home] = paid(contract, after)
            yield home


def _after(before: KeptRecord | None, event: FeedEvent) -> KeptRecord | None:
    if event.stream.kind == "contract":
        return keep_contract(before if isinstance(before, KeptContract) else None, event.recorded)
    return keep_claim(before if isinstance(before, KeptClaim) else None, event.recorded)


def row_of(stream: StreamRef, memory: KeptRecord) -> RetentionRow:
    """Write down what is known of a stream."""
    if isinstance(memory, KeptContract):
        due = retention(memory)
        text = _CONTRACTS.dump_json(memory).decode()
        return RetentionRow(
            stream,
            memory.contract,
            memory.person,
            erased=memory.erased,
            due_on=None if due is None else due.due_on,
            memory=text,
        )
    text = _CLAIMS.dump_json(memory).decode()
    return RetentionRow(
        stream, memory.contract, memory.person, erased=memory.erased, due_on=None, memory=text
    )


BATCH = 2000
"""Positions read at once."""
SNAPSHOT = "set transaction isolation level repeatable read, read only"


def check_retention(wiring: "App", progress: OnProgress) -> CheckedView:
    """Check the notes as far as they have come. Raises NotVerified for the first bad row."""
    newest: dict[StreamRef, int] = {}
    standing: dict[StreamRef, KeptRecord] = {}
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        position, end = checkpoint(connection, wiring.book, NAME), feed_end(connection, wiring.book)
        if position > end:
            row = f"ledger.followers, {NAME}"
            raise NotVerified(
                None, row, f"it says position {position}, the feed ends at {end}: it was altered"
            )
        after = -1
        while after < position:
            limit = min(BATCH, position - after)
            for event in read_feed(connection, wiring.book, after, limit, Retention.types):
                newest.update(dict.fromkeys(fold_into(standing, event), event.position))
            after += limit
            progress(after + 1, position + 1)
        kept = rows(connection, wiring.book)
    fresh = {stream: row_of(stream, memory) for stream, memory in standing.items()}
    differing = [stream for stream in kept.keys() | fresh.keys() if kept.get(stream) != fresh.get(stream)]
    if differing:
        first = min(differing, key=lambda stream: (newest.get(stream, end), stream.name))
        if first not in kept:
            what = "the row that the feed gives is missing: it was deleted"
        elif first not in fresh:
            what = "no event explains this row: it was put in"
        else:
            what = "it is not what the feed gives: it was altered"
        raise NotVerified(newest.get(first), f"schedulers.retention, {first.name}", what)
    return CheckedView(len(fresh), position)


def today_of(wiring: "App") -> date:
    """Return the book's present day."""
    return brussels_date(present(wiring.book_row(), wiring.now()))


def proposals(wiring: "App", day: date) -> list[dict[str, object]]:
    """Return them as of a day; who is held shows with the hold and no command."""
    with wiring.pool.connection() as connection:
        found = expired_retentions(connection, wiring.book, day)
        contracts = {contract for one in found for contract in one.contracts}
        holds = {hold.contract: hold for hold in standing_holds(connection, wiring.book, contracts)}
    return [_proposal(one, holds, wiring.book) for one in found]


def list_proposals(wiring: "App", asked: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what `deadlines retention --json` prints (`until`: a day)."""
    return proposals(wiring, date.fromisoformat(asked["until"]) if asked.get("until") else today_of(wiring))


def _proposal(one: ExpiredRetention, holds: Mapping[str, Hold], book: str) -> dict[str, object]:
    held = [holds[contract] for contract in one.contracts if contract in holds]
    reason = f"retention over since {one.since}"
    in_book = "" if book == "cyber-care" else f" --book {shlex.quote(book)}"
    command = f"coverledger subject erase {shlex.quote(one.person)} --reason {shlex.quote(reason)}{in_book}"
    return {
        "person": one.person,
        "contracts": list(one.contracts),
        "over_since": one.since.isoformat(),
        "holds": [
            {"contract": hold.contract, "since": f"{hold.placed_at:%Y-%m-%d}", "by": hold.placed_by}
            for hold in held
        ],
        "command": None if held else command,
    }
