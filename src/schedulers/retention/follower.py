"""Until when records are kept, as a follower of the feed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import TypeAdapter

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
from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from schedulers.retention.queries import Row, drop, keep, kept

NAME = "retention"

Kept = KeptContract | KeptClaim

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
        keep(connection, self.book, [row_of(stream, standing[stream]) for stream in moved])

    def forget(self, connection: Connection) -> None:
        """Drop all notes of the book, to be kept again from the start. Must not commit."""
        drop(connection, self.book)

    def _standing(self, connection: Connection, streams: set[StreamRef]) -> dict[StreamRef, Kept]:
        return {
            stream: (_CONTRACTS if stream.kind == "contract" else _CLAIMS).validate_json(text)
            for stream, text in kept(connection, self.book, streams).items()
        }


def home_of(standing: Mapping[StreamRef, Kept], event: FeedEvent) -> StreamRef | None:
    """Name the contract that a claim belongs to after an event; None for a contract's own event."""
    after = _after(standing.get(event.stream), event)
    return contract_ref(after.contract) if isinstance(after, KeptClaim) else None


def fold_into(standing: dict[StreamRef, Kept], event: FeedEvent) -> Iterator[StreamRef]:
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


def _after(before: Kept | None, event: FeedEvent) -> Kept | None:
    if event.stream.kind == "contract":
        return keep_contract(before if isinstance(before, KeptContract) else None, event.recorded)
    return keep_claim(before if isinstance(before, KeptClaim) else None, event.recorded)


def row_of(stream: StreamRef, memory: Kept) -> Row:
    """Write down what is known of a stream."""
    if isinstance(memory, KeptContract):
        due = retention(memory)
        text = _CONTRACTS.dump_json(memory).decode()
        return Row(
            stream,
            memory.contract,
            memory.person,
            erased=memory.erased,
            due_on=None if due is None else due.due_on,
            memory=text,
        )
    text = _CLAIMS.dump_json(memory).decode()
    return Row(stream, memory.contract, memory.person, erased=memory.erased, due_on=None, memory=text)
