"""What a letter is written for: the run-off, and what was decided; the letters as a follower of the feed."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from ledger.domain.calendar import ONE_DAY
from ledger.domain.claim.events import ClaimAccepted, ClaimRejected
from ledger.domain.claim.state import Claim
from ledger.domain.complaint.events import ComplaintAnswered, ComplaintLodged
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract.events import LetterReturned, PersonCorrected, TerminationNoticeSent
from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import Deadline
from ledger.domain.dispatch import State, fold
from ledger.domain.event import Event
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.domain.terms import packaged_terms
from ledger.feed.reader import FeedEvent, read_streams
from ledger.store.pool import Connection
from schedulers.letters.content import Facts
from schedulers.letters.kinds import LetterKind, reference_of
from schedulers.letters.queries import NAME, LetterRequest, change, free, letters, request_letters


def needs_notice(contract: Contract, today: date) -> bool:
    """Return whether the insurer is to end a contract: it is sold no more, and nothing ends it yet."""
    return today >= run_off_from(contract) and runs_on(contract)


def run_off_from(contract: Contract) -> date:
    """Return the first day on which the contract's product is sold no longer."""
    return contract.applicable_terms(packaged_terms()).last_day_of_sale + ONE_DAY


def runs_on(contract: Contract) -> bool:
    """Return whether nothing ends a contract with its term, or before it.

    A notice of the policyholder that ends it no later than its term does makes ours needless (D1); one that
    runs past the term's end does not (D2).
    """
    if contract.ended is not None or contract.letter is not None:
        return False
    return contract.notice is None or contract.notice.ends_on > contract.term_ends_on


def termination_notice(book: str, contract: Contract, row: Deadline) -> LetterRequest:
    """Want the notice that meets an open deadline of a contract (R6)."""
    kind: LetterKind = "termination_notice"
    facts: Facts = {
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.term_ends_on.isoformat(),
        "last_day": (contract.term_ends_on - ONE_DAY).isoformat(),
    }
    return LetterRequest(
        reference_of(book, kind, contract.ref, row.seq),
        kind,
        contract.ref,
        contract.number,
        contract.person,
        facts,
        row.raw_due_on,
    )


def answer_to_claim(
    book: str, contract: Contract, claim: Claim, version: int, event: Event
) -> LetterRequest | None:
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
    return LetterRequest(reference, kind, claim.ref, contract.number, contract.person, facts)


def answer_to_complaint(
    book: str, contract: Contract, complaint: Complaint, version: int, event: Event
) -> LetterRequest | None:
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
    return LetterRequest(reference, kind, complaint.ref, contract.number, contract.person, facts)


def _due(rows: Sequence[Deadline], kind: str) -> date:
    return next(row.due_on for row in rows if row.kind == kind)


POSTED_BY_HAND: Final = "posted by hand before it was prepared"

LIVE: Final = timedelta(days=1)
"""What is recorded later than this after its own instant is history: nobody is written to about it."""

_ANSWERED = (ClaimAccepted, ClaimRejected, ComplaintLodged, ComplaintAnswered)
_POSTED = (TerminationNoticeSent, LetterReturned, PersonCorrected)


class Letters:
    """Wants an answer to each decision of a real book, and notes what was posted and what came back."""

    name = NAME
    types: frozenset[str] | None = frozenset(event.stable_name for event in (*_ANSWERED, *_POSTED))

    def __init__(self, book: str) -> None:
        """Follow for the letters of one book."""
        self.book = book

    def apply(self, connection: Connection, events: Sequence[FeedEvent]) -> None:
        """Take a batch, in order of position. Must not commit."""
        for event in events:
            if isinstance(event.event, _POSTED):
                _note(connection, self.book, event)
            elif event.recorded_at - event.at <= LIVE:
                wanted = self._answer(connection, event)
                if wanted is not None:
                    request_letters(connection, self.book, [wanted])

    def _answer(self, connection: Connection, event: FeedEvent) -> LetterRequest | None:
        about = self._state(connection, event.stream, event.position)
        if not isinstance(about, Claim | Complaint):
            return None
        contract = self._state(connection, contract_ref(about.contract), event.position)
        if not isinstance(contract, Contract):
            return None
        if isinstance(about, Claim):
            return answer_to_claim(self.book, contract, about, event.version, event.event)
        return answer_to_complaint(self.book, contract, about, event.version, event.event)

    def _state(self, connection: Connection, stream: StreamRef, position: int) -> State | None:
        state: State | None = None
        for event in read_streams(connection, self.book, [stream], position):
            state = fold(state, event.recorded)
        return state


def _note(connection: Connection, book: str, event: FeedEvent) -> None:
    """Note what the desk, or a carrier, says of a contract's letters."""
    contract, told = event.stream.number, event.event
    if isinstance(told, PersonCorrected):
        free(connection, book, contract)
        return
    of_it = [
        letter
        for letter in letters(connection, book, contract=contract)
        if letter.kind == "termination_notice" and letter.status not in ("dropped", "erased")
    ]
    if isinstance(told, TerminationNoticeSent):
        waiting = [letter.reference for letter in of_it if letter.status in ("wanted", "written")]
        change(connection, book, waiting, status="dropped", told=POSTED_BY_HAND)
        gone = [letter for letter in of_it if letter.status in ("prepared", "staged", "handed_over")]
        for letter in gone:
            # A batch that is under way is finished first: handing over makes it posted then.
            status = letter.status if letter.status == "staged" else "posted"
            posted = {"status": status, "posted_on": told.posted_on, "tracking": told.tracking}
            change(connection, book, [letter.reference], **posted)
    elif isinstance(told, LetterReturned):
        back = [letter.reference for letter in of_it if letter.status == "posted"]
        change(connection, book, back[-1:], status="returned", returned_on=told.returned_on)
