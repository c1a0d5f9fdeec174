"""The last signed head, kept beside the key: what the log must extend before anything further is signed.

The database may be restored or fail over to an older state; the file beside the key does not. So a log that
lost or changed what was signed is noticed by the one who signs, before a second history gets a signature.
"""

from collections.abc import Iterable
from pathlib import Path

from ledger.feed.proofs.checkpoint import Checkpoint, open_checkpoint
from ledger.feed.proofs.merkle import ReadNodes
from ledger.feed.proofs.merkle_proof import consistency_proof, verify_consistency
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.private_file import read_private, replace_private
from ledger.feed.proofs.refused import BadNote, BadProof, KeyFileRefused, LogForked

_NEXT_STEP = (
    "nothing is sealed or signed; find out with `coverledger verify` who changed the database, put its "
    "newest state back, or go on from what is there in a new epoch: `coverledger restore --accept`"
)


def keep_head(path: Path, signed: str) -> None:
    """Keep a signed checkpoint, on disk before this returns; to be called before the head is published."""
    replace_private(path, signed)


def kept_head(path: Path, keys: Iterable[VerifierKey]) -> Checkpoint | None:
    """Read the head kept, None before the first. Raises KeyFileRefused if it is not ours."""
    if not path.exists():
        return None
    try:
        return open_checkpoint(read_private(path), keys)
    except BadNote as error:
        message = f"{path} is not a head signed by this log's key ({error}): restore it from its copy"
        raise KeyFileRefused(message) from error


def check_extends(kept: Checkpoint | None, head: Checkpoint, read_nodes: ReadNodes) -> None:
    """Prove that `head`, the root of the stored nodes, extends the head kept. Raises LogForked.

    Reads O(log n) nodes of the log as it is stored now, once.
    """
    if kept is None or (kept.size == 0 and kept.origin == head.origin):
        return
    if kept.origin != head.origin:
        message = f"the head kept is of the log {kept.origin}, not of {head.origin}: {_NEXT_STEP}"
        raise LogForked(message)
    if head.size < kept.size:
        message = (
            f"the log {head.origin} has {head.size} events, but a head of {kept.size} has been signed: "
            f"the database is older than its last head; {_NEXT_STEP}"
        )
        raise LogForked(message)
    try:
        proof = consistency_proof(kept.size, head.size, read_nodes)
        verify_consistency(kept.size, head.size, kept.root, head.root, proof)
    except BadProof as error:
        message = f"the log {head.origin} of {head.size} events is forked ({error}): {_NEXT_STEP}"
        raise LogForked(message) from error
