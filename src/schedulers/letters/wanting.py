"""Which letters are wanted: the notices of the run-off, and the answers to what was just decided. Pure."""

from collections.abc import Sequence
from datetime import date

from ledger.domain.calendar import ONE_DAY
from ledger.domain.claim.events import ClaimAccepted, ClaimRejected
from ledger.domain.claim.state import Claim
from ledger.domain.complaint.events import ComplaintAnswered, ComplaintLodged
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import Deadline
from ledger.domain.event import Event
from schedulers.letters.composing import Facts
from schedulers.letters.kinds import LetterKind, reference_of
from schedulers.letters.queries import Wanted


def needs_notice(contract: Contract, today: date) -> bool:
    """Say whether the insurer is to end a contract: its product is sold no more, and nothing ends it yet."""
    return today >= run_off_from(contract) and runs_on(contract)


def run_off_from(contract: Contract) -> date:
    """Give the first day on which the contract's product is sold no longer."""
    return contract.applicable_terms.last_day_of_sale + ONE_DAY


def runs_on(contract: Contract) -> bool:
    """Say whether nothing ends a contract with its term, or before it.

    A notice of the policyholder that ends it no later than its term does makes ours needless (D1); one that
    runs past the term's end does not (D2).
    """
    if contract.ended is not None or contract.letter is not None:
        return False
    return contract.notice is None or contract.notice.ends_on > contract.term_ends_on


def termination_notice(book: str, contract: Contract, row: Deadline) -> Wanted:
    """Want the notice that meets an open deadline of a contract (R6)."""
    kind: LetterKind = "termination_notice"
    facts: Facts = {
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.term_ends_on.isoformat(),
        "last_day": (contract.term_ends_on - ONE_DAY).isoformat(),
    }
    return Wanted(
        reference_of(book, kind, contract.ref, row.seq),
        kind,
        contract.ref,
        contract.number,
        contract.person,
        facts,
        row.raw_due_on,
    )


def answer_to_claim(book: str, contract: Contract, claim: Claim, version: int, event: Event) -> Wanted | None:
    """Want the letter that tells how a claim was decided; None for an event that decides nothing."""
    facts: dict[str, str | int | None] = {
        "reported_on": claim.reported_on.isoformat(),
        "incident_on": claim.incident_on.isoformat(),
        "guarantee": claim.guarantee,
    }
    kind: LetterKind
    match event:
        case ClaimAccepted():
            kind = "claim_acceptance"
            facts |= {
                "loss_cents": event.loss_cents,
                "compensated_cents": event.already_compensated_cents,
                "approved_cents": event.approved_cents,
                "excess_cents": event.excess_cents,
            }
        case ClaimRejected():
            kind = "claim_rejection"
            facts["exclusion"] = event.code
        case _:
            return None
    reference = reference_of(book, kind, claim.ref, version)
    return Wanted(reference, kind, claim.ref, contract.number, contract.person, facts)


def answer_to_complaint(
    book: str, contract: Contract, complaint: Complaint, version: int, event: Event
) -> Wanted | None:
    """Want the letter that acknowledges or answers a complaint; None for an event that does neither."""
    facts: dict[str, str | int | None] = {"received_on": complaint.received_on.isoformat()}
    kind: LetterKind
    match event:
        case ComplaintLodged():
            kind = "complaint_acknowledgement"
            facts["answer_due_on"] = _due(complaint.deadlines, "complaint_answer").isoformat()
        case ComplaintAnswered():
            kind = "complaint_answer"
            facts["answered_on"] = event.on.isoformat()
        case _:
            return None
    reference = reference_of(book, kind, complaint.ref, version)
    return Wanted(reference, kind, complaint.ref, contract.number, contract.person, facts)


def _due(rows: Sequence[Deadline], kind: str) -> date:
    return next(row.due_on for row in rows if row.kind == kind)
