"""One contract's history with its proof, in one file: its stream, those of its claims, one proof a stream.

The whole evidence on a contract is its stream and those of the claims that it names.

JSON: `{"format", "contract", "streams": [{"stream", "events": [{"leaf", "payload"}], "proof"}]}`. Leaf and
payload stand as the text that was recorded, byte for byte; `proof` is a C2SP tlog-proof of the stream's
newest leaf, which names every leaf before it. All proofs stand under the same signed head.

The file proves that these events were recorded so, in this order, and that none is missing before the newest
of each stream. That nothing newer exists is shown by the bundle of a stated head, not by this file.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger.proofs.checkpoints import Checkpoint, InclusionFile, open_checkpoint
from ledger.proofs.errors import BadProof
from ledger.proofs.leaf import Leaf, StreamChains, payload_sha256, read_leaf
from ledger.proofs.merkle import leaf_hash
from ledger.proofs.notes import VerifierKey
from ledger.proofs.untrusted_files import strict_json

CLAIM_REGISTERED = "contract.ClaimRegistered"
"""Recorded in a contract's stream for each claim that is opened on it or moved to it."""


@dataclass(frozen=True, slots=True)
class ContractProof:
    """A contract's streams in a verified log: how many events each holds."""

    contract: str
    events: dict[str, int]


class ContractEvidence:
    """Gathers which claims a contract's stream names."""

    def __init__(self, contract: str) -> None:
        """Look for the contract of this number."""
        self.contract = contract
        self._stream = f"contract/{contract}"
        self._claims: dict[str, None] = {}

    @property
    def claims(self) -> list[str]:
        """The streams of the claims named so far, in order of their registration."""
        return list(self._claims)

    def read(self, leaf: Leaf, payload: bytes) -> str | None:
        """Take an event of the log, its payload already checked; gives what is wrong with it, if anything."""
        if leaf.stream != self._stream or leaf.type != CLAIM_REGISTERED:
            return None
        try:
            claim = strict_json(payload.decode())["claim"]
        except (ValueError, TypeError, KeyError, RecursionError):
            claim = None
        if not isinstance(claim, str):
            return f"its payload does not name the claim that was registered on contract {self.contract}"
        self._claims[f"claim/{claim}"] = None
        return None

    def conclude(self, chains: StreamChains) -> ContractProof | str:
        """Return the contract's streams once the whole log is read, or what is missing."""
        heads = {stream: chains.head(stream) for stream in (self._stream, *self._claims)}
        missing = [stream for stream, head in heads.items() if head is None]
        if self._stream in missing:
            return "the log does not hold it: check its number"
        if missing:
            return f"it names claims that the log does not hold: {', '.join(missing)}"
        return ContractProof(self.contract, {stream: head.version for stream, head in heads.items() if head})


FORMAT = "claims-ledger/contract-proof@v1"

T = TypeVar("T")


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
    note, proven = verify_histories(text, keys)
    return open_checkpoint(note, keys), proven


def verify_histories(text: str, keys: Sequence[VerifierKey]) -> tuple[str, ContractProof]:
    """Check the file; gives the head as it was signed, and what is proven under it. Raises as above."""
    contract, histories = _read(text)
    evidence, chains = ContractEvidence(contract), StreamChains()
    notes: set[str] = set()
    for history in histories:
        _verify_stream(history, chains, evidence, keys)
        notes.add(history.proof.checkpoint)
    if len(notes) != 1:
        message = "the proofs in the file do not stand under one signed head"
        raise BadProof(message)
    concluded = evidence.conclude(chains)
    if isinstance(concluded, str):
        message = f"contract {contract}: {concluded}"
        raise BadProof(message)
    if len(chains) != len(concluded.events):
        message = f"the file holds streams that contract {contract} does not name"
        raise BadProof(message)
    return notes.pop(), concluded


def _verify_stream(
    history: StreamHistory, chains: StreamChains, evidence: ContractEvidence, keys: Sequence[VerifierKey]
) -> None:
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
    history.proof.verify(hashed, keys)


def _read(text: str) -> tuple[str, list[StreamHistory]]:
    """Read the file's shape strictly; nothing is verified yet. Raises BadProof."""
    try:
        content = _of(dict, strict_json(text))
        if content.get("format", FORMAT) != FORMAT:
            message = f"it is not of the format {FORMAT}"
            raise BadProof(message)
        _, contract, streams = _fields(content, "format", "contract", "streams")
        return _of(str, contract), list(_histories(_of(list, streams)))
    except (ValueError, RecursionError) as error:
        message = "not a contract's proof file: it was cut or altered"
        raise BadProof(message) from error


def _histories(streams: Iterable[object]) -> Iterator[StreamHistory]:
    for stream in streams:
        name, recorded, proof = _fields(stream, "stream", "events", "proof")
        events = []
        for event in _of(list, recorded):
            leaf, payload = _fields(event, "leaf", "payload")
            events.append((_of(str, leaf).encode(), _of(str, payload).encode()))
        inclusion = InclusionFile.parse(_of(str, proof))
        if inclusion.extra is not None:
            message = "a proof in the file has an extra line, which nothing vouches for"
            raise BadProof(message)
        yield StreamHistory(_of(str, name), events, inclusion)


def _fields(value: object, *names: str) -> list[object]:
    """Return the fields of an object that has these and no others. Raises BadProof."""
    fields = _of(dict, value)
    if fields.keys() != set(names):
        found, wanted = ", ".join(map(repr, fields)) or "nothing", ", ".join(names)
        message = f"not a contract's proof file: it was cut or altered ({found} where {wanted} belong)"
        raise BadProof(message)
    return [fields[name] for name in names]


def _of(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        message = "not a contract's proof file: it was cut or altered"
        raise BadProof(message)
    return value
