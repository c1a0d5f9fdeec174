"""What a claim's event says, in a few words for people: figures and codes, nothing personal."""

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
from ledger.domain.event import Event
from projections.web.words.codes import of_code
from projections.web.words.speaking import Words


def facts_of(event: Event, words: Words) -> str:  # noqa: C901, PLR0911, PLR0912  # one return a kind of event
    """Tell them; nothing where the event's name says all."""
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
