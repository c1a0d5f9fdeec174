"""Prepared letters on their way: handed over to the carrier, each once, and posted or returned as it says.

1. stage: the carrier makes a batch ready, then the rows say `staged` (one transaction). A crash before that
   is undone at the next try.
2. deliver: the carrier takes what is staged; done again, it does only what was left to do.
3. LetterHandedOver is recorded under an id of the letter's own, then the rows say `handed_over`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ledger.attempts import Attempts, ItemFailed
from ledger.command_envelope import submission
from ledger.command_handler import Answer
from ledger.domain.contract.events import LetterHandedOver
from ledger.errors import UsageError
from ledger.imports.csv_rows import CsvRow, read_day, read_rows
from ledger.imports.lines import LineFault, Malformed
from ledger.privacy.access import Access, Opened, keys_to_open
from schedulers.letters.carriers import Carrier, CarrierError, CarrierUnavailable, Parcel
from schedulers.letters.kinds import REGISTERED, LetterStatus
from schedulers.letters.queries import WORKER, Letter, alone, change, claim, free_letters, letters
from schedulers.letters.store import LetterDamaged, LetterMissing, LetterStore
from schedulers.letters.writer import SENDER, record, why_needless

if TYPE_CHECKING:
    from ledger.app import App

_PREPARED: Final[tuple[LetterStatus, ...]] = ("prepared",)
_STAGED: Final[tuple[LetterStatus, ...]] = ("staged",)

CARRIER: Final = "carrier"
"""The carrier itself, where failed tries are shown."""
BATCH: Final = 500
"""Letters in one batch at most."""


def hand_over(wiring: "App", carrier: Carrier, store: LetterStore, today: date, ahead_days: int) -> int:
    """Hand over what is prepared and due within so many days, what was begun before first; how many letters.

    Each goes alone: one that cannot is tried again, and keeps no other waiting. What the carrier as a whole
    does not take stays as it is, and is tried again. Letters whose file another machine keeps are that
    machine's to hand over.
    """
    handed = 0

    def hand_all() -> None:
        nonlocal handed
        handed += _deliver_staged(wiring, carrier, store)
        while _stage(wiring, carrier, store, today, ahead_days):
            handed += _deliver_staged(wiring, carrier, store)

    # Tried at every look, whatever failed before: shown where other failed tries are.
    Attempts(wiring.pool, wiring.book, CARRIER).run(carrier.name, hand_all)
    return handed


def _stage(wiring: "App", carrier: Carrier, store: LetterStore, today: date, ahead_days: int) -> int:
    until = today + timedelta(days=ahead_days)
    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    with wiring.pool.transaction() as connection:
        alone(connection, wiring.book)
        under_way = {letter.batch or "" for letter in letters(connection, wiring.book, statuses=_STAGED)}
        carrier.forget_unstaged(under_way)
        ready = attempts.due(free_letters(connection, wiring.book, _PREPARED, until), _reference)[:BATCH]
        portion = claim(connection, wiring.book, "prepared", [letter.reference for letter in ready])
        parcels: list[Parcel] = []
        needless: dict[str, list[str]] = {}

        def open_one(letter: Letter) -> None:
            why = why_needless(wiring, letter, today)
            if why is not None:
                needless.setdefault(why, []).append(letter.reference)
            elif store.has(letter.digest):
                parcels.extend(_parcel(wiring, store, letter))

        for letter in portion:
            attempts.run(letter.reference, partial(open_one, letter))
        for why, references in needless.items():
            change(connection, wiring.book, references, status="dropped", told=why)
        if not parcels:
            return 0
        batch = f"{today.isoformat()}-{uuid4().hex[:8]}"
        try:
            carrier.stage(batch, parcels)
        except CarrierError as error:
            raise ItemFailed(str(error)) from error
        staged = [parcel.reference for parcel in parcels]
        change(connection, wiring.book, staged, status="staged", batch=batch, carrier=carrier.name)
        return len(staged)


def _deliver_staged(wiring: "App", carrier: Carrier, store: LetterStore) -> int:
    with wiring.pool.connection() as connection:
        staged = [
            letter
            for letter in letters(connection, wiring.book, statuses=_STAGED)
            if letter.carrier == carrier.name and store.has(letter.digest)
        ]
    handed, away = 0, ""

    def deliver(letter: Letter) -> None:
        nonlocal handed, away
        try:
            handed += _deliver(wiring, carrier, store, letter.reference)
        except CarrierUnavailable as error:
            away = str(error)  # No fault of this letter.
        except CarrierError as error:
            raise ItemFailed(str(error)) from error

    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    for letter in attempts.due(staged, _reference):
        attempts.run(letter.reference, partial(deliver, letter))
        if away:
            raise ItemFailed(away)
    return handed


def _deliver(wiring: "App", carrier: Carrier, store: LetterStore, reference: str) -> bool:
    """Deliver one staged letter; whether it went. Raises CarrierError, CarrierUnavailable."""
    with wiring.pool.transaction() as connection:
        alone(connection, wiring.book)
        for letter in claim(connection, wiring.book, "staged", [reference]):
            parcels = _parcel(wiring, store, letter)
            if reference not in carrier.deliver(letter.batch or "", [reference], parcels):
                return False
            event = LetterHandedOver(carrier=carrier.name, reference=reference)
            record(wiring, letter.contract, event, f"letter-handed-over:{reference}")
            status = "handed_over" if letter.posted_on is None else "posted"
            change(connection, wiring.book, [reference], status=status)
            return True
    return False


def _parcel(wiring: "App", store: LetterStore, letter: Letter) -> Iterator[Parcel]:
    """Open a letter, on the access log; nothing where its addressee was erased meanwhile.

    Raises ItemFailed: it cannot be opened.
    """
    opened = [Opened(letter.person, letter.about.name)]
    access = Access(SENDER, "letters hand-over", "for the carrier")
    key = keys_to_open(wiring.pool, wiring.store.subject_keys, wiring.book, access, opened).get(letter.person)
    if key is None:
        return
    try:
        pdf = store.take(letter.digest, key)
    except (LetterMissing, LetterDamaged) as error:
        raise ItemFailed(str(error)) from error
    yield Parcel(
        letter.reference,
        letter.kind,
        letter.kind in REGISTERED,
        letter.language or "",
        letter.last_posting_day,
        letter.digest,
        pdf,
    )


def _reference(letter: Letter) -> str:
    return letter.reference


CONFIRMATION_COLUMNS: Final = ("reference", "posted_on", "tracking", "returned_on")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One letter's posting, or its return."""

    reference: str
    posted_on: date | None = None
    tracking: str | None = None
    returned_on: date | None = None


