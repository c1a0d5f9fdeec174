"""One contract's history with its proof, in one file: its stream, those of its claims, one proof a stream.

JSON: `{"format", "contract", "streams": [{"stream", "events": [{"leaf", "payload"}], "proof"}]}`. Leaf and
payload stand as the text that was recorded, byte for byte; `proof` is a C2SP tlog-proof of the stream's
newest leaf, which names every leaf before it. All proofs stand under the same signed head.

The file proves that these events were recorded so, in this order, and that none is missing before the
newest of each stream. That nothing newer exists is shown by the bundle of a stated head, not by this file.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.feed.proofs.checkpoint import Checkpoint
from ledger.feed.proofs.contract_evidence import ContractEvidence, ContractProof
from ledger.feed.proofs.leaf import payload_sha256, read_leaf
from ledger.feed.proofs.merkle import leaf_hash
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.proof_file import InclusionFile
from ledger.feed.proofs.refused import BadProof
from ledger.feed.proofs.stream_chain import StreamChains

FORMAT = "claims-ledger/contract-proof@v1"


@dataclass(frozen=True, slots=True)
class StreamHistory:
    """A stream's events from its first on, as leaf and payload, and the proof of the newest leaf."""

    stream: str
    events: Sequence[tuple[bytes, bytes]]
    proof: InclusionFile


def write_contract_file(contract: str, streams: Iterable[StreamHistory]) -> str:
    """Write the file; the contract's own stream comes first, then its claims'."""
    content = {
        "format": FORMAT,
        "contract": contract,
        "streams": [
            {
                "stream": history.stream,
                "events": [
                    {"leaf": leaf.decode(), "payload": payload.decode()} for leaf, payload in history.events
                ],
                "proof": str(history.proof),
            }
            for history in streams
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def verify_contract_file(text: str, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, ContractProof]:
    """Check the file; gives the signed head and what is proven under it.

    Raises BadProof, BadLeaf, BrokenChain or BadNote for the first thing that does not hold.
    """
    contract, histories = _read(text)
    evidence, chains = ContractEvidence(contract), StreamChains()
    heads = set()
    for history in histories:
        heads.add(_verify_stream(history, chains, evidence, keys))
    if len(heads) != 1:
        message = "the proofs in the file do not stand under one signed head"
        raise BadProof(message)
    concluded = evidence.conclude(chains)
    if isinstance(concluded, str):
        message = f"contract {contract}: {concluded}"
        raise BadProof(message)
    if len(chains) != len(concluded.events):
        message = f"the file holds streams that contract {contract} does not name"
        raise BadProof(message)
    return heads.pop(), concluded


def _verify_stream(
    history: StreamHistory, chains: StreamChains, evidence: ContractEvidence, keys: Sequence[VerifierKey]
) -> Checkpoint:
    """Follow one stream from its first event and prove its newest."""
    if not history.events or chains.head(history.stream) is not None:
        message = f"{history.stream} has no events in the file, or stands in it twice"
        raise BadProof(message)
    hashed = b""
    for raw, payload in history.events:
        leaf, hashed = read_leaf(raw), leaf_hash(raw)
        if leaf.stream != history.stream:
            message = f"an event of {leaf.stream} stands among those of {history.stream}"
            raise BadProof(message)
        chains.follow(leaf, hashed)
        if payload_sha256(payload) != leaf.payload_sha256:
            message = f"the payload of {leaf.stream} version {leaf.version} is not the one its leaf names"
            raise BadProof(message)
        wrong = evidence.read(leaf, payload)
        if wrong:
            message = f"{leaf.stream} version {leaf.version}: {wrong}"
            raise BadProof(message)
    return history.proof.verify(hashed, keys)


def _read(text: str) -> tuple[str, list[StreamHistory]]:
    """Read the file's shape; nothing is verified yet. Raises BadProof."""
    try:
        content: dict[str, Any] = json.loads(text)
        if content["format"] != FORMAT:
            message = f"it is not of the format {FORMAT}"
            raise BadProof(message)
        return content["contract"] + "", list(_histories(content["streams"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = "not a contract's proof file: it was cut or altered"
        raise BadProof(message) from error


def _histories(streams: list[dict[str, Any]]) -> Iterator[StreamHistory]:
    for stream in streams:
        events = [(event["leaf"].encode(), event["payload"].encode()) for event in stream["events"]]
        yield StreamHistory(stream["stream"], events, InclusionFile.parse(stream["proof"]))
