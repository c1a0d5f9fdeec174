"""Rows of `ledger.events`, as they are written: an event with its leaf, ready to be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from ledger.domain.entries import Entry
from ledger.domain.identifiers import StreamRef
from ledger.store.commit import Appended, AppendedEvent, Commit, NewEvent, StreamHead
from ledger.store.leaf import instant_text, leaf_bytes, leaf_hash
from ledger.store.payload import write_payload
from ledger.store.streams import stream_id
from ledger.store.subject_keys import SubjectKey


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
    """Give each event its version, ordinal, payload and leaf, chained to its stream's last.

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


def _key_of(entry: Entry, keys: Mapping[str, SubjectKey]) -> bytes | None:
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
