"""The three aggregates as one: what a command needs, what time owes, what follows.

Aggregates never see each other. Here a claim's decision is given the contract's `Cover`, and what it does
to the contract is recorded on the contract's stream.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from pydantic import TypeAdapter

from ledger.domain.calendar import brussels_date
from ledger.domain.claim import decide as claims
from ledger.domain.claim import state as claim_state
from ledger.domain.claim.commands import (
    ClaimCommand,
    CoveredClaimCommand,
    LoneClaimCommand,
    MoveClaim,
    OpenClaim,
)
from ledger.domain.claim.events import ClaimDecision
from ledger.domain.claim.state import Claim
from ledger.domain.codes import Guarantee
from ledger.domain.command import Command
from ledger.domain.complaint import decide as complaints
from ledger.domain.complaint import state as complaint_state
from ledger.domain.complaint.commands import ComplaintCommand, LodgeComplaint
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract import decide as contracts
from ledger.domain.contract import state as contract_state
from ledger.domain.contract.commands import ContractCommand
from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import due_at, is_end, missed, takes_effect_at
from ledger.domain.event import Event, PendingEvent, RecordedEvent, holds_personal_values
from ledger.domain.identifiers import StreamKind, StreamRef, claim_ref, complaint_ref, contract_ref
from ledger.domain.limits import Cover
from ledger.domain.refusals import OutOfOrder, Unknown

State = Contract | Claim | Complaint
World = Mapping[StreamRef, State | None]

AnyCommand = ContractCommand | ClaimCommand | ComplaintCommand


@dataclass(frozen=True, slots=True)
class Needs:
    """The streams that a decision takes; one that a command would make must be looked for too."""

    streams: tuple[StreamRef, ...]
    contract_of: StreamRef | None = None
    """The claim whose present contract must be loaded too."""


def needs(command: Command) -> Needs:
    """Return the streams that a decision takes, the command's own first. Raises TypeError."""
    known = _known(command)
    if isinstance(known, ContractCommand):
        return Needs((contract_ref(known.contract),))
    if isinstance(known, LodgeComplaint):
        claimed = () if known.claim is None else (claim_ref(known.claim),)
        return Needs((complaint_ref(known.complaint), contract_ref(known.contract), *claimed))
    if isinstance(known, ComplaintCommand):
        return Needs((complaint_ref(known.complaint),))
    claim = claim_ref(known.claim)
    if isinstance(known, OpenClaim):
        return Needs((claim, contract_ref(known.contract)))
    if isinstance(known, MoveClaim):
        return Needs((claim, contract_ref(known.contract)), claim)
    return Needs((claim,), claim if isinstance(known, CoveredClaimCommand) else None)


def fold(state: State | None, recorded: RecordedEvent) -> State | None:
    """Fold one event into the state of its stream. Never refuses: it has already happened.

    None only while the event that begins the stream is missing, as in a history cut by effective dates
    (`--on`).
    """
    match recorded.stream.kind:
        case "contract":
            return contract_state.apply(state if isinstance(state, Contract) else None, recorded)
        case "claim":
            return claim_state.apply(state if isinstance(state, Claim) else None, recorded)
        case "complaint":
            return complaint_state.apply(state if isinstance(state, Complaint) else None, recorded)
        case unknown:
            assert_never(unknown)


def elapse(state: State, until: datetime) -> Sequence[PendingEvent]:
    """Return what time owes a stream up to and including `until` (UTC), each at its own instant (R12).

    `effective_on` is the date of that instant. `at` is the instant too, unless the stream is already past it
    (D3, D4): then it is the stream's last `at`, so that `at` never decreases within a stream.
    """
    entries: list[PendingEvent] = []
    standing: State | None = state
    while standing is not None and (instant := next_instant(standing)) is not None and instant <= until:
        at = max(instant, standing.last_at)
        event = _owed_at(standing, instant)
        entry = PendingEvent(state.ref, event, brussels_date(instant), at, by_time=True)
        entries.append(entry)
        standing = fold(standing, RecordedEvent(entry.stream, 0, event, entry.effective_on, at))
    return entries


def _owed_at(state: State, instant: datetime) -> Event:
    """Return the first thing that time owes at an instant: deadlines missed, then ends and renewals (R12)."""
    due = due_at(state.deadlines, instant)
    if isinstance(state, Contract) and (not due or is_end(due[0])):
        return contracts.end_at(state, instant, due)
    return missed(due[0])


def next_instant(state: State) -> datetime | None:
    """Return the earliest instant (UTC) at which time will owe a stream something; None: never again."""
    instants = [takes_effect_at(row) for row in state.deadlines]
    if isinstance(state, Contract):
        instants.append(state.expires_at)
    return min((instant for instant in instants if instant is not None), default=None)


def last_at(state: State) -> datetime:
    """Return the `at` (UTC) of a stream's last event; nothing may be recorded before it."""
    return state.last_at


