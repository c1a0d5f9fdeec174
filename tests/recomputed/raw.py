"""Raw events as the feed's JSON gives them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

FEED = """
select position, stream, version, type, effective_on, at, actor, payload::text
from ledger.history where book = %s order by position
"""


class Cursor(Protocol):
    """A cursor of any driver."""

    def execute(self, sql: str, parameters: tuple[object, ...]) -> object: ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event: its envelope, and what it says as JSON said it."""

    position: int
    kind: str
    number: str
    version: int
    name: str
    effective_on: date
    at: datetime
    actor: str
    said: dict[str, Any]

    def day(self, field: str) -> date:
        return date.fromisoformat(self.said[field])


def raw_event(row: tuple[Any, ...]) -> RawEvent:
    position, stream, version, kind_and_name, effective_on, at, actor, payload = row
    kind, _, number = stream.partition("/")
    _, _, name = kind_and_name.partition(".")
    said = json.loads(payload)
    return RawEvent(position, kind, number, version, name, effective_on, at.astimezone(UTC), actor, said)


def read_raw(cursor: Cursor, book: str) -> list[RawEvent]:
    """Read the whole feed of a book, in order of position."""
    cursor.execute(FEED, (book,))
    return [raw_event(row) for row in cursor]
