"""The diary as a follower of the feed."""

from collections.abc import Sequence

from psycopg2.extras import execute_values

from ledger.feed.reading import FeedEvent
from ledger.store.pool import Connection
from ledger.store.streams import stream_ref
from schedulers.diary.entries import Diarised, diarise, from_text, to_text

NAME = "diary"

LOAD = "select stream, due_at, memory from schedulers.diary where book = %s and stream = any(%s)"

KEEP = """
insert into schedulers.diary (book, stream, due_at, kinds, memory) values %s
on conflict (book, stream) do update
set due_at = excluded.due_at, kinds = excluded.kinds, memory = excluded.memory
"""
TEMPLATE = "(%s, %s, %s, %s::text[], %s)"
PAGE = 2000
"""Rows in one statement of VALUES."""


class Diary:
    """Notes for each stream of a book when time will next owe it something."""

    name = NAME
    types: frozenset[str] | None = None

    def __init__(self, book: str) -> None:
        """Follow for the diary of one book."""
        self.book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Fold a batch, in order of position. Must not commit."""
        names = list({event.stream.name for event in events})
        with connection.cursor() as cursor:
            cursor.execute(LOAD, (self.book, names))
            standing: dict[str, Diarised | None] = {
                name: from_text(stream_ref(name), due_at, memory) for name, due_at, memory in cursor
            }
            for event in events:
                name = event.stream.name
                standing[name] = diarise(standing.get(name), event.recorded)
            rows = [
                (self.book, name, diarised.due_at, diarised.kinds, to_text(diarised))
                for name, diarised in standing.items()
                if diarised is not None
            ]
            execute_values(cursor, KEEP, rows, template=TEMPLATE, page_size=PAGE)