def read_confirmations(path: Path) -> list[Confirmation]:
    """Read a carrier's CSV, as `import` reads CSV: reference, posted_on, tracking, returned_on.

    Raises UsageError that names every line that cannot be read; nothing has been done then.
    """
    read: list[Confirmation] = []
    wrong: list[str] = []
    try:
        with path.open("rb") as stream:
            for row in read_rows(str(path), stream, required=("reference",), known=CONFIRMATION_COLUMNS):
                try:
                    read.append(_confirmation(row))
                except Malformed as malformed:
                    wrong.append(f"line {row.line}: {malformed}")
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror})."
        raise UsageError(message) from error
    if wrong:
        columns = ", ".join(CONFIRMATION_COLUMNS)
        message = f"{path}: {'; '.join(wrong)}. Its columns are {columns}. Nothing was recorded."
        raise UsageError(message)
    return read


def commands_of(letter: Letter, told: Confirmation) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield command id, name and fields of what a confirmation makes known; none but a notice has any."""
    if letter.kind != "termination_notice":
        return
    if told.posted_on is not None:
        fields: dict[str, object] = {
            "contract": letter.contract,
            "posted_on": told.posted_on.isoformat(),
            "tracking": told.tracking or letter.reference,
        }
        yield f"letter-posted:{letter.reference}", "SendTerminationNotice", fields
    if told.returned_on is not None:
        fields = {"contract": letter.contract, "returned_on": told.returned_on.isoformat()}
        yield f"letter-returned:{letter.reference}", "RecordLetterReturned", fields


def confirm(wiring: "App", letter: Letter, told: Confirmation, actor: str) -> list[Answer]:
    """Send the commands of a confirmation, and note it with the letter. Told again, nothing more happens."""
    answers = [
        wiring.ledger.submit(submission(command_id, name, fields, actor=actor, sender="letters"))
        for command_id, name, fields in commands_of(letter, told)
    ]
    if letter.kind != "termination_notice":
        # No rule hangs on these: the letter's row is all that knows.
        noted: dict[str, object] = {}
        if told.posted_on is not None:
            noted |= {"status": "posted", "posted_on": told.posted_on, "tracking": told.tracking}
        if told.returned_on is not None:
            noted |= {"status": "returned", "returned_on": told.returned_on}
        with wiring.pool.connection() as connection:
            change(connection, wiring.book, [letter.reference], **noted)
    return answers


def _confirmation(row: CsvRow | LineFault) -> Confirmation:
    """Turn one row. Raises Malformed."""
    if isinstance(row, LineFault):
        raise Malformed(row.message)
    cells = row.cells
    reference = cells.get("reference")
    if reference is None:
        message = "no reference"
        raise Malformed(message)
    if "posted_on" not in cells and "returned_on" not in cells:
        message = f"{reference}: neither posted_on nor returned_on"
        raise Malformed(message)
    days = {name: read_day(cells[name]) for name in ("posted_on", "returned_on") if name in cells}
    return Confirmation(reference, days.get("posted_on"), cells.get("tracking"), days.get("returned_on"))
