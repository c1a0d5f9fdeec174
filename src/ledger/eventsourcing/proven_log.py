"""The log of an application on the plug-in: its signed heads, proofs of single events, its verification."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.eventsourcing.factory import Factory
from ledger.proofs.checkpoints import InclusionFile, peek_checkpoint
from ledger.proofs.merkle import inclusion_proof
from ledger.proofs.notes import VerifierKey
from ledger.sealing.checkpoints import nodes_of
from ledger.sealing.signer import Signer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.log import newest_checkpoint
from ledger.verification.database import DatabaseProof, verify_database
from ledger.verification.exports import NothingProven
from ledger.verification.trust_anchors import anchors_beside_key

_LEAF: Final = """
select e.leaf from ledger.log l
join ledger.events e on e.book = l.book and e.stream_id = l.stream_id and e.version = l.version
where l.book = %s and l.position = %s
"""


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """One event's leaf, and the proof that it stands in the signed log."""

    leaf: bytes
    """Canonical JSON: the envelope, the hash of the state, that of the leaf before it in its stream."""
    proof: InclusionFile


class ProvenLog:
    """The log of one application: `ProvenLog(application.factory, Path("signing.key"))`."""

    def __init__(self, factory: Factory, signing_key: Path) -> None:
        """`signing_key`: its file, made by the first `sign`; the last signed head is kept beside it."""
        self._pool = factory.pool
        self._book = factory.book
        self._files = SigningFiles(signing_key)
        self._signer = Signer(factory.sealer_pool or factory.pool, factory.book, self._files)

    def sign(self) -> str | None:
        """Sign the head of what is sealed; None where it is signed already.

        Raises LogForked where the log does not extend what was signed before; KeyFileRefused.
        """
        return self._signer.sign()

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that heads and proofs are verified with. Raises KeyFileRefused."""
        return self._files.keys().signer.verifier_key

    def prove(self, notification_id: int) -> ProvenEvent:
        """Prove that an event stands at its place under the newest signed head. Raises NothingProven."""
        position = notification_id - 1
        with self._pool.connection() as connection:
            note = newest_checkpoint(connection, self._book)
            size = 0 if note is None else peek_checkpoint(note).size
            if note is None or not 0 <= position < size:
                message = f"no signed head covers notification {notification_id} yet: sign first"
                raise NothingProven(message)
            with connection.cursor() as cursor:
                cursor.execute(_LEAF, (self._book, position))
                [(leaf,)] = cursor.fetchall()
            proof = inclusion_proof(position, size, nodes_of(connection, self._book))
        return ProvenEvent(bytes(leaf), InclusionFile(position, tuple(proof), note))

    def verify(self) -> DatabaseProof:
        """Verify all that is recorded against the log, and the log against what was signed.

        Raises NotVerified, which names the first bad position or row; LessProven where not all is signed.
        """
        return verify_database(self._pool, self._book, anchors_beside_key(self._files))
