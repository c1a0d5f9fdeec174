"""A command as somebody sends it: who, under which id, when, and what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ledger.domain.calendar import brussels_date
from ledger.domain.command import Command
from ledger.domain.dispatch import Needs, needs
from ledger.domain.event import Event, PendingEvent
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import FieldFault, Invalid
from ledger.domain.registry import given, read_command

LARGEST_BYTES = 65_536
"""A command is at most 64 kB."""

LOCAL = "local"
"""Sender of what is typed or imported on the machine itself: command ids are scoped by who sends."""


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """What a service of ours sends in a command's place: an event that has happened and that no rule refuses.

    It happens in the book's present, no earlier than the stream's last event.
    """

    stream: StreamRef
    event: Event

    def events(self, at: datetime) -> tuple[PendingEvent]:
        """Return the event as a decision at `at` gives it."""
        return (PendingEvent(self.stream, self.event, brussels_date(at), at),)


@dataclass(frozen=True, slots=True)
class Submission:
    """One command, its shape checked."""

    command_id: str
    command: Command | RecordEvent = field(repr=False)
    """Not shown where a submission is: it may hold personal values."""
    content: bytes = field(repr=False)
    """What two sendings under one id must agree in."""
    at: datetime | None = None
    """Instant that the sender names; None: the book's present."""
    actor: str = LOCAL
    """Opaque staff id, never a name."""
    sender: str = LOCAL
    may_backdate: bool = False
    """Whether `at` may lie in the past: the right to import."""
    if_versions: frozenset[int] | None = None
    """Versions of the command's own stream, one of which it must be at for the sender; None: any."""
    invalid_if_new: Invalid | None = None
    """Why the command is taken no more, unless it is on record from before; None: it is taken."""
    needs: Needs = field(init=False, repr=False, compare=False)
    """The streams that deciding it takes, its own first."""

    def __post_init__(self) -> None:
        """Find out what it needs, once."""
        command = self.command
        needed = Needs((command.stream,)) if isinstance(command, RecordEvent) else needs(command)
        object.__setattr__(self, "needs", needed)


class StreamMoved(Exception):
    """The command's own stream is not at a version that the sender names: nothing was recorded."""

    def __init__(self, stream: str, version: int) -> None:
        super().__init__(f"{stream} is at version {version}: read it again, then decide again")
        self.version = version


def submission(  # noqa: PLR0913  # an envelope has so many parts
    command_id: str,
    name: str,
    fields: Mapping[str, object],
    *,
    at: datetime | None = None,
    actor: str = LOCAL,
    sender: str = LOCAL,
    may_backdate: bool = False,
    if_versions: frozenset[int] | None = None,
) -> Submission:
    """Check a command's shape and put it into its envelope.

    What only an earlier version took is put into it as well, with what is wrong: it may be on record.

    Raises:
        Invalid: unknown command, unknown or missing field, wrong type.

    """
    wrong = None
    try:
        command = read_command(name, fields)
    except Invalid as invalid:
        try:
            command = read_command(name, fields, on_record=True)
        except Invalid:
            raise invalid from None
        wrong = invalid
    content = content_of(name, fields, at)
    if len(content) > LARGEST_BYTES:
        text = f"has {len(content):,} bytes; a command has at most {LARGEST_BYTES:,}"
        raise Invalid(FieldFault("", "NOT_TAKEN", text), command=name)
    return Submission(command_id, command, content, at, actor, sender, may_backdate, if_versions, wrong)


def content_of(name: str, fields: Mapping[str, object], at: datetime | None) -> bytes:
    """Write down what a command says, the same bytes for the same content whatever the order of its fields.

    A field given as null is a field not given. The actor is not part of it: who repeats a command may differ.
    """
    said = {
        "command": name,
        "at": None if at is None else at.astimezone(UTC).isoformat(),
        "data": given(fields),
    }
    return json.dumps(said, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
