"""Writing the letters that are wanted, and telling the ledger that each is prepared."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.domain.contract.events import LetterPrepared
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import contract_ref
from ledger.errors import Rejected
from ledger.store.errors import SubjectErased
from schedulers.diary.queries import kept, standing_deadlines
from schedulers.letters.addressing import addressees
from schedulers.letters.composing import Draft, compose
from schedulers.letters.queries import Letter, change, claim, claim_one, want
from schedulers.letters.recording import record
from schedulers.letters.rendering import CannotBeSet, Press
from schedulers.letters.shelf import Shelf
from schedulers.letters.wanting import needs_notice, termination_notice

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.store.pool import Connection

NO_ADDRESS: Final = "no address on file: CorrectPerson gives it"
NEEDLESS: Final = "the contract has ended, or something else ends it by then"
ITS_DAY_HAS_PASSED: Final = "its last day has passed: a letter posted now would end nothing"


def want_notices(wiring: "App", today: date, ahead_days: int) -> None:
    """Want the notice of each contract of the run-off whose letter is due within so many days."""
    with wiring.pool.connection() as connection:
        until = today + timedelta(days=ahead_days)
        rows = {
            row.subject: row
            for row in standing_deadlines(
                connection, wiring.book, kinds=("termination_letter",), due_until=until
            )
            if row.status == "open" and row.raw_due_on >= today
        }
        known = kept(connection, wiring.book, rows.keys())
        wanted = [
            termination_notice(wiring.book, entry.state, rows[stream])
            for stream, entry in known.items()
            if isinstance(entry.state, Contract) and needs_notice(entry.state, today)
        ]
        want(connection, wiring.book, wanted)


def prepare_letter(wiring: "App", press: Press, shelf: Shelf, today: date, letter: Letter) -> bool:
    """Write one letter that is wanted, and say in the ledger that it is prepared; whether it came so far.

    Raises ItemFailed, and OSError where its file cannot be written.
    """
    if letter.status == "wanted" and not write_letter(wiring, press, shelf, today, letter.reference):
        return False
    return tell_prepared(wiring, letter.reference)


def write_letter(wiring: "App", press: Press, shelf: Shelf, today: date, reference: str) -> bool:
    """Write one letter that is wanted; False where it waits for something, or somebody else is at it.

    It lies on the shelf before its row says so: a crash in between leaves a file that nobody names.
    Raises as `prepare_letter`.
    """
    with wiring.pool.transaction() as connection:
        for letter in claim(connection, wiring.book, "wanted", [reference]):
            if _is_late(letter, today):
                change(connection, wiring.book, [reference], status="dropped", told=ITS_DAY_HAS_PASSED)
                return False
            return _write(connection, wiring, press, shelf, _Page(letter, today, f"letters dated {today}"))
    return False


def write_answer(  # noqa: PLR0913  # what writing takes
    wiring: "App", press: Press, shelf: Shelf, today: date, *, reference: str, text: str | None
) -> None:
    """Write the letter that waits for its text, with the text that somebody gives, or without any.

    The text is kept nowhere but in the letter itself, sealed. Raises Rejected: nothing was written.
    """
    with wiring.pool.transaction() as connection:
        letter = claim_one(connection, wiring.book, reference)
        if letter is None or letter.kind != "complaint_answer":
            message = f"{reference} is no answer to a complaint: see `coverledger letters list`."
            raise Rejected(message)
        if letter.status != "wanted":
            message = f"Letter {reference} is {letter.status.replace('_', ' ')} already, and stays as it is."
            raise Rejected(message)
        try:
            is_written = _write(
                connection, wiring, press, shelf, _Page(letter, today, f"letter {reference}", text)
            )
        except CannotBeSet as error:
            message = f"Letter {reference} cannot be written: {error}."
            raise Rejected(message) from error
        if not is_written:
            message = f"Letter {reference} cannot be written: {NO_ADDRESS}, then write it again."
            raise Rejected(message)


class _Page(NamedTuple):
    """What one letter is written from."""

    letter: Letter
    dated: date
    why: str
    """Why its addressee is read, as the access log says it."""
    text: str | None = None


def _write(connection: "Connection", wiring: "App", press: Press, shelf: Shelf, page: _Page) -> bool:
    """Write a letter whose row is taken; False where its addressee has no address, as its row then says.

    Raises CannotBeSet, OSError.
    """
    letter = page.letter
    contract = _contract(wiring, letter)
    addressee = addressees(wiring, [letter.contract], page.why).get(letter.contract)
    key = None if addressee is None else _key(connection, wiring, letter.person)
    if addressee is None or key is None:
        if letter.kind != "complaint_answer":
            change(connection, wiring.book, [letter.reference], told=NO_ADDRESS)
        return False
    draft = Draft(
        letter.kind,
        letter.reference,
        contract.language,
        page.dated,
        letter.contract,
        None if letter.about.kind == "contract" else letter.about.number,
        contract.applicable_terms,
        letter.facts,
        page.text,
    )
    digest = shelf.put(press.set(compose(draft, addressee), page.dated), key)
    written = {"status": "written", "sha256": digest, "language": draft.language, "told": None}
    change(connection, wiring.book, [letter.reference], **written)
    return True


def _key(connection: "Connection", wiring: "App", person: str) -> bytes | None:
    """Give the key that a letter is sealed under; None where its addressee was erased meanwhile."""
    try:
        return wiring.store.subject_keys.for_writing(connection, wiring.book, [person])[person].key
    except SubjectErased:
        return None


def tell_prepared(wiring: "App", reference: str) -> bool:
    """Record LetterPrepared for a letter that is written; False where somebody else is at it."""
    with wiring.pool.transaction() as connection:
        for letter in claim(connection, wiring.book, "written", [reference]):
            event = LetterPrepared(kind=letter.kind, sha256=letter.digest)
            record(wiring, letter.contract, event, f"letter-prepared:{reference}")
            change(connection, wiring.book, [reference], status="prepared")
            return True
    return False


def why_needless(wiring: "App", letter: Letter, today: date) -> str | None:
    """Return why a prepared letter serves no longer: it is too late, or the contract is ended otherwise."""
    if _is_late(letter, today):
        return ITS_DAY_HAS_PASSED
    if letter.kind == "termination_notice" and not needs_notice(_contract(wiring, letter), today):
        return NEEDLESS
    return None


def _is_late(letter: Letter, today: date) -> bool:
    return letter.post_by is not None and letter.post_by < today


def _contract(wiring: "App", letter: Letter) -> Contract:
    """Fold a letter's contract as it stands now."""
    ref, state = contract_ref(letter.contract), None
    for recorded in wiring.store.load_many(wiring.book, [ref]).streams[ref].recorded:
        state = fold(state, recorded)
    if not isinstance(state, Contract):
        message = f"there is no contract of letter {letter.reference}"
        raise TypeError(message)
    return state
