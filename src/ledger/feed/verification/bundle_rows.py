"""What a bundle is made of: the events below the newest signed head, every head of its epoch, the schemas."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ledger.domain.registry import EVENT_TYPES
from ledger.feed.proofs.bundle import write_bundle
from ledger.feed.proofs.checkpoint import Checkpoint, peek_checkpoint
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.verification.audit import Progress
from ledger.feed.verification.portions import PORTION, begin_snapshot
from ledger.store.log import NOTE, newest_checkpoint
from ledger.store.pool import Connection, Pool

_HEADS: Final = f"""
select c.size, {NOTE} from ledger.checkpoints c join ledger.books b using (book, epoch)
where c.book = %s and c.size > %s order by c.size limit 1000
"""  # noqa: S608 # put together from its own constants
_EVENTS: Final = """
select e.leaf, e.payload from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %s and l.position >= %s and l.position < %s order by l.position
"""


def export_bundle(
    pool: Pool,
    book: str,
    directory: Path,
    keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _total: None,
) -> Checkpoint:
    """Write a book as a bundle into a new or empty folder, from one snapshot; gives its head.

    Raises what `write_bundle` does: what would not verify is not exported whole.
    """
    with pool.transaction() as connection:
        begin_snapshot(connection)
        newest = newest_checkpoint(connection, book)
        size = 0 if newest is None else peek_checkpoint(newest).size
        return write_bundle(
            directory,
            checkpoints=_heads(connection, book),
            events=_events(connection, book, size),
            schemas=event_schemas(),
            keys=keys,
            progress=progress,
        )


def event_schemas() -> Mapping[str, bytes]:
    """Give the JSON Schema of each event's payload by file name: `claim.ClaimOpened.v1.json`."""
    return {
        f"{name}.v{event.schema_version}.json": (
            json.dumps(event.model_json_schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        ).encode()
        for name, event in sorted(EVENT_TYPES.items())
    }


def _heads(connection: Connection, book: str) -> Iterator[str]:
    """Give every signed head of the present epoch, by size."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_HEADS, (book, after))
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield from (note for _, note in rows)


def _events(connection: Connection, book: str, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Give leaf and payload of each position below `size`."""
    for first in range(0, size, PORTION):
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, (book, first, min(size, first + PORTION)))
            rows = cursor.fetchall()
        yield from ((bytes(leaf), bytes(payload)) for leaf, payload in rows)
