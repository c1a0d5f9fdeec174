"""Handing prepared letters over to the carrier: each once, whenever the program dies.

1. stage: the carrier makes a batch ready, then the rows say `staged` (one transaction). A crash before that
   is undone at the next try.
2. deliver: the carrier takes what is staged; done again, it does only what was left to do.
3. LetterHandedOver is recorded under an id of the letter's own, then the rows say `handed_over`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog

from ledger.domain.calendar import roll_back
from ledger.domain.contract.events import LetterHandedOver
from ledger.subjects.access_log import Access, Opened
from ledger.subjects.opening import keys_to_open
from schedulers.letters.carriers.carrier import Carrier, NotTaken, Parcel
from schedulers.letters.kinds import REGISTERED
from schedulers.letters.queries import Letter, alone, change, claim, letters
from schedulers.letters.recording import SENDER, record
from schedulers.letters.shelf import Shelf
from schedulers.letters.statuses import LetterStatus
from schedulers.letters.writing import drop_needless

if TYPE_CHECKING:
    from ledger.store.pool import Connection
    from ledger.wiring import Wiring

_STAGED: Final[tuple[LetterStatus, ...]] = ("staged",)

BATCH: Final = 500
"""Letters in one batch at most."""

_log = structlog.get_logger(__name__)


def hand_over(wiring: "Wiring", carrier: Carrier, shelf: Shelf, today: date, ahead_days: int) -> int:
    """Hand over what is prepared and due within so many days, what was begun before first; how many letters.

    What the carrier does not take stays staged, and is tried again. Letters whose file another machine keeps
    are that machine's to hand over.
    """
    handed = _deliver_staged(wiring, carrier, shelf)
    while _stage(wiring, carrier, shelf, today, ahead_days):
        delivered = _deliver_staged(wiring, carrier, shelf)
        handed += delivered
        if not delivered:
            break
    return handed


def _stage(wiring: "Wiring", carrier: Carrier, shelf: Shelf, today: date, ahead_days: int) -> int:
    with wiring.pool.transaction() as connection:
        alone(connection, wiring.book)
        under_way = {letter.batch or "" for letter in letters(connection, wiring.book, statuses=_STAGED)}
        carrier.forget_unstaged(under_way)
        until = today + timedelta(days=ahead_days)
        portion = list(claim(connection, wiring.book, "prepared", BATCH, post_by=until))
        dropped = drop_needless(connection, wiring, portion, today)
        going = [letter for letter in portion if letter.reference not in dropped and shelf.has(letter.digest)]
        if not going:
            return 0
        batch = f"{today.isoformat()}-{uuid4().hex[:8]}"
        try:
            parcels = list(_parcels(wiring, shelf, going))
            carrier.stage(batch, parcels)
        except NotTaken as error:
            _log.error("letters_not_staged", carrier=carrier.name, letters=len(going), error=str(error))
            return 0
        staged = [parcel.reference for parcel in parcels]
        change(connection, wiring.book, staged, status="staged", batch=batch, carrier=carrier.name)
        return len(staged)


def _deliver_staged(wiring: "Wiring", carrier: Carrier, shelf: Shelf) -> int:
    with wiring.pool.transaction() as connection:
        alone(connection, wiring.book)
        staged = [
            letter
            for letter in letters(connection, wiring.book, statuses=_STAGED)
            if letter.carrier == carrier.name and shelf.has(letter.digest)
        ]
        handed = 0
        for batch, grouped in groupby(
            sorted(staged, key=lambda letter: letter.batch or ""), key=lambda letter: letter.batch or ""
        ):
            handed += _deliver(connection, wiring, carrier, shelf, batch, list(grouped))
        return handed


def _deliver(  # noqa: PLR0913, PLR0917  # what delivering takes
    connection: "Connection",
    wiring: "Wiring",
    carrier: Carrier,
    shelf: Shelf,
    batch: str,
    of_it: Sequence[Letter],
) -> int:
    references = [letter.reference for letter in of_it]
    try:
        taken = carrier.deliver(batch, references, _parcels(wiring, shelf, of_it))
    except NotTaken as error:
        _log.error(
            "letters_not_taken", carrier=carrier.name, batch=batch, letters=len(of_it), error=str(error)
        )
        return 0
    gone = [letter for letter in of_it if letter.reference in taken]
    for letter in gone:
        event = LetterHandedOver(carrier=carrier.name, reference=letter.reference)
        record(wiring, letter.contract, event, f"letter-handed-over:{letter.reference}")
    confirmed = [letter.reference for letter in gone if letter.posted_on is not None]
    waiting = [letter.reference for letter in gone if letter.posted_on is None]
    change(connection, wiring.book, confirmed, status="posted")
    change(connection, wiring.book, waiting, status="handed_over")
    return len(gone)


def _parcels(wiring: "Wiring", shelf: Shelf, of_it: Sequence[Letter]) -> Iterator[Parcel]:
    """Open letters one by one, on the access log; left out are those to persons erased meanwhile."""
    opened = [Opened(letter.person, letter.about.name) for letter in of_it]
    access = Access(SENDER, "letters hand-over", "for the carrier")
    keys = keys_to_open(wiring.pool, wiring.store.subject_keys, wiring.book, access, opened)
    for letter in of_it:
        key = keys.get(letter.person)
        if key is not None:
            yield Parcel(
                letter.reference,
                letter.kind,
                letter.kind in REGISTERED,
                letter.language or "",
                # Its last timely day may be no working day, and nobody posts then (R6).
                None if letter.post_by is None else roll_back(letter.post_by),
                letter.digest,
                shelf.take(letter.digest, key),
            )
