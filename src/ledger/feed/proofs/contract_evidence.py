"""What is the whole evidence on one contract: its stream and those of the claims that it names."""

from dataclasses import dataclass

from ledger.feed.proofs.given_files import strict_json
from ledger.feed.proofs.leaf import Leaf
from ledger.feed.proofs.stream_chain import StreamChains

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
        """Give the contract's streams once the whole log is read, or what is missing."""
        heads = {stream: chains.head(stream) for stream in (self._stream, *self._claims)}
        missing = [stream for stream, head in heads.items() if head is None]
        if self._stream in missing:
            return "the log does not hold it: check its number"
        if missing:
            return f"it names claims that the log does not hold: {', '.join(missing)}"
        return ContractProof(self.contract, {stream: head.version for stream, head in heads.items() if head})
