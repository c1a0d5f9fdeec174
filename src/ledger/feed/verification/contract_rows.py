"""One contract's evidence from the database: its stream, those of its claims, a proof each, under one head.

A few reads of the log's own keys: what it takes grows with the contract, and with the logarithm of the log.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledger.domain.identifiers import contract_ref
from ledger.feed.proofs.checkpoint import Checkpoint, peek_checkpoint
from ledger.feed.proofs.contract_evidence import ContractEvidence
from ledger.feed.proofs.contract_file import StreamHistory, write_contract_file
from ledger.feed.proofs.leaf import read_leaf
from ledger.feed.proofs.merkle_proof import inclusion_proof
from ledger.feed.proofs.proof_file import InclusionFile
from ledger.feed.signing.growing import nodes_of
from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.portions import begin_snapshot
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.log import newest_checkpoint
from ledger.store.pool import Connection, Pool

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
    """Name the streams of the claims that a contract's stream names. Raises NotVerified, BadLeaf."""
    evidence = ContractEvidence(contract)
    for position, leaf, payload in events:
        wrong = evidence.read(read_leaf(leaf), payload)
        if wrong:
            raise NotVerified(position, f"ledger.events, contract/{contract}", wrong)
    return evidence.claims
