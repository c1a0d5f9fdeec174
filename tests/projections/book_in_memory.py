"""A book without a database: import lines decided by the domain, events at dense positions of a feed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from ledger.command_handler import StreamState, decide_command, owed_by_time, time_events
from ledger.domain.dispatch import needs
from ledger.domain.event import PendingEvent
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid, Refusal
from ledger.domain.registry import check, read_command
from ledger.feed.reader import FeedEvent
from ledger.store.events import StreamHead
from oracle.histories import history

Line = dict[str, Any]

SEALED_AT = datetime(2040, 1, 1, tzinfo=UTC)
NAMESPACE = UUID(int=7)


class BookInMemory:
    """Takes lines as an import does and keeps the feed that a ledger would have sealed."""

    def __init__(self) -> None:
        self.standing: dict[StreamRef, StreamState] = {}
        self.feed: list[FeedEvent] = []
        self.seen: set[str] = set()

    def submit(self, line: Line) -> bool:
        """Decide one line; False when it is refused, invalid, or not new."""
        if line["command_id"] in self.seen:
            return False
        try:
            command = read_command(line["command"], line["data"])
            at = datetime.fromisoformat(line["at"]).astimezone(UTC)
            check(command, at)
            self.seen.add(line["command_id"])
            wanted = needs(command)
            refs = list(wanted.streams)
            if wanted.contract_of is not None and wanted.contract_of in self.standing:
                contract = self.standing[wanted.contract_of].contract
                if contract is not None and contract not in refs:
                    refs.append(contract)
            world = {ref: self._at(ref) for ref in refs}
            decision = decide_command(command, world, at, command_id=str(line["command_id"]), actor="desk")
        except (Invalid, Refusal, KeyError, ValueError):
            return False
        self._record(decision.events)
        return True

    def elapse(self, until: datetime) -> None:
        """Let time act on every stream up to an instant, as a sweep does."""
        for ref in list(self.standing):
            stream = self._at(ref)
            owed = owed_by_time(stream, until)
            self._record(time_events(owed, stream.contract or ref))

    def _at(self, ref: StreamRef) -> StreamState:
        return self.standing.get(ref, StreamState(StreamHead()))

    def _record(self, events: Sequence[PendingEvent]) -> None:
        for new in events:
            stream = self._at(new.stream).after((new,))
            self.standing[new.stream] = stream
            position = len(self.feed)
            self.feed.append(
                FeedEvent(
                    position,
                    SEALED_AT,
                    new.stream,
                    stream.head.version,
                    new.event.stable_name,
                    new.event.schema_version,
                    uuid5(NAMESPACE, str(position)),
                    new.effective_on,
                    new.at,
                    new.at,
                    new.actor,
                    new.command_id,
                    0,
                    uuid5(NAMESPACE, (new.contract or new.stream).name),
                    None,
                    b"{}",
                    [new.event],
                )
            )


def random_book(seed: int, contracts: int = 2, steps: int = 40) -> BookInMemory:
    """A book after a random history of a desk, with time gone on as far as its last event."""
    book = BookInMemory()
    for line in history(seed, contracts=contracts, steps=steps):
        book.submit(line)
    if book.feed:
        book.elapse(max(event.at for event in book.feed))
    return book
