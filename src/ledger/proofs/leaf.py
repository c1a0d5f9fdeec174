"""The log's leaf: a commitment to one event in canonical JSON (RFC 8785), never the event itself.

The canonical form of these fields is a regular language (fixed keys in order, no spaces, one spelling for
each string and number), so one pattern reads a leaf and refuses every other spelling at once.

- `v`: the version of this format; old leaves verify for ever
- `prev`: leaf hash of the stream's event before this one, hexadecimal; absent in version 1 of the stream
- `payload_sha256`: SHA-256 of the stored payload's bytes, hexadecimal
- `effective_on`: a date; `at` and `recorded_at`: UTC instants with microseconds
- `causation_id`: absent where nothing but the command caused the event

How leaves hang together: each names the leaf before it in its stream, and versions have no gaps.
"""

import json
import re
from datetime import date, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from ledger.proofs.errors import BadLeaf, BrokenChain

LEAF_VERSION = 1
MAX_LEAF_BYTES = 0xFFFF
MAX_INTEGER = 2**53 - 1
"""The largest integer that RFC 8785 can write."""

_STRING = r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f])))*+)"'
_UUID = r'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"'
_HASH = r'"([0-9a-f]{64})"'
_DATE = r'"([0-9]{4}-[0-9]{2}-[0-9]{2})"'
_INSTANT = r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)"'
_NUMBER = r"(0|[1-9][0-9]{0,15})"

_FIELDS = {
    "actor": _STRING,
    "at": _INSTANT,
    "book": _STRING,
    "causation_id": _UUID,
    "command_id": _STRING,
    "correlation_id": _UUID,
    "effective_on": _DATE,
    "event_id": _UUID,
    "ordinal": _NUMBER,
    "payload_sha256": _HASH,
    "prev": _HASH,
    "recorded_at": _INSTANT,
    "schema_version": _NUMBER,
    "stream": _STRING,
    "type": _STRING,
    "v": _NUMBER,
    "version": _NUMBER,
}
_OPTIONAL = {"causation_id", "prev"}
LEAF_FIELDS = tuple(_FIELDS)
"""The leaf's fields in the order of RFC 8785."""


def _pattern() -> re.Pattern[str]:
    """Build the pattern of a whole leaf; a field's comma stands before it, so `actor` must come first."""
    parts: list[str] = []
    for name, value in _FIELDS.items():
        part = f'{"," if parts else ""}"{name}":{value}'
        parts.append(f"(?:{part})?" if name in _OPTIONAL else part)
    return re.compile(r"\{" + "".join(parts) + r"\}")


_LEAF = _pattern()
_NUMBERS_AT = [at for at, name in enumerate(LEAF_FIELDS) if _FIELDS[name] == _NUMBER]


class Leaf(NamedTuple):
    """One leaf, its fields as they stand in the JSON: dates, instants and hashes are text."""

    actor: str
    at: str
    book: str
    causation_id: str | None
    command_id: str
    correlation_id: str
    effective_on: str
    event_id: str
    ordinal: int
    payload_sha256: str
    prev: str | None
    recorded_at: str
    schema_version: int
    stream: str
    type: str
    v: int
    version: int

    def to_bytes(self) -> bytes:
        """Write the canonical JSON."""
        present = {name: value for name, value in self._asdict().items() if value is not None}
        return json.dumps(present, ensure_ascii=False, separators=(",", ":")).encode()


def read_leaf(leaf: bytes) -> Leaf:
    """Read a leaf strictly: known fields only, canonical JSON, real dates. Raises BadLeaf."""
    try:
        found = _LEAF.fullmatch(leaf.decode())
    except UnicodeDecodeError:
        found = None
    if found is None or len(leaf) > MAX_LEAF_BYTES:
        raise BadLeaf(_what_is_wrong(leaf))
    values: list[Any] = list(found.groups())
    if b"\\" in leaf:
        values = [json.loads(f'"{text}"') if text else text for text in values]
    for at in _NUMBERS_AT:
        values[at] = int(values[at])
    read = Leaf._make(values)
    _check_values(read)
    return read


