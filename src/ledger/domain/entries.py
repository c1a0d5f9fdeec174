"""Events on their way into a stream, and events that a stream holds."""

from dataclasses import dataclass
from datetime import date, datetime

from ledger.domain.event import Event
from ledger.domain.identifiers import StreamRef


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that is to be recorded.

    `effective_on` is the business date on which it counts. `at` is the instant (UTC) at which the stream
    takes it. Within one stream `at` never decreases: what time owed at an instant that had already gone by
    when the stream came to know of it (D3, D4) keeps its own date as `effective_on` and takes the stream's
    last `at`.
    """

    stream: StreamRef
    event: Event
    effective_on: date
    at: datetime
    by_time: bool = False
    """True where time owed the event: actor `time`, its own command id."""
    subject: str | None = None
    """The person whose key seals the event's personal fields; None where it holds none."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event that a stream holds, with as much of its envelope as folding needs."""

    stream: StreamRef
    version: int
    event: Event
    effective_on: date
    at: datetime
