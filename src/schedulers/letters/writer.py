"""Writing the letters that are wanted, to whom and under which key, and recording that each is prepared."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.command_envelope import RecordEvent, Submission
from ledger.domain.contract.events import ContractStarted, LetterHandedOver, LetterPrepared, PersonCorrected
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import fold
from ledger.domain.identifiers import contract_ref
from ledger.errors import Rejected
from ledger.feed.reader import read_streams
from ledger.privacy.access import Access, Opening, Stored
from ledger.store.errors import ImportOpen, SubjectErased
from ledger.store.feed import feed_end
from ledger.store.vault import ERASED, sealed_values
from schedulers.agenda import load_entries, pending_deadlines
from schedulers.letters.content import Addressee, Draft, compose
from schedulers.letters.pdf import CannotBeSet, Press
from schedulers.letters.queries import Letter, change, claim, claim_one, request_letters
from schedulers.letters.store import LetterStore
from schedulers.letters.triggers import needs_notice, termination_notice

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.store.pool import Connection

_HOLDING: Final = frozenset({ContractStarted.stable_name, PersonCorrected.stable_name})
_WANTED: Final = frozenset({"name", "address"})
WHAT: Final = "letters"
"""As what the access log knows the reading."""


def addressees(wiring: "App", contracts: Collection[str], why: str) -> Mapping[str, Addressee]:
    """Open the newest name and address of each contract's policyholder, by contract.

    Left out is who has no address on file, or was erased. Raises Unreadable.
    """
    with wiring.pool.connection() as connection:
        events = read_streams(
            connection,
            wiring.book,
            [contract_ref(contract) for contract in contracts],
            feed_end(connection, wiring.book),
        )
    stored = [
        Stored(event.stream, event.version, event.type, event.payload)
        for event in events
        if event.type in _HOLDING
    ]
    opening = Opening(
        wiring.pool, wiring.store.subject_keys, wiring.book, Access(SENDER, WHAT, why)
    ).clear_texts(stored, lambda value: _field(value.path) in _WANTED)
    newest: dict[str, dict[str, str]] = {}
    for event in stored:  # in order of position: what was corrected last is right
        held = newest.setdefault(event.stream.number, {})
        for value in sealed_values(event.payload):
            if value.box in opening:
                held[_field(value.path)] = opening[value.box]
    return {
        contract: Addressee(held["name"], held["address"])
        for contract, held in newest.items()
        if held.keys() >= _WANTED and ERASED not in held.values()
    }


def _field(path: str) -> str:
    return path.rpartition(".")[2]


SENDER: Final = "letters"
"""Sender and actor of what the time side tells of letters."""


def record(wiring: "App", contract: str, event: LetterPrepared | LetterHandedOver, command_id: str) -> bool:
    """Record an event on a contract's stream under an id of its own; False when it was recorded before.

    What time owes the contract is recorded first, as everywhere.

    Raises:
        ImportOpen: an import holds the book.
        Unavailable: others write to the contract all the time.

    """
    submission = Submission(
        command_id,
        RecordEvent(contract_ref(contract), event),
        f"{event.stable_name} {event.model_dump_json()}".encode(),
        actor=SENDER,
        sender=SENDER,
    )
    answer = wiring.ledger.submit(submission)
    if answer.code == "IMPORT_OPEN":
        raise ImportOpen(wiring.book)
    return answer.status == "recorded"


NO_ADDRESS: Final = "no address on file: CorrectPerson gives it"
NEEDLESS: Final = "the contract has ended, or something else ends it by then"
ITS_DAY_HAS_PASSED: Final = "its last day has passed: a letter posted now would end nothing"


def want_notices(wiring: "App", today: date, ahead_days: int) -> None:
    """Want the notice of each contract of the run-off whose letter is due within so many days."""
    with wiring.pool.connection() as connection:
        until = today + timedelta(days=ahead_days)
        rows = {
            row.subject: row
            for row in pending_deadlines(
                connection, wiring.book, kinds=("termination_letter",), due_until=until
            )
            if row.status == "open" and row.raw_due_on >= today
        }
        known = load_entries(connection, wiring.book, rows.keys())
        wanted = [
            termination_notice(wiring.book, entry.state, rows[stream])
            for stream, entry in known.items()
            if isinstance(entry.state, Contract) and needs_notice(entry.state, today)
        ]
        request_letters(connection, wiring.book, wanted)


def prepare_letter(wiring: "App", press: Press, store: LetterStore, today: date, letter: Letter) -> bool:
    """Write one letter that is wanted, and say in the ledger that it is prepared; whether it came so far.

    Raises ItemFailed, and OSError where its file cannot be written.
    """
    if letter.status == "wanted" and not write_letter(wiring, press, store, today, letter.reference):
        return False
    return record_prepared(wiring, letter.reference)


def write_letter(wiring: "App", press: Press, store: LetterStore, today: date, reference: str) -> bool:
    """Write one letter that is wanted; False where it waits for something, or somebody else is at it.

    It lies on the store before its row says so: a crash in between leaves a file that nobody names.
    Raises as `prepare_letter`.
    """
    with wiring.pool.transaction() as connection:
        for letter in claim(connection, wiring.book, "wanted", [reference]):
            if _is_late(letter, today):
                change(connection, wiring.book, [reference], status="dropped", told=ITS_DAY_HAS_PASSED)
                return False
            return _write(connection, wiring, press, store, _Page(letter, today, f"letters dated {today}"))
    return False


def write_answer(  # noqa: PLR0913  # what writing takes
    wiring: "App", press: Press, store: LetterStore, today: date, *, reference: str, text: str | None
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
                connection, wiring, press, store, _Page(letter, today, f"letter {reference}", text)
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


def _write(connection: "Connection", wiring: "App", press: Press, store: LetterStore, page: _Page) -> bool:
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
    digest = store.put(press.set(compose(draft, addressee), page.dated), key)
    written = {"status": "written", "sha256": digest, "language": draft.language, "told": None}
    change(connection, wiring.book, [letter.reference], **written)
    return True


def _key(connection: "Connection", wiring: "App", person: str) -> bytes | None:
    """Return the key that a letter is sealed under; None where its addressee was erased meanwhile."""
    try:
        return wiring.store.subject_keys.for_writing(connection, wiring.book, [person])[person].key
    except SubjectErased:
        return None


def record_prepared(wiring: "App", reference: str) -> bool:
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