def payload_sha256(payload: bytes) -> str:
    """Return the hash of a payload's stored bytes as the leaf spells it."""
    return sha256(payload).hexdigest()


def _check_values(leaf: Leaf) -> None:
    """Refuse what the pattern cannot tell: dates that do not exist, numbers out of range."""
    try:
        date.fromisoformat(leaf.effective_on)
        datetime.fromisoformat(leaf.at)
        datetime.fromisoformat(leaf.recorded_at)
    except ValueError as error:
        message = f"the leaf names a date or an instant that does not exist ({error})"
        raise BadLeaf(message) from error
    if leaf.v != LEAF_VERSION:
        message = f"the leaf has format {leaf.v}, this verifier reads {LEAF_VERSION}: take a newer one"
        raise BadLeaf(message)
    if leaf.version < 1 or leaf.schema_version < 1:
        message = "versions in a leaf count from 1"
        raise BadLeaf(message)
    if max(leaf.version, leaf.schema_version, leaf.ordinal) > MAX_INTEGER:
        message = f"a number in a leaf is at most {MAX_INTEGER}"
        raise BadLeaf(message)
    if (leaf.prev is None) != (leaf.version == 1):
        message = "`prev` is absent in version 1 of a stream, and only there"
        raise BadLeaf(message)


def _what_is_wrong(leaf: bytes) -> str:
    """Return in one line why the pattern did not fit."""
    if len(leaf) > MAX_LEAF_BYTES:
        return f"the leaf has {len(leaf)} bytes, at most {MAX_LEAF_BYTES} are allowed"
    try:
        fields = json.loads(leaf)
    except (ValueError, RecursionError):
        return "the leaf is not JSON"
    if not isinstance(fields, dict):
        return "the leaf is not a JSON object"
    return _what_is_wrong_in(fields) or "the leaf's bytes are not the canonical JSON (RFC 8785) of its fields"


def _what_is_wrong_in(fields: dict[str, Any]) -> str | None:
    missing = [name for name in LEAF_FIELDS if name not in fields and name not in _OPTIONAL]
    unknown = [name for name in fields if name not in _FIELDS]
    if missing or unknown:
        return f"the leaf's fields are not those of the format (missing {missing}, unknown {unknown[:5]})"
    for name, value in fields.items():
        text = json.dumps(value, ensure_ascii=False)
        if not re.fullmatch(_FIELDS[name], text):
            return f"the leaf's {name} is not what it must be: {text[:60]}"
    return None


class ChainHead(NamedTuple):
    """The newest leaf of a stream that has been read so far."""

    version: int
    leaf_hash: bytes


class StreamChains:
    """The heads of all streams of one log, as its leaves go by in the order of their positions.

    Memory grows with the number of streams (about 300 bytes each), not with the number of events.
    """

    def __init__(self) -> None:
        """Begin before the log's first leaf."""
        self.book: str | None = None
        self._heads: dict[str, tuple[int, bytes, int]] = {}
        self._position = 0

    def __len__(self) -> int:
        """Return the number of streams."""
        return len(self._heads)

    def head(self, stream: str) -> ChainHead | None:
        """Return the newest leaf of a stream; None if the log holds none."""
        head = self._heads.get(stream)
        return head and ChainHead(*head[:2])

    def follow(self, leaf: Leaf, leaf_hash: bytes) -> None:
        """Take the next leaf of the log. Raises BrokenChain if it does not follow on its stream."""
        version, newest, position = self._heads.get(leaf.stream, (0, b"", -1))
        if leaf.version != version + 1:
            message = f"{leaf.stream} goes from version {version} to {leaf.version}"
            raise BrokenChain(message, position + 1 if leaf.version > version else None)
        if leaf.prev is not None and leaf.prev != newest.hex():
            message = f"{leaf.stream} version {leaf.version} does not name the leaf of version {version}"
            raise BrokenChain(message)
        if leaf.book != self.book:
            if self.book is not None:
                message = f"a leaf of book {leaf.book!r} in the log of book {self.book!r}"
                raise BrokenChain(message)
            self.book = leaf.book
        self._heads[leaf.stream] = (leaf.version, leaf_hash, self._position)
        self._position += 1
