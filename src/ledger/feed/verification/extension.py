"""That one signed head of a book extends another: the proof that witnesses ask for."""

from ledger.feed.proofs.checkpoint import peek_checkpoint
from ledger.feed.proofs.merkle_proof import consistency_proof, verify_consistency
from ledger.feed.proofs.proof_file import ConsistencyFile
from ledger.feed.proofs.refused import BadProof, LogForked
from ledger.feed.signing.growing import nodes_of
from ledger.store.pool import Pool


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
