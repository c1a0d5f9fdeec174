"""Events as the store takes, writes and reads them: commits, payloads with their upcasts, rows.

An upcast is one function a step, registered by the event's stable name and the version it starts from. It is
given the payload's fields, without salt, and returns those of the next version. Personal fields stand as
ciphertext and are carried over.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import NamedTuple
from uuid import UUID, uuid4

from pydantic import ValidationError

from ledger.domain.event import Event, PendingEvent, personal_fields
from ledger.domain.identifiers import StreamRef
from ledger.domain.registry import EVENT_TYPES
from ledger.store.canonical import canonical_json, instant_text, leaf_bytes, leaf_hash, stream_id
from ledger.store.errors import Unreadable
from ledger.store.keys import SubjectKey
from ledger.store.vault import at_path, place, seal


class StreamHead(NamedTuple):
    """Where a stream stands: its newest version (0: it does not exist) and that event's leaf hash."""

    version: int = 0
    leaf_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One entry with what the ledger adds: who, by which command, for which contract, because of what."""

    entry: PendingEvent
    command_id: str
    """The command's id; time's events: `time:<stream name>@<instant>`."""
    actor: str
    """Opaque staff id, never a name; `time` for what time owed."""
    contract: StreamRef
    """The contract that the event belongs to: its stream id becomes the correlation id."""
    causation_id: UUID | None = None
    """Event that caused this one, where there is one."""
    event_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """The first and only answer to a command, kept for ever."""

    sender: str
    command_id: str
    content_hmac: bytes
    """Keyed hash of the command's content (`EventStore.content_hmac`)."""
    answer: str
    """JSON text, given back as it was."""


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one transaction records, or nothing of it."""

    book: str
    events: Sequence[NewEvent]
    """In order of recording. Versions follow from `heads`, ordinals from the order within a command id."""
    heads: Mapping[StreamRef, StreamHead]
    """Where each stream stood when it was loaded; a stream that is not named is expected not to exist."""
    answers: Sequence[CommandAnswer]
    recorded_at: datetime
    """The database's time, UTC, as the loading query brought it (`Loaded.now`)."""
    import_id: UUID | None = None
    """The open import that commits; None: a live command, refused while an import is open."""
    import_clock_at: datetime | None = None
    """Where the import's clock stands after this commit; moved in the same transaction."""
    clears_hold: bool = False
    """Clear `held_at` in the same transaction: the first live command after a held import."""


@dataclass(frozen=True, slots=True)
class AppendedEvent:
    """One recorded event, as the command's answer names it."""

    stream: StreamRef
    version: int
    type: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Appended:
    """What a commit recorded."""

    events: Sequence[AppendedEvent]
    """In the order of `Commit.events`."""
    heads: Mapping[StreamRef, StreamHead]
    """Where the streams stand now: `Commit.heads`, moved on. The next commit may start from here."""


Fields = dict[str, object]
Step = Callable[[Fields], Fields]

_STEPS: dict[tuple[str, int], Step] = {}


def upcasts_from(type_name: str, schema_version: int) -> Callable[[Step], Step]:
    """Register the step from `schema_version` of an event to the next."""

    def register(step: Step) -> Step:
        if (type_name, schema_version) in _STEPS:
            message = f"{type_name} version {schema_version} is upcast twice"
            raise ValueError(message)
        _STEPS[type_name, schema_version] = step
        return step

    return register


def upcast(type_name: str, from_version: int, to_version: int, fields: bytes) -> bytes:
    """Bring a payload's JSON from one schema version to another.

    Raises ValueError when no step leads there.
    """
    present: Fields = json.loads(fields)
    if from_version > to_version:
        message = f"{type_name} version {from_version} is newer than this program"
        raise ValueError(message)
    for version in range(from_version, to_version):
        step = _STEPS.get((type_name, version))
        if step is None:
            message = f"no upcast leads from {type_name} version {version}"
            raise ValueError(message)
        present = step(present)
    return canonical_json(present)


SALT = "salt"
"""Payload key of 16 random bytes, base64, so that nothing can be guessed from a payload's hash.

No event may use it.
"""

_SALT_BYTES = 16
_SALT_START = b'"salt":"'
_SALT_LENGTH = len(_SALT_START) + 24 + 1
"""The member with its quotes: 16 bytes are 24 characters of base64."""


def write_payload(  # noqa: PLR0913 # a place in the ledger has this many parts
    event: Event, *, book: str, stream: str, version: int, subject: str | None, key: bytes | None
) -> bytes:
    """Write an event's fields with a fresh salt, personal ones sealed under the subject's key.

    Raises ValueError when the event holds something personal and there is no key to seal it with.
    """
    fields: dict[str, object] = event.model_dump(mode="json")
    fields[SALT] = b64encode(token_bytes(_SALT_BYTES)).decode()
    for path in personal_fields(type(event)):
        found = at_path(fields, path.split("."))
        if found is None or not isinstance(found[0][found[1]], str):
            continue  # absent, or carried over as ciphertext from elsewhere
        holder, name = found
        if subject is None or key is None:
            message = f"{event.stable_name}.{path} is personal: say whose, so that it can be sealed"
            raise ValueError(message)
        clear = str(holder[name])
        box = seal(key, clear, place(book, stream, version, event.stable_name, path))
        holder[name] = {"person": subject, "box": box}
    return canonical_json(fields)


