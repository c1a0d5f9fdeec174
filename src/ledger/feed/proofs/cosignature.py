"""Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): that others saw a head, and when.

A witness's key is written `name+hex(key id)+base64(0x04 ‖ public key)`. Its line under a head holds the key
id, the instant as a big-endian 64-bit number of seconds, and an Ed25519 signature of both, with the head.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.feed.proofs.note import NoteSignature, is_signature, key_id_of, parse_key, split_note, write_key
from ledger.feed.proofs.refused import BadNote

COSIGNATURE_V1 = b"\x04"
_TIME_BYTES = 8
_LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's Ed25519 public key under its name."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read a witness's key string. Raises BadNote."""
        return cls(*parse_key(text, COSIGNATURE_V1, "the key of a witness that cosigns (cosignature/v1)"))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key)."""
        return key_id_of(self.name, COSIGNATURE_V1, self.public_key)

    def __str__(self) -> str:
        """Give the key string."""
        return write_key(self.name, COSIGNATURE_V1, self.public_key)

    @property
    def label(self) -> str:
        """Name and key id, as a signature line shows them."""
        return f"{self.name}+{self.key_id.hex()}"


class Cosignature(NamedTuple):
    """That a witness has seen a head."""

    key: WitnessKey
    at: datetime
    signature: NoteSignature


class WitnessedHead(NamedTuple):
    """The newest head that a witness has cosigned."""

    key: WitnessKey
    size: int
    at: datetime


class Witnessed:
    """Gathers, as heads go by, up to where each of these witnesses has cosigned."""

    def __init__(self, witnesses: Sequence[WitnessKey]) -> None:
        """Look for the lines of these keys."""
        self._wanted = witnesses
        self._newest: dict[WitnessKey, WitnessedHead] = {}

    def read(self, note: str, size: int) -> None:
        """Take a head that the log passes through. Raises BadNote for a cosignature that does not fit it."""
        for found in cosignatures(note, self._wanted) if self._wanted else ():
            known = self._newest.get(found.key)
            if known is None or known.size <= size:
                self._newest[found.key] = WitnessedHead(found.key, size, found.at)

    @property
    def heads(self) -> list[WitnessedHead]:
        """The newest head of each witness that has cosigned any."""
        return [self._newest[key] for key in self._wanted if key in self._newest]

    @property
    def missing(self) -> list[WitnessKey]:
        """Those of whom no cosignature was met."""
        return [key for key in self._wanted if key not in self._newest]


def cosignatures(note: str, witnesses: Iterable[WitnessKey]) -> list[Cosignature]:
    """Return the cosignatures of these witnesses under a note; those of others are passed over.

    Raises BadNote for one by a key that is given which does not fit the note.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in witnesses}
    found: dict[WitnessKey, Cosignature] = {}
    for given in signatures:
        key = known.get((given.name, given.key_id))
        if key is not None:
            found[key] = Cosignature(key, _cosigned_at(text, key, given), given)
    return list(found.values())


def _cosigned_at(text: str, key: WitnessKey, given: NoteSignature) -> datetime:
    at = int.from_bytes(given.signature[:_TIME_BYTES], "big")
    signed = f"cosignature/v1\ntime {at}\n{text}".encode()
    if not 0 < at < _LATEST or not is_signature(key.public_key, given.signature[_TIME_BYTES:], signed):
        message = (
            f"the cosignature of {key.label} does not fit the head: it was altered, or is another head's"
        )
        raise BadNote(message)
    return datetime.fromtimestamp(at, UTC)
