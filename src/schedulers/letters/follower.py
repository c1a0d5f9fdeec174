"""The letters as a follower of the feed: answers that are wanted, and what the post has done."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from ledger.domain.claim.events import ClaimAccepted, ClaimRejected
from ledger.domain.claim.state import Claim
from ledger.domain.complaint.events import ComplaintAnswered, ComplaintLodged
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract.events import LetterReturned, PersonCorrected, TerminationNoticeSent
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import State, fold
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.feed.reader import FeedEvent, read_streams
from ledger.store.pool import Connection
from schedulers.letters.queries import Wanted, change, free, letters, want
from schedulers.letters.wanting import answer_to_claim, answer_to_complaint

NAME = "letters"
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
                    want(connection, self.book, [wanted])

    def _answer(self, connection: Connection, event: FeedEvent) -> Wanted | None:
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
