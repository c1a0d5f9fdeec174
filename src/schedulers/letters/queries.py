"""The table of letters: what is wanted, how far each has come, and what scripts and the site read of it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from psycopg2.extras import execute_values

from ledger.domain.calendar import roll_back
from ledger.domain.identifiers import StreamRef
from ledger.errors import UsageError
from ledger.store.canonical import stream_ref
from ledger.store.pool import Connection
from ledger.store.sql import compose
from schedulers.letters.content import Facts
from schedulers.letters.kinds import REGISTERED, STATUSES, LetterKind, LetterStatus

if TYPE_CHECKING:
    from ledger.app import App

ITS_TEXT: Final = "its text: give it with `letters answer`"
"""What the answer to a complaint waits for: the ledger knows that it was answered, and not what was said."""

NAME = "letters"
"""The follower of the feed that keeps this table."""

WORKER: Final = "letters"
"""Whoever writes letters and hands them over, where failed tries are shown."""

# What a letter waits for stands with it; why its last try failed, with all failed tries.
_SELECT: Final = compose(
    """
select reference, kind, about, contract, person, facts, post_by, status,
    coalesce(told, (
        select error from ledger.attempts
        where attempts.book = letters.book and worker = '{worker}' and item = reference
    )) as told,
    sha256, language, batch, carrier, posted_on, tracking, returned_on, wanted_at, changed_at
from schedulers.letters
""",
    worker=WORKER,
)
_WANT: Final = """
insert into schedulers.letters (book, reference, kind, about, contract, person, facts, post_by, status, told)
values %s on conflict (book, reference) do nothing
"""
_LIST: Final = f"""
{_SELECT}
where book = %(book)s
    and (%(statuses)s::text[] is null or status = any(%(statuses)s))
    and (%(references)s::text[] is null or reference = any(%(references)s))
    and (%(contract)s::text is null or contract = %(contract)s)
    and (%(person)s::text is null or person = %(person)s)
    and (%(post_by)s::date is null or post_by is null or post_by <= %(post_by)s)
    and (not %(free)s or letters.told is null)
order by wanted_at, reference
"""
# Whoever works on a letter holds its row; others pass it by.
_BY_DAY: Final = f"""
{_SELECT} where book = %(book)s and status = any(%(statuses)s)
order by post_by nulls last, wanted_at, reference limit %(limit)s
"""
_COUNTS: Final = "select status, count(*) from schedulers.letters where book = %s group by status order by 1"
_CLAIM: Final = f"{_LIST} for update skip locked"
# One hand at a time in what is given to the carrier, to the transaction's end.
_ALONE: Final = "select pg_advisory_xact_lock(hashtextextended('letters handed over of ' || %s, 0))"
_CHANGE: Final = """
update schedulers.letters set {changes}, changed_at = clock_timestamp()
where book = %(book)s and reference = any(%(references)s)
"""
_FORGET_TRIES: Final = compose(
    "delete from ledger.attempts where book = %(book)s and worker = '{worker}'", worker=WORKER
)
_TRIED_NO_MORE: Final = f"{_FORGET_TRIES} and item = any(%(references)s)"
_TRY_AGAIN: Final = compose(
    """
{forget}
    and (%(error)s::text is null or error = %(error)s)
    and (%(contract)s::text is null or item in (
        select reference from schedulers.letters where book = %(book)s and contract = %(contract)s
    ))
""",
    forget=_FORGET_TRIES,
)
_FREE: Final = """
update schedulers.letters set told = null, changed_at = clock_timestamp()
where book = %(book)s and status = 'wanted' and told is not null and kind <> 'complaint_answer'
    and (%(contract)s::text is null or contract = %(contract)s)
"""
_OF_ERASED: Final = f"""
{_SELECT}
where book = %(book)s and status <> 'erased' and exists (
    select from vault.subjects
    where subjects.book = letters.book and subjects.person = letters.person and erased_at is not null
)
"""


@dataclass(frozen=True, slots=True)
class LetterRequest:
    """A letter that is to be written."""

    reference: str
    kind: LetterKind
    about: StreamRef
    contract: str
    person: str
    facts: Facts
    post_by: date | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, and how far it has come. Instants are UTC as the database gives them."""

    reference: str
    kind: LetterKind
    about: StreamRef
    contract: str
    person: str
    facts: Facts
    post_by: date | None
    status: LetterStatus
    told: str | None
    sha256: str | None
    language: str | None
    batch: str | None
    carrier: str | None
    posted_on: date | None
    tracking: str | None
    returned_on: date | None
    wanted_at: datetime
    changed_at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 of the letter, which is written. Raises ValueError where it is not."""
        if self.sha256 is None:
            message = f"letter {self.reference} is not written yet"
            raise ValueError(message)
        return self.sha256

    @property
    def last_posting_day(self) -> date | None:
        """The last working day on which posting it is of use; `post_by` itself may be none (R6)."""
        return None if self.post_by is None else roll_back(self.post_by)


def request_letters(connection: Connection, book: str, letters: Sequence[LetterRequest]) -> None:
    """Note letters that are to be written; those that are known already stay as they are."""
    rows = [
        (
            book,
            letter.reference,
            letter.kind,
            letter.about.name,
            letter.contract,
            letter.person,
            json.dumps(letter.facts, sort_keys=True),
            letter.post_by,
            "wanted",
            ITS_TEXT if letter.kind == "complaint_answer" else None,
        )
        for letter in letters
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, _WANT, rows)


def letters(  # noqa: PLR0913  # each narrows them down
    connection: Connection,
    book: str,
    *,
    statuses: Collection[LetterStatus] | None = None,
    references: Collection[str] | None = None,
    contract: str | None = None,
    person: str | None = None,
) -> Sequence[Letter]:
    """Return letters, the first wanted first; None asks for all."""
    asked = _asked(book, statuses) | {
        "references": None if references is None else list(references),
        "contract": contract,
        "person": person,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LIST, asked)
        return [_letter(row) for row in cursor]


def waiting_letters(
    connection: Connection, book: str, statuses: Collection[LetterStatus], limit: int
) -> Sequence[Letter]:
    """Return letters of these statuses, those that must be posted first in front, up to `limit`."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, _asked(book, statuses) | {"limit": limit})
        return [_letter(row) for row in cursor]


