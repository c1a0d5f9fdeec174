"""How far a pass over a book's log has come, kept in a file so that one that was broken off is taken up.

The file has mode 0600. Taking it up trusts the file, and that what was found sound has not been altered
since: the root of all heads to come still covers every leaf hash, but rows below are not read again.
`--fresh` trusts neither.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

from ledger.proofs.errors import BadProof, KeyFileRefused
from ledger.proofs.merkle import Frontier, frontier_nodes
from ledger.sealing.checkpoints import nodes_of
from ledger.sealing.key_files import read_private, replace_private
from ledger.store.pool import Connection


@dataclass(frozen=True, slots=True)
class VerificationProgress:
    """The log below `size` was found sound."""

    size: int = 0
    nodes: Mapping[int, bytes] = field(default_factory=dict)
    """The Merkle tree's frontier at this size, level → hash."""
    streams: int = 0
    heads: int = 0
    """Signed heads of the database that were passed."""
    proven: int = 0
    """Size of the newest of all heads that were passed."""
    not_checked: int = 0
    """Heads, of these `heads`, that are older than the keys given: only their roots were compared."""
    keys: Mapping[str, int] = field(default_factory=dict)
    """Size of the newest head that each key has signed."""
    sealed_at: int = -(1 << 63)
    """Of the last position, in microseconds since the year 2000."""


WRITE_SECONDS: Final = 2.0
"""Between two writes: what a program that is killed may lose."""
_FORMAT: Final = "claims-ledger/verification@v2"


class ProgressFile:
    """Where a book's verification keeps how far it has come."""

    def __init__(self, folder: Path, book: str, demanded: str = "") -> None:
        """Keep to the book's own file in this folder; what other keys had been asked of is not taken up."""
        self._path = folder / f"{book}.json"
        self._book = book
        self._demanded = demanded
        self._origin = ""
        self._newest: VerificationProgress | None = None
        self._write_at = monotonic() + WRITE_SECONDS

    def read(self, connection: Connection, origin: str) -> VerificationProgress | None:
        """Read how far a pass over the log of this name came; None where there was none that can be taken up.

        The database must still hold the tree that the pass had seen.
        """
        self._origin = origin
        try:
            told = json.loads(read_private(self._path))
            standing = _standing(told)
            stored = Frontier.read(standing.size, nodes_of(connection, self._book))
        except (KeyFileRefused, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadProof):
            return None
        asked = (told["format"], told["origin"], told["demanded"])
        same = asked == (_FORMAT, origin, self._demanded) and stored.nodes == standing.nodes
        return standing if same else None

    def keep(self, standing: VerificationProgress) -> None:
        """Keep how far the pass has come; written now and then."""
        self._newest = standing
        if monotonic() >= self._write_at:
            self.flush()

    def flush(self) -> None:
        """Write what was kept last."""
        if self._newest is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        nodes = {level: node.hex() for level, node in self._newest.nodes.items()}
        asked = {"format": _FORMAT, "origin": self._origin, "demanded": self._demanded}
        told = asked | asdict(self._newest) | {"nodes": nodes}
        replace_private(self._path, json.dumps(told) + "\n")
        self._write_at = monotonic() + WRITE_SECONDS

    def forget(self) -> None:
        """Forget it: the pass has ended."""
        self._newest = None
        self._path.unlink(missing_ok=True)


def _standing(told: Mapping[str, Any]) -> VerificationProgress:
    nodes = {int(level): bytes.fromhex(node) for level, node in told["nodes"].items()}
    numbers = {
        name: int(told[name]) for name in ("size", "streams", "heads", "proven", "not_checked", "sealed_at")
    }
    keys = {str(key): int(size) for key, size in told["keys"].items()}
    if {place.level for place in frontier_nodes(numbers["size"])} != nodes.keys():
        raise ValueError(told)
    return VerificationProgress(nodes=nodes, keys=keys, **numbers)