def read_payload(payload: bytes, *, type_name: str, schema_version: int, stream: str, version: int) -> Event:
    """Read an event back: known type, upcast to its present schema version, validated. Raises Unreadable."""
    event_type = EVENT_TYPES.get(type_name)
    if event_type is None:
        raise Unreadable(stream, version, f"no event is named {type_name}; upgrade the program")
    try:
        fields = _without_salt(payload)
        if schema_version != event_type.schema_version:
            fields = upcast(type_name, schema_version, event_type.schema_version, fields)
        return event_type.model_validate_json(fields)
    except (ValidationError, ValueError, KeyError) as error:
        # The validation's own text would quote values, and a log line must not hold a person's.
        reason = (
            f"its payload is not a {type_name} of schema version {schema_version} ({type(error).__name__})"
        )
        raise Unreadable(stream, version, reason) from error


def _without_salt(payload: bytes) -> bytes:
    """Cut the salt out of canonical bytes.

    The sequence cannot stand inside a string: its quotes would be escaped.
    """
    start = payload.find(_SALT_START)
    if start < 0:
        return payload
    end = start + _SALT_LENGTH
    if payload[end : end + 1] == b",":
        return payload[:start] + payload[end + 1 :]
    if payload[start - 1 : start] == b",":
        return payload[: start - 1] + payload[end:]
    return payload[:start] + payload[end:]


class EventRow(NamedTuple):
    """One row of `ledger.events`, in the order of its columns; ids and times as text, bytes as bytes."""

    book: str
    stream_id: str
    version: int
    stream: str
    event_id: str
    type: str
    schema_version: int
    effective_on: str
    at: str
    recorded_at: str
    command_id: str
    ordinal: int
    actor: str
    correlation_id: str
    causation_id: str | None
    payload: bytes
    leaf: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class WrittenCommit:
    """A commit's rows in order of recording, and what its caller is told about them."""

    rows: list[EventRow]
    appended: Appended


def write_rows(commit: Commit, keys: Mapping[str, SubjectKey]) -> WrittenCommit:
    """Write each event's version, ordinal, payload and leaf, chained to its stream's last.

    `keys`: by person.
    """
    heads: dict[StreamRef, StreamHead] = dict(commit.heads)
    ordinals: dict[str, int] = {}
    recorded_at = instant_text(commit.recorded_at)
    rows: list[EventRow] = []
    told: list[AppendedEvent] = []
    for new in commit.events:
        entry = new.entry
        head = heads.get(entry.stream) or StreamHead()
        ordinal = ordinals.get(new.command_id, 0)
        ordinals[new.command_id] = ordinal + 1
        row = _row(commit.book, new, head, ordinal, recorded_at, _key_of(entry, keys))
        heads[entry.stream] = StreamHead(row.version, row.leaf_hash)
        rows.append(row)
        told.append(AppendedEvent(entry.stream, row.version, row.type, new.event_id))
    return WrittenCommit(rows, Appended(told, heads))


def _key_of(entry: PendingEvent, keys: Mapping[str, SubjectKey]) -> bytes | None:
    held = keys.get(entry.subject) if entry.subject is not None else None
    return held.key if held else None


def _row(  # noqa: PLR0913, PLR0917 # each stands for one part of the row
    book: str, new: NewEvent, head: StreamHead, ordinal: int, recorded_at: str, key: bytes | None
) -> EventRow:
    entry, event = new.entry, new.entry.event
    stream, version = entry.stream.name, head.version + 1
    correlation_id: UUID = stream_id(book, new.contract)
    at = instant_text(entry.at)
    payload = write_payload(event, book=book, stream=stream, version=version, subject=entry.subject, key=key)
    leaf = leaf_bytes(
        book=book,
        event_id=new.event_id,
        stream=stream,
        version=version,
        prev=head.leaf_hash,
        type_name=event.stable_name,
        schema_version=event.schema_version,
        effective_on=entry.effective_on,
        at=at,
        recorded_at=recorded_at,
        actor=new.actor,
        command_id=new.command_id,
        ordinal=ordinal,
        correlation_id=correlation_id,
        causation_id=new.causation_id,
        payload=payload,
    )
    return EventRow(
        book,
        str(stream_id(book, entry.stream)),
        version,
        stream,
        str(new.event_id),
        event.stable_name,
        event.schema_version,
        entry.effective_on.isoformat(),
        at,
        recorded_at,
        new.command_id,
        ordinal,
        new.actor,
        str(correlation_id),
        str(new.causation_id) if new.causation_id else None,
        payload,
        leaf,
        leaf_hash(leaf),
    )
