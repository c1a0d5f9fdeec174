"""How far a pass over a book's log has come: all that it takes to go on from there."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Standing:
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
