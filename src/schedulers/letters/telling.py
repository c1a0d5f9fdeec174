"""Letters as scripts and the site read them: how far each has come, nothing personal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ledger.errors import UsageError
from schedulers.letters.follower import NAME
from schedulers.letters.kinds import REGISTERED
from schedulers.letters.queries import Letter, counted, letters, waiting_letters
from schedulers.letters.statuses import STATUSES, LetterStatus

if TYPE_CHECKING:
    from ledger.app import App

WAITING: Final[Sequence[LetterStatus]] = ("wanted", "written", "prepared", "staged", "handed_over")
"""Letters that somebody still has to do something for."""
MOST: Final = 200
"""Letters shown at once."""


def written(letter: "Letter") -> dict[str, object]:
    """Give a letter as scripts read it."""
    return {
        "letter": letter.reference,
        "kind": letter.kind,
        "about": letter.about.subject,
        "contract": letter.contract,
        "status": letter.status,
        "told": letter.told,
        "post_by": None if letter.last_posting_day is None else letter.last_posting_day.isoformat(),
        "language": letter.language,
        "sha256": letter.sha256,
        "batch": letter.batch,
        "carrier": letter.carrier,
        "posted_on": None if letter.posted_on is None else letter.posted_on.isoformat(),
        "tracking": letter.tracking,
        "returned_on": None if letter.returned_on is None else letter.returned_on.isoformat(),
    }


def told(wiring: "App", asked: Mapping[str, str]) -> list[dict[str, object]]:
    """Give what `letters list --json` prints with these filters (`status`, `contract`)."""
    with wiring.pool.connection() as connection:
        found = letters(
            connection,
            wiring.book,
            statuses=[_status(asked["status"])] if asked.get("status") else None,
            contract=asked.get("contract") or None,
        )
    return [written(letter) for letter in found]


def held(wiring: "App", person: str) -> list[dict[str, object]]:
    """Give the letters to one person, with what each says of their contract (group `coverledger.held`)."""
    wiring.catch_up(NAME)
    with wiring.pool.connection() as connection:
        found = letters(connection, wiring.book, person=person)
    return [written(letter) | {"facts": letter.facts} for letter in found]


def shown(wiring: "App", asked: Mapping[str, str]) -> dict[str, object]:
    """Give a page of them, those that must be posted first before all others, and how many there are.

    `status`: one, or `waiting` for all that are not posted yet; `contract` instead: all of it.
    """
    statuses = WAITING if asked.get("status", "waiting") == "waiting" else [_status(asked["status"])]
    with wiring.pool.connection() as connection:
        counts = counted(connection, wiring.book)
        contract = asked.get("contract")
        found = (
            letters(connection, wiring.book, contract=contract)
            if contract
            else waiting_letters(connection, wiring.book, statuses, MOST)
        )
    return {
        "rows": [written(letter) | {"registered": letter.kind in REGISTERED} for letter in found],
        "counts": counts,
        "statuses": STATUSES,
        "waiting": sum(counts.get(status, 0) for status in WAITING),
        "most": MOST,
    }


def _status(asked: str) -> LetterStatus:
    """Take a status from an address. Raises UsageError for one that does not exist."""
    if asked not in STATUSES:
        message = f"There is no status {asked[:40]!r} of letters: choose one of {', '.join(STATUSES)}."
        raise UsageError(message)
    return asked
