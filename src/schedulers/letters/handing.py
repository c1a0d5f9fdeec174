"""Handing prepared letters over to the carrier: each once, whenever the program dies.

1. stage: the carrier makes a batch ready, then the rows say `staged` (one transaction). A crash before that
   is undone at the next try.
2. deliver: the carrier takes what is staged; done again, it does only what was left to do.
3. LetterHandedOver is recorded under an id of the letter's own, then the rows say `handed_over`.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ledger.attempts import Attempts, ItemFailed
from ledger.domain.contract.events import LetterHandedOver
from ledger.privacy.access import Access, Opened, keys_to_open
from schedulers.letters.carriers.carrier import Carrier, CarrierAway, NotTaken, Parcel
from schedulers.letters.kinds import REGISTERED
from schedulers.letters.queries import WORKER, Letter, alone, change, claim, free_letters, letters
from schedulers.letters.recording import SENDER, record
from schedulers.letters.shelf import LetterDamaged, NotOnTheShelf, Shelf
from schedulers.letters.statuses import LetterStatus
from schedulers.letters.writing import why_needless

if TYPE_CHECKING:
    from ledger.app import App

_PREPARED: Final[tuple[LetterStatus, ...]] = ("prepared",)
_STAGED: Final[tuple[LetterStatus, ...]] = ("staged",)

CARRIER: Final = "carrier"
"""The carrier itself, where failed tries are shown."""
BATCH: Final = 500
"""Letters in one batch at most."""


def hand_over(wiring: "App", carrier: Carrier, shelf: Shelf, today: date, ahead_days: int) -> int:
    """Hand over what is prepared and due within so many days, what was begun before first; how many letters.

    Each goes alone: one that cannot is tried again, and keeps no other waiting. What the carrier as a whole
    does not take stays as it is, and is tried again. Letters whose file another machine keeps are that
    machine's to hand over.
    """
    handed = 0

    def hand_all() -> None:
        nonlocal handed
        handed += _deliver_staged(wiring, carrier, shelf)
        while _stage(wiring, carrier, shelf, today, ahead_days):
            handed += _deliver_staged(wiring, carrier, shelf)

    # Tried at every look, whatever failed before: shown where other failed tries are.
    Attempts(wiring.pool, wiring.book, CARRIER).run(carrier.name, hand_all)
    return handed


def _stage(wiring: "App", carrier: Carrier, shelf: Shelf, today: date, ahead_days: int) -> int:
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
            elif shelf.has(letter.digest):
                parcels.extend(_parcel(wiring, shelf, letter))

        for letter in portion:
            attempts.run(letter.reference, partial(open_one, letter))
        for why, references in needless.items():
            change(connection, wiring.book, references, status="dropped", told=why)
        if not parcels:
            return 0
        batch = f"{today.isoformat()}-{uuid4().hex[:8]}"
        try:
            carrier.stage(batch, parcels)
        except NotTaken as error:
            raise ItemFailed(str(error)) from error
        staged = [parcel.reference for parcel in parcels]
        change(connection, wiring.book, staged, status="staged", batch=batch, carrier=carrier.name)
        return len(staged)


def _deliver_staged(wiring: "App", carrier: Carrier, shelf: Shelf) -> int:
    with wiring.pool.connection() as connection:
        staged = [
            letter
            for letter in letters(connection, wiring.book, statuses=_STAGED)
            if letter.carrier == carrier.name and shelf.has(letter.digest)
        ]
    handed, away = 0, ""

    def deliver(letter: Letter) -> None:
        nonlocal handed, away
        try:
            handed += _deliver(wiring, carrier, shelf, letter.reference)
        except CarrierAway as error:
            away = str(error)  # No fault of this letter.
        except NotTaken as error:
            raise ItemFailed(str(error)) from error

    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    for letter in attempts.due(staged, _reference):
        attempts.run(letter.reference, partial(deliver, letter))
        if away:
            raise ItemFailed(away)
    return handed


def _deliver(wiring: "App", carrier: Carrier, shelf: Shelf, reference: str) -> bool:
    """Deliver one staged letter; whether it went. Raises NotTaken, CarrierAway."""
    with wiring.pool.transaction() as connection:
        alone(connection, wiring.book)
        for letter in claim(connection, wiring.book, "staged", [reference]):
            parcels = _parcel(wiring, shelf, letter)
            if reference not in carrier.deliver(letter.batch or "", [reference], parcels):
                return False
            event = LetterHandedOver(carrier=carrier.name, reference=reference)
            record(wiring, letter.contract, event, f"letter-handed-over:{reference}")
            status = "handed_over" if letter.posted_on is None else "posted"
            change(connection, wiring.book, [reference], status=status)
            return True
    return False


def _parcel(wiring: "App", shelf: Shelf, letter: Letter) -> Iterator[Parcel]:
    """Open a letter, on the access log; nothing where its addressee was erased meanwhile.

    Raises ItemFailed: it cannot be opened.
    """
    opened = [Opened(letter.person, letter.about.name)]
    access = Access(SENDER, "letters hand-over", "for the carrier")
    key = keys_to_open(wiring.pool, wiring.store.subject_keys, wiring.book, access, opened).get(letter.person)
    if key is None:
        return
    try:
        pdf = shelf.take(letter.digest, key)
    except (NotOnTheShelf, LetterDamaged) as error:
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
