"""A claim as its page shows it: the four steps that its customers are told, and its events in a few words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ledger.domain.claim.events import (
    AdviceGiven,
    AssistanceProvided,
    ClaimAccepted,
    ClaimantIdentified,
    ClaimMoved,
    ClaimOpened,
    ClaimRejected,
    DocumentReceived,
    DocumentsRequested,
    ExpertAppointed,
    ExpertCalledOff,
    FurtherIncidentReported,
    IncidentCorrected,
    RecoveryReceived,
    RefundFailed,
    RefundIssued,
    RefundReversed,
    SubmissionCompleted,
)
from ledger.domain.claim.state import Claim
from ledger.domain.event import Event
from ledger.feed.reader import FeedEvent
from projections.web.i18n.codes import N_, of_code
from projections.web.i18n.language import Words

StepState = Literal["done", "now", "later", "off"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: how far it is, what was done in it, and which commands belong to it."""

    name: str
    title: str
    state: StepState
    events: Sequence[FeedEvent]
    commands: Sequence[str]
    """What is offered now, the likeliest first."""
    further: Sequence[str] = ()
    """What is possible as well, and rarer."""


TITLES = {
    "notify": N_("Notify"),
    "identify": N_("Identify"),
    "advise": N_("Advise"),
    "refund": N_("Refund"),
}

STEP_OF = {
    "claim.ClaimOpened": "notify",
    "claim.FurtherIncidentReported": "notify",
    "claim.IncidentCorrected": "notify",
    "claim.ClaimMoved": "notify",
    "claim.ClaimantIdentified": "identify",
    "claim.DocumentsRequested": "identify",
    "claim.DocumentReceived": "identify",
    "claim.AdviceGiven": "advise",
    "claim.AssistanceProvided": "advise",
    "claim.ExpertAppointed": "advise",
    "claim.ExpertCalledOff": "advise",
}
"""Event → step; every other event belongs to the refund."""


def steps(claim: Claim, events: Iterable[FeedEvent], services: Sequence[str], *, expert: bool) -> list[Step]:
    """Return the steps. `services`: assistance that the guarantee gives; `expert`: whether it has experts."""
    by_step: dict[str, list[FeedEvent]] = {name: [] for name in TITLES}
    for event in events:
        by_step[STEP_OF.get(event.type, "refund")].append(event)
    advised = bool(by_step["advise"])
    refund_state = _refund_state(claim)
    identify: StepState = "done" if claim.identified else ("off" if claim.decided else "now")
    advise: StepState = "done" if advised else ("now" if claim.identified and not claim.decided else "later")
    if claim.decided and not advised:
        advise = "off"
    return [
        Step("notify", TITLES["notify"], "done", by_step["notify"], (), _notify_further(claim)),
        Step(
            "identify",
            TITLES["identify"],
            identify,
            by_step["identify"],
            () if claim.identified else ("IdentifyClaimant",),
            ("RequestDocuments", "ReceiveDocument"),
        ),
        Step("advise", TITLES["advise"], advise, by_step["advise"], *_advise(claim, services, expert=expert)),
        Step("refund", TITLES["refund"], refund_state, by_step["refund"], *_refund(claim)),
    ]


def _notify_further(claim: Claim) -> Sequence[str]:
    further = () if claim.status in {"rejected", "withdrawn"} else ("ReportFurtherIncident",)
    return (*further, "CorrectIncident", "MoveClaim")


def _advise(claim: Claim, services: Sequence[str], *, expert: bool) -> tuple[Sequence[str], Sequence[str]]:
    first = ["GiveAdvice"]
    if services:
        first.append("ProvideAssistance")
    further: list[str] = []
    if expert and not claim.decided:
        further.append("CallOffExpert" if claim.reserved is not None else "AppointExpert")
    return first, further


def _refund(claim: Claim) -> tuple[Sequence[str], Sequence[str]]:
    """Return what leads on: complete, decide, pay, close."""
    standing = any(not payment.taken_back for payment in claim.payments)
    payments = ("RecordRefundFailure", "ReverseRefund", "RecordRecovery") if standing else ()
    match claim.status:
        case "open":
            return ("CompleteSubmission",), ("RejectClaim", "WithdrawClaim", *payments)
        case "submitted":
            again = ("CompleteSubmission",) if claim.reopened and not claim.resubmitted else ()
            return ("AcceptClaim", "RejectClaim"), (*again, "WithdrawClaim", *payments)
        case "accepted" if claim.owed_cents > 0:
            return ("IssueRefund",), (*payments, "ReopenClaim")
        case "closed":
            return (), (*payments, "ReopenClaim")
        case _:
            return ("CloseClaim",), (*payments, "ReopenClaim")


def _refund_state(claim: Claim) -> StepState:
    match claim.status:
        case "rejected" | "withdrawn":
            return "off"
        case "accepted" | "closed" if claim.owed_cents <= 0:
            return "done" if claim.accepted else "off"
        case "accepted" | "submitted" | "closed":
            return "now"
        case _:
            return "now" if claim.identified else "later"


def facts_of(event: Event, words: Words) -> str:  # noqa: C901, PLR0911, PLR0912  # one return a kind of event
    """Return them as text; nothing where the event's name says all."""
    match event:
        case ClaimOpened():
            said = (words.day(event.reported_on), of_code(words, event.channel), of_code(words, event.cause))
            return " · ".join(said)
        case ClaimantIdentified():
            return of_code(words, event.method)
        case AdviceGiven():
            return ", ".join(of_code(words, topic) for topic in event.topics)
        case AssistanceProvided():
            return f"{of_code(words, event.kind)} · {event.provider}"
        case ExpertAppointed() | ExpertCalledOff():
            return event.provider
        case DocumentsRequested():
            return ", ".join(of_code(words, document) for document in event.documents)
        case DocumentReceived():
            return of_code(words, event.document)
        case FurtherIncidentReported():
            return words.day(event.occurred_on)
        case SubmissionCompleted():
            return words.day(event.completed_on)
        case ClaimAccepted():
            return _accepted(event, words)
        case ClaimRejected():
            return of_code(words, event.code)
        case RefundIssued() | RefundFailed() | RefundReversed():
            return f"{words.amount(event.amount_cents)} · {event.payment_reference}"
        case RecoveryReceived():
            return f"{words.amount(event.amount_cents)} · {event.payer}"
        case IncidentCorrected():
            return words.day(event.incident_on)
        case ClaimMoved():
            return f"{event.from_contract} → {event.contract}"
        case _:
            return ""


def _accepted(event: ClaimAccepted, words: Words) -> str:
    said = words(
        "%(approved)s approved of %(loss)s lost",
        approved=words.amount(event.approved_cents),
        loss=words.amount(event.loss_cents),
    )
    if event.capped_by is None:
        return said
    capped = words("capped by the limit, excess %(excess)s", excess=words.amount(event.excess_cents))
    return f"{said} · {capped}"
