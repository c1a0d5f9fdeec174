"""Signed notes (C2SP signed-note): text, a blank line, and signature lines `— name base64(keyid₄ ‖ sig)`.

Base64 (RFC 4648 §4) has one spelling for each value; anything else is refused.

Keys here are Ed25519 (signature type 0x01). Signatures by keys that the reader does not know are ignored, so
witnesses may cosign and keys may be rotated; a signature by a known key that is wrong refuses the whole note.

Witnesses cosign (C2SP tlog-cosignature, `cosignature/v1`): that others saw a head, and when. A witness's key
is written `name+hex(key id)+base64(0x04 ‖ public key)`. Its line under a head holds the key id, the instant
as a big-endian 64-bit number of seconds, and an Ed25519 signature of both, with the head.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.proofs.errors import BadNote


def to_base64(raw: bytes) -> str:
    """Spell bytes in base64, padded."""
    return b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Read base64 text; None if it is not the one canonical spelling of its bytes."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (Error, UnicodeEncodeError):
        return None
    return raw if to_base64(raw) == text else None


ED25519 = b"\x01"
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
_KEY_ID_BYTES = 4
_SIGNATURE_MARK = "— "
_PUBLIC_KEY_BYTES = 32
_FIRST_PRINTABLE = " "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who signed, and with what."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The signature line with its newline."""
        return f"{_SIGNATURE_MARK}{self.name} {to_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 public key under a name: `name+hex(key id)+base64(0x01 ‖ public key)`."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a verifier key string. Raises BadNote."""
        return cls(*parse_key(text, ED25519, "an Ed25519 verifier key"))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)."""
        return key_id_of(self.name, ED25519, self.public_key)

    def __str__(self) -> str:
        """Return the verifier key string."""
        return write_key(self.name, ED25519, self.public_key)

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Return whether the signature over the text is by this key."""
        return is_signature(self.public_key, signature, text.encode())


def is_signature(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether this is the Ed25519 signature of these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def parse_key(text: str, kind: bytes, called: str) -> tuple[str, bytes]:
    """Read `name+hex(key id)+base64(kind ‖ public key)` as name and public key. Raises BadNote."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = from_base64(encoded)
    if not is_key_name(name) or raw is None or len(raw) != 1 + _PUBLIC_KEY_BYTES or raw[:1] != kind:
        message = f"not {called} (name+hex+base64): {text!r}"
        raise BadNote(message)
    if key_id_of(name, kind, raw[1:]).hex() != key_id:
        message = f"the key's id {key_id!r} is not that of its name and key: copy it again, whole"
        raise BadNote(message)
    return name, raw[1:]


def key_id_of(name: str, kind: bytes, public_key: bytes) -> bytes:
    """Return the first 4 bytes of SHA-256(name ‖ 0x0A ‖ kind ‖ public key)."""
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:_KEY_ID_BYTES]


def write_key(name: str, kind: bytes, public_key: bytes) -> str:
    """Write what `parse_key` reads."""
    return f"{name}+{key_id_of(name, kind, public_key).hex()}+{to_base64(kind + public_key)}"


class NoteSigner(Protocol):
    """Anything that adds a signature line to a note."""

    def sign(self, text: str) -> NoteSignature:
        """Sign the note's text, final newline included."""


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """An Ed25519 private key under a name."""

    name: str
    private_key: Ed25519PrivateKey

    @property
    def verifier_key(self) -> VerifierKey:
        """What others need to check this signer's signatures."""
        return VerifierKey(self.name, self.private_key.public_key().public_bytes_raw())

    def sign(self, text: str) -> NoteSignature:
        """Sign the note's text, final newline included."""
        return NoteSignature(self.name, self.verifier_key.key_id, self.private_key.sign(text.encode()))


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which at least one trusted key has signed the text."""

    text: str
    signed_by: tuple[VerifierKey, ...]
    not_known: tuple[NoteSignature, ...]


def is_key_name(name: str) -> bool:
    """Return whether a key may have this name: UTF-8, not empty, no space, no plus, no control character."""
    if not name or "+" in name or any(c.isspace() or c < _FIRST_PRINTABLE for c in name):
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """Write a signed note. Raises ValueError if the text cannot stand in one or nobody signs."""
    if not text.endswith("\n") or not _is_note_text(text) or not signers:
        message = "a note needs a signer and a text of printable lines that ends in a newline"
        raise ValueError(message)
    return text + "\n" + "".join(signer.sign(text).line for signer in signers)


def open_note(note: str, keys: Iterable[VerifierKey]) -> OpenedNote:
    """Check a note's signatures by the keys that are trusted. Raises BadNote."""
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    signed_by: dict[VerifierKey, None] = {}
    not_known = []
    for given in signatures:
        key = known.get((given.name, given.key_id))
        if key is None:
            not_known.append(given)
        elif key.has_signed(text, given.signature):
            signed_by[key] = None
        else:
            message = f"the signature of {key.name}+{key.key_id.hex()} does not fit the text: it was altered"
            raise BadNote(message)
    if not signed_by:
        wanted = ", ".join(f"{name}+{key_id.hex()}" for name, key_id in known) or "none was given"
        found = ", ".join(f"{given.name}+{given.key_id.hex()}" for given in signatures)
        message = f"not signed by a trusted key (trusted: {wanted}; signed by: {found})"
        raise BadNote(message)
    return OpenedNote(text, tuple(signed_by), tuple(not_known))


def is_signed_by_any(note: str, keys: Iterable[VerifierKey]) -> bool:
    """Whether a note bears a line in the name of one of these keys, right or wrong. Raises BadNote."""
    named = {(key.name, key.key_id) for key in keys}
    return any((given.name, given.key_id) in named for given in split_note(note)[1])


def split_note(note: str) -> tuple[str, list[NoteSignature]]:
    """Part a note into its text and its signature lines; nothing is verified. Raises BadNote."""
    text, blank, lines = note.rpartition("\n\n")
    text += "\n"
    if not blank or not lines.endswith("\n") or not _is_note_text(note):
        message = "not a signed note: it needs text, a blank line, and signature lines"
        raise BadNote(message)
    signatures = [_read_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > MAX_SIGNATURES:
        message = f"a note with more than {MAX_SIGNATURES} signatures is refused"
        raise BadNote(message)
    return text, signatures


def _is_note_text(text: str) -> bool:
    """Return whether the text is UTF-8 of bearable size without control characters other than newline."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return size <= MAX_NOTE_BYTES and not any(c < _FIRST_PRINTABLE for c in text if c != "\n")


def _read_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    raw = from_base64(encoded)
    if not line.startswith(_SIGNATURE_MARK) or not is_key_name(name) or not raw or len(raw) <= _KEY_ID_BYTES:
        message = f"not a signature line: {line[:80]!r}"
        raise BadNote(message)
    return NoteSignature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


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
        """Return the key string."""
        return write_key(self.name, COSIGNATURE_V1, self.public_key)

    @property
    def label(self) -> str:
        """The key's name and id, as a signature line shows them."""
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
