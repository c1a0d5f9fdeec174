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
    MoveClaim,
    OpenClaim,
)
from ledger.domain.claim.events import ClaimDeadlineMissed, ClaimDecision
from ledger.domain.claim.state import Claim
from ledger.domain.codes import Guarantee
from ledger.domain.command import Command
from ledger.domain.complaint import decide as complaints
from ledger.domain.complaint import state as complaint_state
from ledger.domain.complaint.commands import ComplaintCommand, LodgeComplaint
from ledger.domain.complaint.events import ComplaintDeadlineMissed
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract import decide as contracts
from ledger.domain.contract import state as contract_state
from ledger.domain.contract.commands import ContractCommand
from ledger.domain.contract.events import ContractDeadlineMissed
from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import is_missed_at, takes_effect_at
from ledger.domain.event import DeadlineMissed, Event, PendingEvent, RecordedEvent, holds_personal_values
from ledger.domain.identifiers import StreamKind, StreamRef, claim_ref, complaint_ref, contract_ref
from ledger.domain.limits import Context, Cover
from ledger.domain.refusals import OutOfOrder
from ledger.domain.terms import Catalogue, packaged_terms

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


def fold(state: State | None, recorded: RecordedEvent, catalogue: Catalogue | None = None) -> State | None:
    """Fold one event into the state of its stream. Never refuses: it has already happened.

    `catalogue`: the terms that contracts stand under; by default those that the program brings along.

    None only while the event that begins the stream is missing, as in a history cut by effective dates
    (`--on`).
    """
    match recorded.stream.kind:
        case "contract":
            contract = state if isinstance(state, Contract) else None
            return contract_state.apply(contract, recorded, catalogue or packaged_terms())
        case "claim":
            return claim_state.apply(state if isinstance(state, Claim) else None, recorded)
        case "complaint":
            return complaint_state.apply(state if isinstance(state, Complaint) else None, recorded)
        case unknown:
            assert_never(unknown)


def elapse(state: State, until: datetime, catalogue: Catalogue | None = None) -> Sequence[PendingEvent]:
    """Return what time owes a stream up to and including `until` (UTC), each at its own instant (R12).

    `effective_on` is the date of that instant. `at` is the instant too, unless the stream is already past it
    (D3, D4): then it is the stream's last `at`, so that `at` never decreases within a stream.
    """
    known = catalogue or packaged_terms()
    owed: list[PendingEvent] = []
    while (instant := next_instant(state)) is not None and instant <= until:
        event, at = _owed_at(state, instant, known), max(instant, state.last_at)
        entry = PendingEvent(state.ref, event, brussels_date(instant), at, by_time=True)
        owed.append(entry)
        # What has begun never becomes None.
        recorded = RecordedEvent(entry.stream, 0, event, entry.effective_on, at)
        state = fold(state, recorded, known) or state
    return owed


def next_instant(state: State) -> datetime | None:
    """Return the earliest instant (UTC) at which time will owe a stream something; None: never again."""
    instants = [at for row in state.deadlines if (at := takes_effect_at(row)) is not None]
    if isinstance(state, Contract) and state.expires_at is not None:
        instants.append(state.expires_at)
    return min(instants, default=None)


_MISSED: Mapping[StreamKind, type[DeadlineMissed]] = {
    "contract": ContractDeadlineMissed,
    "claim": ClaimDeadlineMissed,
    "complaint": ComplaintDeadlineMissed,
}


def _owed_at(state: State, instant: datetime, catalogue: Catalogue) -> Event:
    """Return the first thing that time owes at an instant: deadlines missed, then ends and renewals (R12)."""
    missed = [row for row in state.deadlines if is_missed_at(row, instant)]
    if isinstance(state, Contract) and not missed:
        return contracts.end_at(state, instant, catalogue)
    row = missed[0]
    event_type = _MISSED[state.ref.kind]
    return event_type(kind=row.kind, rule=row.rule, due_on=row.due_on, seq=row.seq)


def decide(
    command: Command, world: World, at: datetime, catalogue: Catalogue | None = None
) -> Sequence[PendingEvent]:
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
    known = catalogue or packaged_terms()
    entries = _decided(_known(command), world, at, known)
    return [*entries, *_caught_up(entries, world, at, known)]


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


def _cover(world: World, number: str, catalogue: Catalogue) -> Cover | None:
    contract = _contract(world, number)
    return None if contract is None else contract.cover(catalogue)


def _decided(command: AnyCommand, world: World, at: datetime, catalogue: Catalogue) -> Sequence[PendingEvent]:
    if isinstance(command, ContractCommand):
        return contracts.decide(_contract(world, command.contract), command, Context(at, catalogue))
    if isinstance(command, LodgeComplaint):
        context = Context(
            at,
            catalogue,
            cover=_cover(world, command.contract, catalogue),
            claim_exists=command.claim is None or _claim(world, command.claim) is not None,
        )
        return complaints.decide(_complaint(world, command.complaint), command, context)
    if isinstance(command, ComplaintCommand):
        return complaints.decide(_complaint(world, command.complaint), command, Context(at, catalogue))
    return _decided_on_claim(command, world, at, catalogue)


def _decided_on_claim(
    command: ClaimCommand, world: World, at: datetime, catalogue: Catalogue
) -> Sequence[PendingEvent]:
    claim = _claim(world, command.claim)
    if isinstance(command, OpenClaim):
        context = Context(at, catalogue, cover=_cover(world, command.contract, catalogue))
        victim, guarantee = command.victim.person, command.guarantee
    else:
        claim = claims.existing(claim, command)
        other = _cover(world, command.contract, catalogue) if isinstance(command, MoveClaim) else None
        context = Context(at, catalogue, cover=_cover(world, claim.contract, catalogue), other=other)
        victim, guarantee = claim.person, claim.guarantee
    decision = claims.decide(claim, command, context)
    return _recorded(decision, at, number=command.claim, victim=victim, guarantee=guarantee)


def _recorded(
    decision: ClaimDecision, at: datetime, *, number: str, victim: str, guarantee: Guarantee
) -> Sequence[PendingEvent]:
    """Make the entries of a decision: the claim's event, then the contracts'."""
    subject = victim if holds_personal_values(decision.event) else None
    return [
        PendingEvent(claim_ref(number), decision.event, decision.effective_on, at, subject=subject),
        *(contracts.registered(number, registration, at) for registration in decision.registrations),
        *(contracts.limit_changed(number, guarantee, change, at) for change in decision.limits),
    ]


def _caught_up(
    entries: Sequence[PendingEvent], world: World, at: datetime, catalogue: Catalogue
) -> Sequence[PendingEvent]:
    """Return what time owes at once because of a command's own events."""
    after: dict[StreamRef, State | None] = {}
    for entry in entries:
        before = after[entry.stream] if entry.stream in after else world.get(entry.stream)
        recorded = RecordedEvent(entry.stream, 0, entry.event, entry.effective_on, at)
        after[entry.stream] = fold(before, recorded, catalogue)
    states = [state for state in after.values() if state is not None]
    return [owed for state in states for owed in elapse(state, at, catalogue)]
