"""The timeline of a claim: each step from the notice to the last payment, in the words of the FAQ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from pydantic import TypeAdapter

from ledger.domain.claim import events as on_claims
from ledger.domain.claim.events import ClaimEvent
from ledger.domain.event import Event
from ledger.feed.reader import FeedEvent
from projections.runner.view import Folded, Since, Table, View


class StepRow(NamedTuple):
    """One step. Nothing personal stands in it, nor any free text."""

    claim: str
    version: int
    contract: str
    """To which the claim belonged then."""
    guarantee: str
    step: str
    """`notify`, `identify`, `advise`, `refund`: the four of the FAQ; beside them `assist`, `decide`,
    `recover`, `correct`, `close` and `erase`."""
    event: str
    effective_on: date
    at: datetime
    actor: str
    days_since_notice: int
    """Calendar days since the claim was reported; negative where a date before it counts."""
    amount_cents: int | None
    said: str | None
    """What the event says in codes: a method, a provider, a rejection's code, a payment's reference."""


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


SELECT = """
select
    claim, version, contract, guarantee, step, event, effective_on, at, actor, days_since_notice,
    amount_cents, said, from_position as position
from ({found}) as found
where (%(contracts)s::text[] is null or contract = any(%(contracts)s))
    and (%(claims)s::text[] is null or claim = any(%(claims)s))
    and (%(guarantee)s::text is null or guarantee = %(guarantee)s)
    and (%(before)s::date is null or effective_on < %(before)s)
    and (%(step)s::text is null or step = %(step)s)
order by from_position
"""


@dataclass(frozen=True, slots=True)
class StepsFilter:
    """Which steps are asked for; None asks for all."""

    contracts: Sequence[str] | None = None
    claims: Sequence[str] | None = None
    guarantee: str | None = None
    before: date | None = None
    """Steps that took effect before this date."""
    step: str | None = None
