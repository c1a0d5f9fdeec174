"""A made-up book of business: leaves and payloads as the store writes them, for bundles."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proofs.bundle import write_bundle
from ledger.proofs.checkpoints import Checkpoint, sign_checkpoint
from ledger.proofs.leaf import Leaf, payload_sha256
from ledger.proofs.merkle import Frontier, leaf_hash
from ledger.proofs.notes import Ed25519Signer

ORIGIN = "ledger.example/cyber-care"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
EVENTS_A_CONTRACT = 10
MADE_UP = Leaf(
    actor="staff-17",
    at="2026-03-01T09:30:00.000000Z",
    book="cyber-care",
    causation_id=None,
    command_id="",
    correlation_id="",
    effective_on="2026-03-01",
    event_id="",
    ordinal=0,
    payload_sha256="",
    prev=None,
    recorded_at="2026-03-01T09:30:00.123456Z",
    schema_version=1,
    stream="",
    type="",
    v=1,
    version=1,
)


def payload_of(fields: dict[str, object], position: int) -> bytes:
    salt = sha256(str(position).encode()).hexdigest()[:22] + "=="
    return json.dumps({**fields, "salt": salt}, separators=(",", ":")).encode()


def made_up_event(position: int) -> tuple[str, str, dict[str, object]]:
    """Each contract has ten events: six of its own, four of its claim."""
    number, step = divmod(position, EVENTS_A_CONTRACT)
    contract, claim = f"contract/C-{number}", f"claim/K-{number}"
    if step == 0:
        return contract, "contract.ContractStarted", {"contract": f"C-{number}"}
    if step == 1:
        return claim, "claim.ClaimOpened", {"claim": f"K-{number}", "contract": f"C-{number}"}
    if step == 2:
        return contract, "contract.ClaimRegistered", {"claim": f"K-{number}"}
    if step % 2:
        return contract, "contract.LetterPrepared", {"kind": "reminder", "sha256": "0" * 64}
    return claim, "claim.AdviceGiven", {"topics": ["wachtwoorden", "mots de passe \u00e9t\u00e9"]}


def made_up_events(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Leaf and payload of each position, chained by stream."""
    heads: dict[str, tuple[int, str]] = {}
    for position in range(count):
        stream, kind, fields = made_up_event(position)
        payload = payload_of(fields, position)
        version, prev = heads.get(stream, (0, None))
        leaf = MADE_UP._replace(
            command_id=f"cmd-{position}",
            correlation_id=str(uuid5(NAMESPACE_URL, stream)),
            event_id=str(uuid5(NAMESPACE_URL, str(position))),
            payload_sha256=payload_sha256(payload),
            prev=prev,
            stream=stream,
            type=kind,
            version=version + 1,
        ).to_bytes()
        heads[stream] = (version + 1, leaf_hash(leaf).hex())
        if position % EVENTS_A_CONTRACT == EVENTS_A_CONTRACT - 1:
            number = position // EVENTS_A_CONTRACT
            heads.pop(f"claim/K-{number}")
            heads.pop(f"contract/C-{number}")
        yield leaf, payload


def signed_heads(leaves: Sequence[bytes], sizes: Sequence[int], signer: Ed25519Signer = SIGNER) -> list[str]:
    """Signed checkpoints at these sizes, rising."""
    frontier = Frontier()
    heads = []
    for size in sizes:
        frontier.extend([leaf_hash(leaf) for leaf in leaves[frontier.size : size]])
        heads.append(sign_checkpoint(Checkpoint(signer.name, size, frontier.root()), [signer]))
    return heads


SCHEMAS = {"claim.ClaimOpened.v1.json": b'{"type":"object"}', "claim.AdviceGiven.v1.json": b"{}"}


def write_made_up_bundle(
    directory: Path, events: Sequence[tuple[bytes, bytes]], sizes: Sequence[int]
) -> list[str]:
    """Write a bundle with a head at each of these sizes; gives the heads."""
    heads = signed_heads([leaf for leaf, _ in events], sizes)
    write_bundle(directory, checkpoints=heads, events=events, schemas=SCHEMAS, keys=[SIGNER.verifier_key])
    return heads