def decide(command: Command, world: World, at: datetime) -> Sequence[PendingEvent]:
    """Return what a command makes happen at `at` (UTC) over all streams it touches, in order of recording.

    `world` holds the streams of `needs`, elapsed to `at`; one that does not exist is None or left out. What
    the command's events make time owe at once (a contract recorded after S, a letter recorded after the
    renewal that it should have prevented: D3, D4) follows them, marked `by_time`. Raises a Refusal, the
    first that applies.
    """
    for state in world.values():
        if state is not None and at < state.last_at:
            message = f"{state.ref.name} has an event of {state.last_at.isoformat()}; give an `at` no earlier"
            raise OutOfOrder(message)
    entries = _decided(_known(command), world, at)
    return [*entries, *_caught_up(entries, world, at)]


_STATES: Mapping[StreamKind, TypeAdapter[State]] = {
    "contract": TypeAdapter(Contract),
    "claim": TypeAdapter(Claim),
    "complaint": TypeAdapter(Complaint),
}


def state_to_json(state: State) -> str:
    """Write a state as JSON, so that a register may keep it and fold on from there; defaults are left out."""
    return _STATES[state.ref.kind].dump_json(state, exclude_defaults=True).decode()


def state_from_json(kind: StreamKind, text: str) -> State:
    """Read a state back. Raises pydantic's ValidationError for what `state_to_json` did not write."""
    return _STATES[kind].validate_json(text)


def _known(command: Command) -> AnyCommand:
    if isinstance(command, AnyCommand):
        return command
    message = f"{type(command).__name__} is no command of the ledger; take one of COMMANDS"
    raise TypeError(message)


def _contract(world: World, number: str) -> Contract | None:
    state = world.get(contract_ref(number))
    return state if isinstance(state, Contract) else None


def _claim(world: World, number: str) -> Claim | None:
    state = world.get(claim_ref(number))
    return state if isinstance(state, Claim) else None


def _complaint(world: World, number: str) -> Complaint | None:
    state = world.get(complaint_ref(number))
    return state if isinstance(state, Complaint) else None


def _cover(world: World, number: str) -> Cover | None:
    contract = _contract(world, number)
    return None if contract is None else contract.cover


def _decided(command: AnyCommand, world: World, at: datetime) -> Sequence[PendingEvent]:
    if isinstance(command, ContractCommand):
        return contracts.decide(_contract(world, command.contract), command, at)
    if isinstance(command, LodgeComplaint):
        return complaints.decide(
            _complaint(world, command.complaint),
            command,
            at,
            cover=_cover(world, command.contract),
            claim_exists=command.claim is None or _claim(world, command.claim) is not None,
        )
    if isinstance(command, ComplaintCommand):
        return complaints.decide(_complaint(world, command.complaint), command, at)
    return _decided_on_claim(command, world, at)


def _decided_on_claim(command: ClaimCommand, world: World, at: datetime) -> Sequence[PendingEvent]:
    claim = _claim(world, command.claim)
    if isinstance(command, OpenClaim):
        outcome = claims.open_claim(claim, command, _cover(world, command.contract), at)
        victim, guarantee = command.victim.person, command.guarantee
        return _recorded(outcome, world, at, number=command.claim, victim=victim, guarantee=guarantee)
    if claim is None:
        message = f"claim {command.claim} does not exist; check its number"
        raise Unknown(message)
    if isinstance(command, LoneClaimCommand):
        outcome = claims.decide_alone(claim, command, at)
    else:
        cover = _present(world, claim.contract).cover
        other = _cover(world, command.contract) if isinstance(command, MoveClaim) else None
        outcome = claims.decide(claim, command, cover, at, other=other)
    return _recorded(outcome, world, at, number=claim.number, victim=claim.person, guarantee=claim.guarantee)


def _present(world: World, number: str) -> Contract:
    """Return a contract that must be there: no claim is without one. Raises KeyError where it is not."""
    contract = _contract(world, number)
    if contract is None:
        message = f"contract {number} was not loaded; load what `needs` names"
        raise KeyError(message)
    return contract


def _recorded(  # noqa: PLR0913 - what an entry of a claim and of its contracts is made of
    outcome: ClaimDecision, world: World, at: datetime, *, number: str, victim: str, guarantee: Guarantee
) -> Sequence[PendingEvent]:
    """Make the entries of an outcome: the claim's event, then the contracts'."""
    subject = victim if holds_personal_values(outcome.event) else None
    entries = [PendingEvent(claim_ref(number), outcome.event, outcome.effective_on, at, subject=subject)]
    for registration in outcome.registrations:
        contract = _present(world, registration.contract)
        entries.append(contracts.registered(contract, number, registration, at))
    for change in outcome.limits:
        contract = _present(world, change.contract)
        entries.append(contracts.limit_changed(contract, number, guarantee, change, at))
    return entries


def _caught_up(entries: Sequence[PendingEvent], world: World, at: datetime) -> Sequence[PendingEvent]:
    """Return what time owes at once because of a command's own events."""
    after: dict[StreamRef, State | None] = {}
    for entry in entries:
        before = after[entry.stream] if entry.stream in after else world.get(entry.stream)
        after[entry.stream] = fold(
            before, RecordedEvent(entry.stream, 0, entry.event, entry.effective_on, at)
        )
    return [owed for state in after.values() if state is not None for owed in elapse(state, at)]
