"""The timeline of a claim: each step from the notice to the last payment, in the words of the FAQ."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final, NamedTuple

from pydantic import TypeAdapter

from ledger.domain.claim import events as on_claims
from ledger.domain.claim.events import ClaimEvent
from ledger.domain.codes import GUARANTEES
from ledger.domain.event import Event
from ledger.feed.reader import FeedEvent
from projections.listing import (
    POSITION,
    ClaimNumber,
    Column,
    ContractNumber,
    Filter,
    GuaranteeCode,
    Listing,
)
from projections.runner.view import Folded, Since, Table, View


class StepRow(NamedTuple):
    """One step. Nothing personal stands in it, nor any free text."""

    claim: ClaimNumber
    version: Annotated[int, Column("", "number", "Version of the claim's stream.")]
    contract: ContractNumber
    """To which the claim belonged then."""
    guarantee: GuaranteeCode
    step: Annotated[str, Column("Step", "code", "Which step of the claim's way it belongs to.")]
    """`notify`, `identify`, `advise`, `refund`: the four of the FAQ; beside them `assist`, `decide`,
    `recover`, `correct`, `close` and `erase`."""
    event: Annotated[str, Column("Event", "claim_event", "Name of the event.")]
    effective_on: Annotated[date, Column("Counts from", "day", "The date on which it counts.", "effective")]
    at: Annotated[datetime, Column("", "instant", "When it was said to have happened.", "at (Brussels)")]
    actor: Annotated[str, Column("", "text", "Opaque staff id; never a name.", "actor")]
    days_since_notice: Annotated[
        int,
        Column("Days since notice", "number", "Calendar days since the claim was reported.", "day"),
    ]
    """Negative where a date before it counts."""
    amount_cents: Annotated[int | None, Column("Amount", "amount", "The amount of the step, cents.")]
    said: Annotated[str | None, Column("", "prose", "What the event says in codes.", "said")]
    """A method, a provider, a rejection's code, a payment's reference."""


class Timeline(NamedTuple):
    """What the next step needs of those before."""

    contract: str
    guarantee: str
    reported_on: date


TABLE = Table("projections.timeline", StepRow._fields, identity=2, grows_only=True)

STEPS: Mapping[type[Event], str] = {
    on_claims.ClaimOpened: "notify",
    on_claims.FurtherIncidentReported: "notify",
    on_claims.ClaimantIdentified: "identify",
    on_claims.DocumentsRequested: "identify",
    on_claims.DocumentReceived: "identify",
    on_claims.SubmissionCompleted: "identify",
    on_claims.AdviceGiven: "advise",
    on_claims.AssistanceProvided: "assist",
    on_claims.ExpertAppointed: "assist",
    on_claims.ExpertCalledOff: "assist",
    on_claims.ClaimAccepted: "decide",
    on_claims.ClaimRejected: "decide",
    on_claims.ClaimWithdrawn: "decide",
    on_claims.ClaimDeadlineMissed: "refund",
    on_claims.RefundIssued: "refund",
    on_claims.RefundFailed: "refund",
    on_claims.RefundReversed: "refund",
    on_claims.RecoveryReceived: "recover",
    on_claims.IncidentCorrected: "correct",
    on_claims.ClaimMoved: "correct",
    on_claims.ClaimClosed: "close",
    on_claims.ClaimReopened: "close",
    on_claims.ClaimSubjectErased: "erase",
}

CODES = ("cause", "method", "kind", "provider", "document", "code", "payment_reference", "payer", "capped_by")
"""Fields of events that hold codes, never words of a person."""
LISTS = ("topics", "documents")
AMOUNTS = ("approved_cents", "amount_cents")


class Telling(NamedTuple):
    """What of one kind of event the timeline tells: names of its fields."""

    step: str
    codes: tuple[str, ...]
    lists: tuple[str, ...]
    amounts: tuple[str, ...]


def _telling(event: type[Event], step: str) -> Telling:
    return Telling(
        step,
        *(tuple(name for name in names if name in event.model_fields) for names in (CODES, LISTS, AMOUNTS)),
    )


TOLD = {event: _telling(event, step) for event, step in STEPS.items()}


def fold(timeline: Timeline | None, event: FeedEvent, _: Since) -> Folded[Timeline] | None:
    """Fold one event of a claim."""
    after = _known(timeline, event.event)
    if after is None:
        # Folded for a date on which the claim had not begun.
        return None
    return Folded(after, (_row(after, event),))


def _known(timeline: Timeline | None, event: Event) -> Timeline | None:
    match event:
        case on_claims.ClaimOpened():
            return Timeline(event.contract, event.guarantee, event.reported_on)
        case on_claims.ClaimMoved() if timeline is not None:
            return timeline._replace(contract=event.contract)
        case _:
            return timeline


def _row(timeline: Timeline, event: FeedEvent) -> StepRow:
    happened = event.event
    told = TOLD[type(happened)]
    codes = [str(code) for name in told.codes if (code := getattr(happened, name)) is not None]
    codes += [str(code) for name in told.lists for code in getattr(happened, name)]
    return StepRow(
        event.stream.number,
        event.version,
        timeline.contract,
        timeline.guarantee,
        told.step,
        event.type.partition(".")[2],
        event.effective_on,
        event.at,
        event.actor,
        (event.effective_on - timeline.reported_on).days,
        getattr(happened, told.amounts[0]) if told.amounts else None,
        ", ".join(codes) or None,
    )


_REMEMBERED = TypeAdapter(Timeline)

TIMELINE: View[Timeline] = View(
    name="timeline",
    types=frozenset(event.stable_name for event in ClaimEvent.__subclasses__()),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=lambda timeline: _REMEMBERED.dump_json(timeline).decode(),
    from_text=_REMEMBERED.validate_json,
)


LISTED: Final = Listing(
    name="timeline",
    summary="Steps of claims in the order in which they were recorded",
    row=StepRow,
    of=TIMELINE,
    is_report=True,
    order=("from_position",),
    filters=(
        Filter("contract", "Only claims on this contract."),
        Filter("claim", "Only this claim."),
        Filter("guarantee", "Only claims under this guarantee.", choices=GUARANTEES),
        Filter("before", "Only what took effect before this date.", "effective_on < %(before)s"),
        Filter("step", "Only these steps.", choices=tuple(dict.fromkeys(STEPS.values()))),
    ),
    computed=(POSITION,),
    table="claim step event effective_on days_since_notice amount_cents said actor at",
    left_out="actor at said amount_cents",
    page="claim contract guarantee step event effective_on days_since_notice amount_cents position",
)
