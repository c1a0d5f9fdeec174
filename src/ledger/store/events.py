"""Events as the store takes, writes and reads them: commits, payloads with their upcasts.

An upcast is one function a step, registered by the event's stable name and the version it starts from. It is
given the payload's fields, without salt, and returns those of the next version. Personal fields stand as
ciphertext and are carried over.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from typing import NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from ledger.domain.event import Event, PendingEvent, Sealed, personal_fields, value_at
from ledger.domain.identifiers import StreamRef
from ledger.domain.registry import EVENT_TYPES
from ledger.store.canonical import canonical_json
from ledger.store.errors import Unreadable
from ledger.store.keys import SubjectKey
from ledger.store.vault import place, seal


class StreamHead(NamedTuple):
    """Where a stream stands: its newest version (0: it does not exist) and that event's leaf hash."""

    version: int = 0
    leaf_hash: bytes | None = None


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
    events: Sequence[PendingEvent]
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
class Appended:
    """What a commit recorded."""

    events: Sequence[PendingEvent]
    """Those of the commit, each with its stream's id and its version."""
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


def write_payload(event: Event) -> bytes:
    """Write an event's fields with a fresh salt.

    Raises ValueError when something personal stands in it in clear: `seal_personal` comes first.
    """
    for path in personal_fields(type(event)):
        if isinstance(value_at(event, path), str):
            message = f"{event.stable_name}.{path} is personal: say whose, so that it can be sealed"
            raise ValueError(message)  # noqa: TRY004  # its type is right, its state is not
    fields: dict[str, object] = event.model_dump(mode="json")
    fields[SALT] = b64encode(token_bytes(_SALT_BYTES)).decode()
    return canonical_json(fields)


def seal_personal(event: PendingEvent, book: str, keys: Mapping[str, SubjectKey]) -> Event:
    """Return a numbered event with its personal fields sealed, for nowhere else, under its subject's key.

    What was carried over as ciphertext stays as it is; so does what has no key, which is not written then.
    """
    held = keys.get(event.subject) if event.subject is not None else None
    sealed = event.event
    if held is None:
        return sealed
    for path in personal_fields(type(sealed)):
        clear = value_at(sealed, path)
        if isinstance(clear, str):
            associated = place(book, event.stream.name, event.version, event.type, path)
            value = Sealed(person=held.person, box=seal(held.key, clear, associated))
            sealed = _with_value(sealed, path, value)
    return sealed


_Model = TypeVar("_Model", bound=BaseModel)


def _with_value(model: _Model, path: str, value: object) -> _Model:
    name, _, rest = path.partition(".")
    return model.model_copy(update={name: _with_value(getattr(model, name), rest, value) if rest else value})


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
