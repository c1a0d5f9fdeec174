"""A bundle of ours, for verifiers that are not ours."""

from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proofs.bundle import write_bundle
from ledger.proofs.checkpoints import Checkpoint, sign_checkpoint
from ledger.proofs.leaf import Leaf, payload_sha256
from ledger.proofs.merkle import Frontier, leaf_hash
from ledger.proofs.notes import Ed25519Signer
from ledger.proofs.verifier import verify_bundle

ORIGIN = "ledger.example/cyber-care"
SIZE = 66_000
HEADS = [1, 2, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, SIZE]


@dataclass(frozen=True)
class OurBundle:
    """A bundle, its verifier key, and what our own code says of it."""

    directory: Path
    key: str
    heads: list[str]
    leaves: list[bytes]
    head: Checkpoint


def contract_started(position: int) -> tuple[bytes, bytes]:
    payload = b'{"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}'
    uuid = str(uuid5(NAMESPACE_URL, str(position)))
    leaf = Leaf(
        actor="staff-17",
        at="2026-03-01T09:30:00.000000Z",
        book="cyber-care",
        causation_id=None,
        command_id=f"cmd-{position}",
        correlation_id=uuid,
        effective_on="2026-03-01",
        event_id=uuid,
        ordinal=0,
        payload_sha256=payload_sha256(payload),
        prev=None,
        recorded_at="2026-03-01T09:30:00.123456Z",
        schema_version=1,
        stream=f"contract/C-{position}",
        type="contract.ContractStarted",
        v=1,
        version=1,
    )
    return leaf.to_bytes(), payload


def write_our_bundle(directory: Path) -> OurBundle:
    """Big enough for tiles of three levels."""
    signer = Ed25519Signer(ORIGIN, Ed25519PrivateKey.generate())
    events = [contract_started(position) for position in range(SIZE)]
    frontier, heads = Frontier(), []
    for size in HEADS:
        frontier.extend([leaf_hash(leaf) for leaf, _ in events[frontier.size : size]])
        heads.append(sign_checkpoint(Checkpoint(ORIGIN, size, frontier.root()), [signer]))
    head = write_bundle(directory, checkpoints=heads, events=events, schemas={}, keys=[signer.verifier_key])
    verify_bundle(directory, [signer.verifier_key])
    return OurBundle(directory, str(signer.verifier_key), heads, [leaf for leaf, _ in events], head)
