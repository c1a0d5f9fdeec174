"""Writing the letters that are wanted, and telling the ledger that each is prepared."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from ledger.domain.contract.events import LetterPrepared
from ledger.domain.contract.state import Contract
from ledger.domain.deciding import fold
from ledger.domain.identifiers import StreamRef, contract_ref
from ledger.endings import Refused
from ledger.store.errors import SubjectErased
from schedulers.diary.queries import kept, standing_deadlines
from schedulers.letters.addressing import addressees
from schedulers.letters.composing import Draft, compose
from schedulers.letters.queries import Letter, change, claim, claim_one, want
from schedulers.letters.recording import record
from schedulers.letters.rendering import Press
from schedulers.letters.shelf import Shelf
from schedulers.letters.wanting import needs_notice, termination_notice

if TYPE_CHECKING:
    from ledger.store.pool import Connection
    from ledger.wiring import Wiring

PORTION: Final = 100
"""Letters written within one transaction."""

NO_ADDRESS: Final = "no address on file: CorrectPerson gives it"
NEEDLESS: Final = "the contract has ended, or something else ends it by then"
ITS_DAY_HAS_PASSED: Final = "its last day has passed: a letter posted now would end nothing"


def want_notices(wiring: "Wiring", today: date, ahead_days: int) -> None:
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


def write_letters(wiring: "Wiring", press: Press, shelf: Shelf, today: date) -> int:
    """Write one portion of the letters that are wanted; number looked at, 0 when none is left.

    Each letter lies on the shelf before its row says so: a crash in between leaves a file that nobody names.
    """
    with wiring.pool.transaction() as connection:
        portion = claim(connection, wiring.book, "wanted", PORTION)
        late = {letter.reference for letter in portion if _is_late(letter, today)}
        change(connection, wiring.book, late, status="dropped", told=ITS_DAY_HAS_PASSED)
        timely = [letter for letter in portion if letter.reference not in late]
        contracts = _contracts(wiring, timely)
        named = addressees(wiring, contracts.keys(), f"letters dated {today}") if timely else {}
        for letter in timely:
            addressee = named.get(letter.contract)
            key = None if addressee is None else _key(connection, wiring, letter.person)
            if addressee is None or key is None:
                change(connection, wiring.book, [letter.reference], told=NO_ADDRESS)
                continue
            draft = _draft(letter, contracts[letter.contract], today)
            _write(connection, wiring, shelf, draft, press.set(compose(draft, addressee), today), key)
    return len(portion)


def write_answer(  # noqa: PLR0913  # what writing takes
    wiring: "Wiring", press: Press, shelf: Shelf, today: date, *, reference: str, text: str | None
) -> None:
    """Write the letter that waits for its text, with the text that somebody gives, or without any.

    The text is kept nowhere but in the letter itself, sealed. Raises Refused: nothing was written.
    """
    with wiring.pool.transaction() as connection:
        letter = claim_one(connection, wiring.book, reference)
        if letter is None or letter.kind != "complaint_answer":
            message = f"{reference} is no answer to a complaint: see `claims-ledger letters list`."
            raise Refused(message)
        if letter.status != "wanted":
            message = f"Letter {reference} is {letter.status.replace('_', ' ')} already, and stays as it is."
            raise Refused(message)
        contracts = _contracts(wiring, [letter])
        addressee = addressees(wiring, contracts.keys(), f"letter {reference}").get(letter.contract)
        key = None if addressee is None else _key(connection, wiring, letter.person)
        if addressee is None or key is None:
            message = f"Letter {reference} cannot be written: {NO_ADDRESS}, then write it again."
            raise Refused(message)
        draft = _draft(letter, contracts[letter.contract], today, text)
        _write(connection, wiring, shelf, draft, press.set(compose(draft, addressee), today), key)


def _draft(letter: Letter, contract: Contract, today: date, text: str | None = None) -> Draft:
    return Draft(
        letter.kind,
        letter.reference,
        contract.language,
        today,
        letter.contract,
        None if letter.about.kind == "contract" else letter.about.number,
        contract.applicable_terms,
        letter.facts,
        text,
    )


def _write(  # noqa: PLR0913, PLR0917  # what writing takes
    connection: "Connection", wiring: "Wiring", shelf: Shelf, draft: Draft, pdf: bytes, key: bytes
) -> None:
    written = {"status": "written", "sha256": shelf.put(pdf, key), "language": draft.language, "told": None}
    change(connection, wiring.book, [draft.reference], **written)


def _key(connection: "Connection", wiring: "Wiring", person: str) -> bytes | None:
    """Give the key that a letter is sealed under; None where its addressee was erased meanwhile."""
    try:
        return wiring.store.subject_keys.for_writing(connection, wiring.book, [person])[person].key
    except SubjectErased:
        return None


def tell_prepared(wiring: "Wiring") -> int:
    """Record LetterPrepared for one portion of the letters that are written; how many, 0: none is left."""
    with wiring.pool.transaction() as connection:
        portion = claim(connection, wiring.book, "written", PORTION)
        for letter in portion:
            event = LetterPrepared(kind=letter.kind, sha256=letter.digest)
            record(wiring, letter.contract, event, f"letter-prepared:{letter.reference}")
        change(connection, wiring.book, [letter.reference for letter in portion], status="prepared")
    return len(portion)


def drop_needless(connection: "Connection", wiring: "Wiring", portion: list[Letter], today: date) -> set[str]:
    """Drop prepared notices that no longer serve: too late, or the contract is ended otherwise; which."""
    late = {letter.reference for letter in portion if _is_late(letter, today)}
    change(connection, wiring.book, late, status="dropped", told=ITS_DAY_HAS_PASSED)
    notices = [
        letter for letter in portion if letter.kind == "termination_notice" and letter.reference not in late
    ]
    contracts = _contracts(wiring, notices)
    needless = {letter.reference for letter in notices if not needs_notice(contracts[letter.contract], today)}
    change(connection, wiring.book, needless, status="dropped", told=NEEDLESS)
    return late | needless


def _is_late(letter: Letter, today: date) -> bool:
    return letter.post_by is not None and letter.post_by < today


def _contracts(wiring: "Wiring", portion: list[Letter]) -> dict[str, Contract]:
    """Fold the contracts of these letters as they stand now."""
    refs: list[StreamRef] = [contract_ref(number) for number in {letter.contract for letter in portion}]
    if not refs:
        return {}
    found: dict[str, Contract] = {}
    for ref, stream in wiring.store.load_many(wiring.book, refs).streams.items():
        state = None
        for recorded in stream.recorded:
            state = fold(state, recorded)
        if isinstance(state, Contract):
            found[ref.number] = state
    return found