def count_by_status(connection: Connection, book: str) -> Mapping[str, int]:
    """Count letters by status."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, (book,))
        return {str(status): int(number) for status, number in cursor}


def free_letters(
    connection: Connection, book: str, statuses: Collection[LetterStatus], post_by: date | None = None
) -> Sequence[Letter]:
    """Return letters that wait for nobody (`told`), the first wanted first.

    `post_by`: only what has that day as its last or an earlier one, and what has none.
    """
    asked = _asked(book, statuses) | {"post_by": post_by, "free": True}
    with connection.cursor() as cursor:
        cursor.execute(_LIST, asked)
        return [_letter(row) for row in cursor]


def claim(
    connection: Connection, book: str, status: LetterStatus, references: Collection[str]
) -> Sequence[Letter]:
    """Take letters to work on, to the transaction's end; those that others work on are passed by.

    Those that wait for something (`told`), or have come farther than this status, are left out.
    """
    asked = _asked(book, (status,)) | {"references": list(references), "free": True}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, asked)
        return [_letter(row) for row in cursor]


def claim_one(connection: Connection, book: str, reference: str) -> Letter | None:
    """Take one letter to work on, to the transaction's end, whatever it waits for."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_LIST} for update", _asked(book, None) | {"references": [reference]})
        found = cursor.fetchone()
        return None if found is None else _letter(found)


def alone(connection: Connection, book: str) -> None:
    """Wait until nobody else hands letters of this book over; so it stays to the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, (book,))


def change(connection: Connection, book: str, references: Collection[str], **changes: object) -> None:
    """Set columns of these letters; what failed before they came to another status counts no more.

    Commits nothing.
    """
    if not references:
        return
    statement = _CHANGE.format(changes=", ".join(f"{name} = %({name})s" for name in changes))
    named = {"book": book, "references": list(references)}
    with connection.cursor() as cursor:
        cursor.execute(statement, named | changes)
        if "status" in changes:
            cursor.execute(_TRIED_NO_MORE, named)


def free(connection: Connection, book: str, contract: str | None = None) -> int:
    """Free the letters of a contract, or all, that wait for something or failed; return how many."""
    asked = {"book": book, "contract": contract, "error": None}
    with connection.cursor() as cursor:
        cursor.execute(_FREE, asked)
        freed = cursor.rowcount
        cursor.execute(_TRY_AGAIN, asked)
        return int(freed + cursor.rowcount)


def try_again(connection: Connection, book: str, error: str | None = None) -> None:
    """Schedule again the letters that failed, or failed for one reason; what waits keeps its remark."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY_AGAIN, {"book": book, "contract": None, "error": error})


def of_erased(connection: Connection, book: str) -> Sequence[Letter]:
    """Return the letters to persons who have been erased since."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_ERASED, {"book": book})
        return [_letter(row) for row in cursor]


def _asked(book: str, statuses: Collection[LetterStatus] | None) -> dict[str, object]:
    return {
        "book": book,
        "statuses": None if statuses is None else list(statuses),
        "references": None,
        "contract": None,
        "person": None,
        "post_by": None,
        "free": False,
    }


def _letter(row: Sequence[Any]) -> Letter:
    reference, kind, about, contract, person, facts, *rest = row
    read: Mapping[str, str | int | None] = json.loads(facts)
    return Letter(reference, kind, stream_ref(about), contract, person, read, *rest)


WAITING: Final[Sequence[LetterStatus]] = ("wanted", "written", "prepared", "staged", "handed_over")
"""Letters that somebody still has to do something for."""
MOST: Final = 200
"""Letters shown at once."""


def letter_json(letter: "Letter") -> dict[str, object]:
    """Return a letter as scripts read it."""
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


def list_letters(wiring: "App", asked: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what `letters list --json` prints with these filters (`status`, `contract`)."""
    with wiring.pool.connection() as connection:
        found = letters(
            connection,
            wiring.book,
            statuses=[_status(asked["status"])] if asked.get("status") else None,
            contract=asked.get("contract") or None,
        )
    return [letter_json(letter) for letter in found]


def letters_to(wiring: "App", person: str) -> list[dict[str, object]]:
    """Return the letters to one person, with what each says of their contract."""
    wiring.catch_up(NAME)
    with wiring.pool.connection() as connection:
        found = letters(connection, wiring.book, person=person)
    return [letter_json(letter) | {"facts": letter.facts} for letter in found]


def list_page(wiring: "App", asked: Mapping[str, str]) -> dict[str, object]:
    """Return a page of them, those that must be posted first before all others, and how many there are.

    `status`: one, or `waiting` for all that are not posted yet; `contract` instead: all of it.
    """
    statuses = WAITING if asked.get("status", "waiting") == "waiting" else [_status(asked["status"])]
    with wiring.pool.connection() as connection:
        counts = count_by_status(connection, wiring.book)
        contract = asked.get("contract")
        found = (
            letters(connection, wiring.book, contract=contract)
            if contract
            else waiting_letters(connection, wiring.book, statuses, MOST)
        )
    return {
        "rows": [letter_json(letter) | {"registered": letter.kind in REGISTERED} for letter in found],
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
