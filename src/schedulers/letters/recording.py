"""Recording on a contract what became of its letters: once a letter, whoever tries and however often."""

from typing import TYPE_CHECKING, Final

from ledger.application import TRIES, wait
from ledger.clock import present
from ledger.command_handler import Answer, AnsweredEvent, owed_by_time, stream_state, time_events
from ledger.domain.calendar import brussels_date
from ledger.domain.contract.events import LetterHandedOver, LetterPrepared
from ledger.domain.dispatch import Needs
from ledger.domain.event import PendingEvent
from ledger.domain.identifiers import contract_ref
from ledger.errors import Unavailable
from ledger.store.errors import CommandExists, ImportOpen, OutcomeUnknown, VersionConflict
from ledger.store.events import CommandAnswer, Commit, NewEvent

if TYPE_CHECKING:
    from ledger.app import App

SENDER: Final = "letters"
"""Sender and actor of what the time side tells of letters."""


def record(wiring: "App", contract: str, event: LetterPrepared | LetterHandedOver, command_id: str) -> bool:
    """Record an event on a contract's stream under an id of its own; False when it was recorded before.

    What time owes the contract is recorded first, as everywhere.

    Raises:
        ImportOpen: an import holds the book.
        Unavailable: others write to the contract all the time.

    """
    ref = contract_ref(contract)
    content = f"{event.stable_name} {event.model_dump_json()}".encode()
    for attempt in range(TRIES):
        loaded = wiring.store.load(wiring.book, Needs((ref,)), command_id, SENDER)
        if loaded.answer is not None:
            return False
        if loaded.book.open_import is not None:
            raise ImportOpen(wiring.book)
        stream = stream_state(loaded.streams[ref])
        at = present(loaded.book, loaded.now)
        if stream.state is not None:
            at = max(at, stream.state.last_at)
        owed = owed_by_time(stream, at)
        own = NewEvent(PendingEvent(ref, event, brussels_date(at), at), command_id, SENDER, ref)
        version = stream.after(owed).head.version + 1
        answer = Answer(command_id, "recorded", events=(AnsweredEvent(ref.name, version, event.stable_name),))
        kept = CommandAnswer(
            SENDER, command_id, wiring.store.content_hmac(wiring.book, content), answer.kept()
        )
        commit = Commit(wiring.book, [*time_events(owed, ref), own], {ref: stream.head}, (kept,), loaded.now)
        try:
            wiring.ledger.record(commit)
        except (VersionConflict, CommandExists):
            wait(attempt)
        except OutcomeUnknown:
            continue  # Loading looks the id up: what was recorded is not recorded again.
        else:
            return True
    message = f"Contract {contract} moves on faster than it is read: its letter is told of at the next tick."
    raise Unavailable(message)
