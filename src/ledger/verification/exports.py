"""What others take away from a book's rows: bundles, a contract's evidence, proofs between two heads.

A contract's evidence takes a few reads of the log's own keys: it grows with the contract, and with the
logarithm of the log.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ledger.domain.identifiers import contract_ref
from ledger.domain.registry import EVENT_TYPES
from ledger.proofs.bundle import write_bundle
from ledger.proofs.checkpoints import Checkpoint, ConsistencyFile, InclusionFile, peek_checkpoint
from ledger.proofs.contract_proof import ContractEvidence, StreamHistory, write_contract_file
from ledger.proofs.errors import BadProof, LogForked
from ledger.proofs.leaf import read_leaf
from ledger.proofs.merkle import consistency_proof, inclusion_proof, verify_consistency
from ledger.proofs.notes import VerifierKey
from ledger.sealing.checkpoints import nodes_of
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.log import NOTE, newest_checkpoint
from ledger.store.pool import Connection, Pool
from ledger.store.sql import compose
from ledger.verification.chunks import CHUNK_POSITIONS, begin_snapshot
from ledger.verification.database import OnProgress
from ledger.verification.findings import NotVerified


def extension(pool: Pool, book: str, old: str, new: str) -> ConsistencyFile:
    """Prove that the head `new` extends the head `old`, both as they were signed.

    Raises LogForked where it does not, or where they are not of one log.
    """
    before, after = peek_checkpoint(old), peek_checkpoint(new)
    if before.origin != after.origin:
        message = (
            f"the older head is of the log {before.origin}, the newest of {after.origin}: "
            "heads of two logs, or of two epochs of one, prove nothing of each other"
        )
        raise LogForked(message)
    if before.size > after.size:
        message = (
            f"the older head has {before.size} events, the log only {after.size}: "
            "the database is older, or was cut; run `coverledger verify`"
        )
        raise LogForked(message)
    if before.size == 0:
        return ConsistencyFile(0, (), new)
    try:
        with pool.connection() as connection:
            proof = consistency_proof(before.size, after.size, nodes_of(connection, book))
        verify_consistency(before.size, after.size, before.root, after.root, proof)
    except BadProof as error:
        message = (
            f"the log of {after.size} events does not extend that head ({error}): run `coverledger verify`"
        )
        raise LogForked(message) from error
    return ConsistencyFile(before.size, tuple(proof), new)


_STREAMS: Final = """
select e.stream, l.position, e.leaf, e.payload from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %s and l.stream_id = any(%s::uuid[]) and l.position < %s order by l.position
"""

_Event = tuple[int, bytes, bytes]


class NothingProven(Exception):
    """There is nothing to prove yet: no signed head, or none that covers the contract."""


def contract_proof(pool: Pool, book: str, contract: str) -> tuple[str, Checkpoint]:
    """Write the proof of one contract under the newest signed head; gives the file's text and the head.

    Raises NothingProven, BadLeaf, NotVerified for a database that cannot be proven.
    """
    with pool.transaction() as connection:
        begin_snapshot(connection)
        note = newest_checkpoint(connection, book)
        if note is None:
            message = "no head is signed yet: record something, then `coverledger checkpoint`"
            raise NothingProven(message)
        head = peek_checkpoint(note)
        own = contract_ref(contract).name
        streams = dict(_read(connection, book, [own], head.size))
        if own not in streams:
            message = (
                f"the signed log holds no contract {contract}: check its number with `coverledger "
                "contract list`"
            )
            raise NothingProven(message)
        streams |= _read(connection, book, _claims(contract, streams[own]), head.size)
        nodes = nodes_of(connection, book)
        histories = [
            StreamHistory(
                stream,
                [(leaf, payload) for _, leaf, payload in events],
                InclusionFile(events[-1][0], tuple(inclusion_proof(events[-1][0], head.size, nodes)), note),
            )
            for stream, events in streams.items()
        ]
    return write_contract_file(contract, histories), head


def _read(connection: Connection, book: str, names: Sequence[str], size: int) -> Mapping[str, list[_Event]]:
    """Read the events of these streams below a position, each stream's in order."""
    found: dict[str, list[_Event]] = {}
    if not names:
        return found
    ids = [str(stream_id(book, stream_ref(name))) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_STREAMS, (book, ids, size))
        for stream, position, leaf, payload in cursor:
            found.setdefault(stream, []).append((position, bytes(leaf), bytes(payload)))
    return found


def _claims(contract: str, events: Iterable[_Event]) -> list[str]:
    """Return the streams of the claims that a contract's stream names. Raises NotVerified, BadLeaf."""
    evidence = ContractEvidence(contract)
    for position, leaf, payload in events:
        wrong = evidence.read(read_leaf(leaf), payload)
        if wrong:
            raise NotVerified(position, f"ledger.events, contract/{contract}", wrong)
    return evidence.claims


_HEADS: Final = compose(
    """
select c.size, {note} from ledger.checkpoints c join ledger.books b using (book, epoch)
where c.book = %s and c.size > %s order by c.size limit 1000
""",
    note=NOTE,
)
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
    progress: OnProgress = lambda _done, _total: None,
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
    """Return the JSON Schema of each event's payload by file name: `claim.ClaimOpened.v1.json`."""
    return {
        f"{name}.v{event.schema_version}.json": (
            json.dumps(event.model_json_schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        ).encode()
        for name, event in sorted(EVENT_TYPES.items())
    }


def _heads(connection: Connection, book: str) -> Iterator[str]:
    """Yield every signed head of the present epoch, by size."""
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
    """Yield leaf and payload of each position below `size`."""
    for first in range(0, size, CHUNK_POSITIONS):
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, (book, first, min(size, first + CHUNK_POSITIONS)))
            rows = cursor.fetchall()
        yield from ((bytes(leaf), bytes(payload)) for leaf, payload in rows)
