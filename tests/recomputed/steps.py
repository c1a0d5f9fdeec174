"""The steps of a claim: what its timeline says of each raw event."""

from typing import TYPE_CHECKING, Any

from recomputed.raw import RawEvent

if TYPE_CHECKING:
    from recomputed.claim import Figures

STEPS = {
    "notify": ("ClaimOpened", "FurtherIncidentReported"),
    "identify": ("ClaimantIdentified", "DocumentsRequested", "DocumentReceived", "SubmissionCompleted"),
    "advise": ("AdviceGiven",),
    "assist": ("AssistanceProvided", "ExpertAppointed", "ExpertCalledOff"),
    "decide": ("ClaimAccepted", "ClaimRejected", "ClaimWithdrawn"),
    "refund": ("DeadlineMissed", "RefundIssued", "RefundFailed", "RefundReversed"),
    "recover": ("RecoveryReceived",),
    "correct": ("IncidentCorrected", "ClaimMoved"),
    "close": ("ClaimClosed", "ClaimReopened"),
    "erase": ("SubjectErased",),
}
STEP_OF = {name: step for step, names in STEPS.items() for name in names}
SAID = {
    "ClaimOpened": ("cause",),
    "ClaimantIdentified": ("method",),
    "AdviceGiven": ("topics",),
    "AssistanceProvided": ("kind", "provider"),
    "ExpertAppointed": ("provider",),
    "ExpertCalledOff": ("provider",),
    "DocumentsRequested": ("documents",),
    "DocumentReceived": ("document",),
    "ClaimAccepted": ("capped_by",),
    "ClaimRejected": ("code",),
    "DeadlineMissed": ("kind",),
    "RefundIssued": ("payment_reference",),
    "RefundFailed": ("payment_reference",),
    "RefundReversed": ("payment_reference",),
    "RecoveryReceived": ("payer",),
}
AMOUNT = {"ClaimAccepted": "approved_cents"} | dict.fromkeys(
    ("RefundIssued", "RefundFailed", "RefundReversed", "RecoveryReceived"), "amount_cents"
)


def step_row(claim: str, figures: "Figures", event: RawEvent) -> dict[str, object]:
    """Show one event of a claim as a step; `figures` after it."""
    told: list[Any] = [event.said[name] for name in SAID.get(event.name, ())]
    words = [word for said in told for word in (said if isinstance(said, list) else [said]) if word]
    return {
        "claim": claim,
        "version": event.version,
        "contract": figures.contract,
        "guarantee": figures.opened.said["guarantee"],
        "step": STEP_OF[event.name],
        "event": event.name,
        "effective_on": event.effective_on,
        "at": event.at,
        "actor": event.actor,
        "days_since_notice": (event.effective_on - figures.opened.day("reported_on")).days,
        "amount_cents": event.said[AMOUNT[event.name]] if event.name in AMOUNT else None,
        "said": ", ".join(words) or None,
    }
