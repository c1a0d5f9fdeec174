"""R7: what is approved must be paid within 15 days of the complete submission."""

from collections.abc import Sequence
from dataclasses import replace

from ledger.domain.claim.events import (
    ClaimAccepted,
    ClaimDeadlineMissed,
    ClaimRejected,
    ClaimWithdrawn,
    RefundFailed,
    RefundIssued,
    RefundReversed,
    SubmissionCompleted,
)
from ledger.domain.deadlines.deadline import (
    Deadline,
    Diarise,
    Strike,
    cancelled,
    met,
    missed,
    rolled_forward,
)
from ledger.domain.deadlines.policy import Policy
from ledger.domain.entries import Recorded


def react(recorded: Recorded) -> Sequence[Diarise | Strike]:  # noqa: PLR0911 - one return a kind of event
    """Say what an event makes of the rows of the refund."""
    match recorded.event:
        case SubmissionCompleted(refund_raw_due_on=day):
            return (rolled_forward(day),)
        case ClaimAccepted(approved_cents=0) | ClaimRejected() | ClaimWithdrawn():
            return (Strike(cancelled),)
        case ClaimAccepted(refund_raw_due_on=day) if day is not None:
            # D15: reopened and accepted without a new submission, it counts from the further acceptance.
            return (rolled_forward(day),)
        case RefundIssued(settles=settled):
            # D11: met on the date of the payment's `at`, which is its effective date.
            paid_on = recorded.effective_on
            return (Strike(lambda row: met(row, paid_on) if row.seq in settled else row),)
        case RefundFailed(reopens=seqs) | RefundReversed(reopens=seqs):
            return (Strike(lambda row: _no_longer_met(row) if row.seq in seqs else row),)
        case ClaimDeadlineMissed(seq=seq):
            return (Strike(lambda row: missed(row) if row.seq == seq else row),)
        case _:
            return ()


def _no_longer_met(row: Deadline) -> Deadline:
    # D12, R12: open again if it was met in time; what was missed stays missed, and is met late no more.
    return replace(row, status="open" if row.status == "met" else row.status, met_on=None)


POLICY = Policy(
    kind="refund",
    rule="R7",
    listens_to=frozenset(
        {
            SubmissionCompleted,
            ClaimAccepted,
            ClaimRejected,
            ClaimWithdrawn,
            RefundIssued,
            RefundFailed,
            RefundReversed,
            ClaimDeadlineMissed,
        }
    ),
    react=react,
)
