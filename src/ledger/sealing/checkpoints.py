"""What must hold before anything is sealed or signed: the log extends what was signed before.

The complete nodes of the Merkle log that each batch of leaves makes are stored in the transaction that seals
it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint
from ledger.proofs.errors import BadNote, BadProof, KeyFileRefused, LogForked
from ledger.proofs.merkle import Frontier, NodeAt, ReadNodes, root_from_nodes
from ledger.proofs.notes import Ed25519Signer, split_note
from ledger.sealing.key_files import SigningKeys
from ledger.sealing.signing_keys import SigningFiles, check_extends
from ledger.store.errors import LogBroken
from ledger.store.log import (
    LogState,
    any_checkpoint,
    insert_nodes,
    log_state,
    nodes_cover,
    select_leaf_hashes,
    select_nodes,
)
from ledger.store.pool import Connection


def nodes_of(connection: Connection, book: str) -> ReadNodes:
    """Return the reader of a book's stored nodes, for roots and proofs: one query a call."""

    def read(nodes: Sequence[NodeAt]) -> Sequence[bytes]:
        return select_nodes(connection, book, nodes)

    return read


def grow(connection: Connection, book: str, first_position: int, leaf_hashes: Sequence[bytes]) -> None:
    """Store the nodes that these leaves complete: one statement a batch.

    A log of which some was sealed without its nodes, as `eventsourcing`'s own programs do, gets them first.
    Raises LogBroken when nodes are missing that had been stored.
    """
    covered = nodes_cover(connection, book)
    if covered > first_position:
        message = (
            f"book {book!r} has nodes for {covered} events, but only {first_position} are sealed: "
            "nothing is sealed; run `coverledger verify`"
        )
        raise LogBroken(message)
    # An odd last leaf completes no node: a tree of 2n + 1 leaves has the nodes of 2n.
    start = first_position if covered >= first_position - 1 else covered
    try:
        frontier = Frontier.read(start, nodes_of(connection, book))
    except BadProof as error:
        message = f"the Merkle log of book {book!r} is broken ({error}): run `coverledger verify`"
        raise LogBroken(message) from error
    for leaves in select_leaf_hashes(connection, book, start, first_position):
        _store(connection, book, frontier, leaves)
    _store(connection, book, frontier, leaf_hashes)


def _store(connection: Connection, book: str, frontier: Frontier, leaves: Sequence[bytes]) -> None:
    """Append leaves and store the nodes above them; the leaves themselves stand in the log."""
    insert_nodes(connection, book, [row for row in frontier.grow(leaves) if row[0] > 0])


@dataclass(frozen=True, slots=True)
class SoundLog:
    """A log that extends all that was signed before, as it stood when it was looked at."""

    standing: LogState
    head: Checkpoint
    """Its head as it would be signed."""
    keys: SigningKeys
    kept: Checkpoint | None
    """The last signed head, kept beside the key."""

    @property
    def is_signed(self) -> bool:
        """Whether the head is signed already, by the keys in force, or there is nothing to sign."""
        return self.head.size == (self.standing.signed_size or 0) and not self.lacking

    @property
    def lacking(self) -> list[Ed25519Signer]:
        """The keys in force whose signature the newest head in the database lacks, where it is theirs."""
        if self.standing.signed is None or self.head.size < self.keys.from_size:
            return []
        named = {(line.name, line.key_id) for line in split_note(self.standing.signed)[1]}
        key = self.keys.signer.verifier_key
        return [] if (key.name, key.key_id) in named else [self.keys.signer]


def sound_log(connection: Connection, book: str, files: SigningFiles) -> SoundLog:
    """Read the log's head and prove that it extends the last head kept and the last one in the database.

    Makes the key of a log of which nothing was ever signed. Raises LogForked, KeyFileRefused, BookUnknown.
    """
    standing = log_state(connection, book)
    keys = _keys(connection, book, files, standing)
    kept = files.kept(keys)
    head = _head(connection, book, standing)
    nodes = nodes_of(connection, book)
    check_extends(kept, head, nodes)
    if standing.signed is not None:
        stored = _stored(standing, keys)
        if stored != kept:
            check_extends(stored, head, nodes)
    return SoundLog(standing, head, keys, kept)


def complete_nodes(connection: Connection, book: str) -> None:
    """Store the nodes of what was sealed without them, as `eventsourcing`'s programs do. Raises LogBroken."""
    size = log_state(connection, book).size
    if nodes_cover(connection, book) < size - 1:
        grow(connection, book, size, ())


def _keys(connection: Connection, book: str, files: SigningFiles, standing: LogState) -> SigningKeys:
    """Read the key; a log that never had one gets it now. A key missing later was lost, and is restored."""
    if not files.key.exists() and not files.head.exists() and not any_checkpoint(connection, book):
        keys = files.create_keys(standing.origin)
    else:
        keys = _read(files)
    if keys.signer.name != standing.origin:
        message = (
            f"the key {files.key} signs for the log {keys.signer.name}, but the database's is called "
            f"{standing.origin}: nothing is sealed or signed; give the key of this log, or, where a database "
            "was put back beside its key, begin a new epoch: `coverledger restore --accept`"
        )
        raise LogForked(message)
    return keys


def _read(files: SigningFiles) -> SigningKeys:
    if not files.key.exists():
        message = (
            f"the log's signing key {files.key} is missing: restore it from its copy; on a machine that "
            "leaves sealing to another one set COVERLEDGER_SEALER_ENABLED=no; if it is lost for ever, go on "
            "in a new epoch with a new key: `coverledger restore --accept`"
        )
        raise KeyFileRefused(message)
    return files.keys()


def _head(connection: Connection, book: str, standing: LogState) -> Checkpoint:
    try:
        root = root_from_nodes(standing.size, nodes_of(connection, book))
    except BadProof as error:
        message = (
            f"the log {standing.origin} of {standing.size} events is broken ({error}): nothing is sealed or "
            "signed; run `coverledger verify`"
        )
        raise LogForked(message) from error
    return Checkpoint(standing.origin, standing.size, root)


def _stored(standing: LogState, keys: SigningKeys) -> Checkpoint:
    """Open the newest head in the database by the keys that may have signed it."""
    try:
        return open_checkpoint(standing.signed or "", keys.verifier_keys_at(standing.signed_size or 0))
    except BadNote as error:
        message = (
            f"the head of {standing.signed_size} events in the database is not signed by this log's key "
            f"({error}): nothing is sealed or signed; give the right key, or run `coverledger verify`"
        )
        raise LogForked(message) from error
