"""Every command and every event, by its name; how a command is read, and judged without any stream."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ledger.domain.calendar import brussels_date
from ledger.domain.claim import events as of_claim
from ledger.domain.claim.commands import ClaimCommand
from ledger.domain.command import Command
from ledger.domain.complaint import events as of_complaint
from ledger.domain.complaint.commands import ComplaintCommand
from ledger.domain.contract import events as of_contract
from ledger.domain.contract.commands import ContractCommand, StartContract
from ledger.domain.event import Event
from ledger.domain.identifiers import ON_RECORD, no_address
from ledger.domain.refusals import FieldFault, Invalid
from ledger.domain.terms import load_terms

COMMANDS: Mapping[str, type[Command]] = {
    command_type.__name__: command_type
    for union in (ContractCommand, ClaimCommand, ComplaintCommand)
    for command_type in get_args(union)
}
"""Name → command type."""


def read_command(name: str, fields: Mapping[str, object] | bytes, *, on_record: bool = False) -> Command:
    """Read a command from its fields, as JSON bytes or as values that JSON can hold.

    A field given as null among such values is a field not given. `on_record`: the command may have been
    recorded by an earlier version, so what is asked of new names, numbers and addresses alone is not asked.
    Raises Invalid with one line that names every wrong field and what it wants.
    """
    command_type = COMMANDS.get(name)
    if command_type is None:
        known = ", ".join(sorted(COMMANDS))
        raise Invalid(
            FieldFault("command", "NOT_TAKEN", f"{name!r} does not exist; it must be one of {known}")
        )
    try:
        content = fields if isinstance(fields, bytes) else json.dumps(given(fields), default=_written)
    except (TypeError, ValueError) as error:
        raise Invalid(FieldFault("", "NOT_TAKEN", f"is not JSON ({error})"), command=name) from error
    try:
        command = command_type.model_validate_json(content, context=ON_RECORD if on_record else None)
    except ValidationError as error:
        raise Invalid(*_faults(error, content), command=name) from error
    if not on_record:
        _check_new(command)
    return command


def check(command: Command, at: datetime) -> None:
    """Judge what needs no stream: days after `at` (R1), a product or terms that do not exist (D19).

    Raises Invalid.
    """
    if at.tzinfo is None:
        raise Invalid(FieldFault("at", "NOT_TAKEN", "has no offset; write it like 2025-03-01T10:00:00+01:00"))
    today = brussels_date(at)
    for field in command.not_after_at:
        day: date | None = getattr(command, field)
        if day is not None and day > today:
            text = f"{day} lies after {today}, the Brussels date of `at`; it must not"
            raise Invalid(FieldFault(field, "AFTER_AT", text))
    if isinstance(command, StartContract):
        terms = load_terms(command.product, command.terms)
        if command.language is not None and command.language not in terms.languages:
            text = f"{command.language} is not among those of the terms: {', '.join(terms.languages)}"
            raise Invalid(FieldFault("language", "NOT_TAKEN", text))


def _check_new(command: Command) -> None:
    """Ensure that the numbers and persons that a command makes can stand in addresses. Raises Invalid."""
    wrong = [
        FieldFault(field, "NOT_TAKEN", text)
        for field, number in command.makes.items()
        if (text := no_address(number))
    ]
    if wrong:
        raise Invalid(*wrong, command=type(command).__name__)


def given(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out what is null: a field given as null is a field not given."""
    return {
        name: given(value) if isinstance(value, Mapping) else value
        for name, value in fields.items()
        if value is not None
    }


def _written(value: object) -> str:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    message = f"{type(value).__name__} is no value that JSON can hold"
    raise TypeError(message)


def _faults(error: ValidationError, content: str | bytes) -> list[FieldFault]:
    return [
        _fault(".".join(str(step) for step in fault["loc"]), fault, content)
        for fault in error.errors(include_url=False, include_input=False)
    ]


def _fault(field: str, fault: ErrorDetails, content: str | bytes) -> FieldFault:
    match fault["type"]:
        case "missing":
            return FieldFault(field, "MISSING", "is missing; give it")
        case "extra_forbidden":
            return FieldFault(field, "UNKNOWN_FIELD", "is no field of this command; leave it out")
        case "value_error":
            return FieldFault(field, "NOT_TAKEN", str(fault["ctx"]["error"]))
        case "json_invalid" if _holds_lone_surrogate(content):
            text = "holds a lone surrogate, half of a character; write whole characters"
            return FieldFault(field, "NOT_TAKEN", text)
        case _:
            return FieldFault(field, "NOT_TAKEN", fault["msg"])


def _holds_lone_surrogate(content: str | bytes) -> bool:
    """Whether half of a character is escaped in it, which Python's own reader of JSON takes."""
    halved = False
    try:
        json.dumps(json.loads(content), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        halved = isinstance(error, UnicodeEncodeError)
    return halved


EVENT_TYPES: Mapping[str, type[Event]] = {
    event_type.stable_name: event_type
    for base in (of_contract.ContractEvent, of_claim.ClaimEvent, of_complaint.ComplaintEvent)
    for event_type in base.__subclasses__()
}
"""Stable name → event type. A name, once here, stays for ever."""
