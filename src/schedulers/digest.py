"""The daily digest: what was missed, what is near its day, and what waits for the back office."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from ledger.attempts import Attempts, FailingItem, ItemFailed, failing
from ledger.clock import acts_until, present
from ledger.domain.calendar import ONE_DAY, brussels_date, is_working_day
from ledger.domain.deadlines import Deadline
from ledger.mail import new_mail
from ledger.store.pool import Connection
from ledger.supervision import rest
from ledger.webhooks.problems import SubscriptionProblem, subscription_problems
from schedulers.agenda import NAME as DIARY
from schedulers.agenda import pending_deadlines
from schedulers.letters.queries import NAME as LETTERS
from schedulers.letters.queries import Letter, letters
from schedulers.letters.store import write_atomically
from schedulers.mail import MailServer, NotMailed
from schedulers.retention import NAME as RETENTION
from schedulers.retention import expired_retentions
from schedulers.sweep import sweep_to_the_present
from schedulers.ticker import read_clocks, tick

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.config import Settings

ENDS = frozenset({"term_end", "notice_end", "withdrawal_end"})
"""What time does by itself: nobody has to be warned of it."""
FIRST_LOOK = 7 * ONE_DAY
"""How far the first digest looks back."""
MOST_LINES = 50
"""Of one section; the command that lists all is named after them."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One book on one Brussels day."""

    book: str
    day: date
    missed: Sequence[Deadline]
    """Missed, and met by nobody since (DeadlineMissed)."""
    missed_now: Sequence[Deadline]
    """Those of them that the last digest did not know."""
    due: Sequence[Deadline]
    """Open, their alert date reached (R7): to be done now."""
    letters_waiting: Sequence[Letter] = ()
    """Not written, for something is missing."""
    letters_unconfirmed: Sequence[Letter] = ()
    """Handed over, their last day near or gone, and no posting confirmed."""
    erasures: int = 0
    """Persons whose erasure is proposed (R13)."""
    clock_apart_seconds: float | None = None
    """The machine's clock ahead of the database's, where they are too far apart."""
    stopped: Sequence[str] = field(default=())
    """Followers with events that they could not take."""
    parked: Sequence[FailingItem] = ()
    """What workers could not handle, and nobody tries any more."""
    subscribers: Sequence[SubscriptionProblem] = ()
    """What is wrong with those who are to be told of events."""

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits for anybody."""
        return not (
            self.missed_now
            or self.due
            or self.letters_waiting
            or self.letters_unconfirmed
            or self.erasures
            or self.clock_apart_seconds is not None
            or self.stopped
            or self.parked
            or self.subscribers
        )

    @property
    def subject(self) -> str:
        """The line that a mail shows first."""
        if self.is_calm:
            return f"{self.book}, {self.day}: nothing waits"
        parts = [
            f"{len(self.missed_now)} missed since the last digest" if self.missed_now else "",
            f"{len(self.due)} to do" if self.due else "",
            f"letters that wait: {len(self.letters_waiting)}" if self.letters_waiting else "",
            f"postings unconfirmed: {len(self.letters_unconfirmed)}" if self.letters_unconfirmed else "",
            f"erasures proposed: {self.erasures}" if self.erasures else "",
            "clocks apart" if self.clock_apart_seconds is not None else "",
            "a follower has stopped" if self.stopped else "",
            f"parked: {len(self.parked)}" if self.parked else "",
            f"subscribers not told: {len(self.subscribers)}" if self.subscribers else "",
        ]
        return f"{self.book}, {self.day}: {', '.join(part for part in parts if part)}"


def split_deadlines(
    standing: Iterable[Deadline], day: date, last_digest: date | None
) -> tuple[list[Deadline], list[Deadline], list[Deadline]]:
    """Return what is missed, what of it is new since the last digest, and what is to be done, of a day."""
    rows = [row for row in standing if row.kind not in ENDS]
    missed = [row for row in rows if row.status == "missed"]
    # A deadline is missed at 00:00 of the day after it: that is when the digest of a day can first know.
    since = last_digest or day - FIRST_LOOK
    new = [row for row in missed if missed_from(row) > since]
    due = [row for row in rows if row.status == "open" and row.alert_on <= day]
    return missed, new, due


def missed_from(row: Deadline) -> date:
    """Return the day from whose 00:00 a deadline is missed (R12)."""
    last = row.raw_due_on if row.kind == "termination_letter" else row.due_on
    return last + ONE_DAY


def render_text(digest: Digest) -> str:
    """Write a digest as plain text."""
    lines = [digest.subject, ""]
    if digest.clock_apart_seconds is not None:
        lines += [
            f"ALARM: this machine's clock is {digest.clock_apart_seconds:+.1f} s apart from the database's.",
            "Time acts by the database's clock: set both by NTP.",
            "",
        ]
    for name in digest.stopped:
        lines += [f"ALARM: {name} could not take some events: see `coverledger doctor`.", ""]
    lines += _section(
        "Subscribers that are not told of all events",
        [one.said for one in digest.subscribers],
        "coverledger subscriptions list",
    )
    lines += _section(
        "Could not be handled: mend the cause, then `coverledger parked replay`",
        [f"{one.worker}  {one.item}: {one.error}" for one in digest.parked],
        "coverledger parked list",
    )
    lines += _section(
        "MISSED since the last digest",
        [_deadline(row) for row in digest.missed_now],
        "coverledger due --status missed",
    )
    lines += _section(
        "To be done now",
        [_deadline(row) for row in digest.due],
        f"coverledger due --status open --before {digest.day + 30 * ONE_DAY}",
    )
    lines += _section(
        "Letters that cannot be written",
        [
            f"{letter.reference}  {letter.kind.replace('_', ' ')} of {letter.about.name}: {letter.told}"
            for letter in digest.letters_waiting
        ],
        "coverledger letters list --status wanted",
    )
    lines += _section(
        "Letters handed over, their posting not confirmed",
        [
            f"{letter.reference}  {letter.about.name}, to be posted by {letter.last_posting_day}"
            for letter in digest.letters_unconfirmed
        ],
        "coverledger letters list --status handed_over",
    )
    if digest.erasures:
        lines += [
            f"Erasures proposed: {digest.erasures:,}. See `coverledger deadlines retention`.",
            "",
        ]
    earlier = len(digest.missed) - len(digest.missed_now)
    if earlier:
        lines += [f"Missed before, and never met: {earlier:,}. See `coverledger due --status missed`.", ""]
    if digest.is_calm:
        lines += ["No deadline was missed or is near, and no letter waits.", ""]
    return "\n".join(lines)


def _section(title: str, rows: Sequence[str], command: str) -> list[str]:
    if not rows:
        return []
    shown = [f"  {row}" for row in rows[:MOST_LINES]]
    more = [f"  … and {len(rows) - MOST_LINES:,} more"] if len(rows) > MOST_LINES else []
    return [f"{title} ({len(rows):,})", *shown, *more, f"  All: {command}", ""]


def _deadline(row: Deadline) -> str:
    return f"{row.due_on}  {row.kind.replace('_', ' '):<26} {row.subject.name}  ({row.rule})"


_SENT: Final = "select exists (select from schedulers.digests where book = %s and place = %s and day = %s)"
_LAST: Final = "select max(day) from schedulers.digests where book = %s and day < %s"
_NOTE: Final = "insert into schedulers.digests (book, place, day) values (%s, %s, %s) on conflict do nothing"
_STOPPED: Final = "select distinct follower from ledger.parked where book = %s order by follower"


def was_sent(connection: Connection, book: str, place: str, day: date) -> bool:
    """Return whether a place has had its digest of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, (book, place, day))
        return cursor.fetchone() == (True,)


def last_digest_day(connection: Connection, book: str, before: date) -> date | None:
    """Return the day of the last digest before a day, wherever it went."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST, (book, before))
        [(day,)] = cursor.fetchall()
        return day if isinstance(day, date) else None


def note_sent(connection: Connection, book: str, place: str, day: date) -> None:
    """Note that a place has had its digest of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, (book, place, day))


def stopped_followers(connection: Connection, book: str) -> Sequence[str]:
    """Return the followers of a book that have parked an event."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, (book,))
        return [name for (name,) in cursor.fetchall()]


TICK_SECONDS: Final = 30.0
WORKER: Final = "digest"
NEAR: Final = timedelta(days=5)
"""Before its last day a letter whose posting nobody has confirmed is told of."""

_log = structlog.get_logger(__name__)


class NotDelivered(Exception):
    """A place did not take the digest; the message says why."""


class DigestTarget(Protocol):
    """Where a digest goes."""

    @property
    def name(self) -> str:
        """What it is called in the table of what was sent."""

    def take(self, digest: Digest) -> None:
        """Take a digest. Raises NotDelivered."""


@dataclass(frozen=True, slots=True)
class DigestFolder:
    """A folder: a text file a day."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def take(self, digest: Digest) -> None:
        """Write `BOOK-DATE.txt`; written again, it is replaced."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / f"{digest.book}-{digest.day}.txt", render_text(digest).encode())
        except OSError as error:
            message = f"{self.path} cannot be written ({error.strerror})"
            raise NotDelivered(message) from error


@dataclass(frozen=True, slots=True)
class DigestMail:
    """A mail address."""

    server: MailServer

    @property
    def name(self) -> str:
        """The address; never the password."""
        return self.server.name

    def take(self, digest: Digest) -> None:
        """Mail the digest as plain text."""
        try:
            self.server.send(new_mail(digest.subject, render_text(digest)))
        except NotMailed as error:
            raise NotDelivered(str(error)) from error


def digest_targets(settings: "Settings") -> list[DigestTarget]:
    """Return the places that the settings name."""
    found: list[DigestTarget] = []
    if settings.digest_folder is not None:
        found.append(DigestFolder(settings.digest_folder))
    if settings.digest_mail is not None:
        found.append(DigestMail(MailServer.parse(settings.digest_mail)))
    return found


def compose_digest(wiring: "App") -> Digest:
    """Put together the digest of the book's present day, all that time owes by then having taken effect."""
    sweep_to_the_present(wiring)
    wiring.catch_up(DIARY, LETTERS, RETENTION)
    book = wiring.book
    day = brussels_date(present(wiring.book_row(), wiring.now()))
    look = read_clocks(wiring)
    with wiring.pool.connection() as connection:
        missed, new, due = split_deadlines(
            pending_deadlines(connection, book), day, last_digest_day(connection, book, day)
        )
        known = letters(connection, book, statuses=("wanted", "handed_over"))
        return Digest(
            book,
            day,
            missed,
            new,
            due,
            [letter for letter in known if letter.status == "wanted" and letter.told],
            [
                letter
                for letter in known
                if letter.status == "handed_over"
                and letter.last_posting_day is not None
                and letter.last_posting_day - NEAR <= day
            ],
            len(expired_retentions(connection, book, day)),
            None if look.agrees else look.apart_seconds,
            stopped_followers(connection, book),
            [one for one in failing(connection, book) if one.is_parked],
            subscription_problems(connection, book),
        )


def send(wiring: "App", wanted: list[DigestTarget], *, again: bool = False) -> dict[str, str]:
    """Send the day's digest to the places that have had none today; what came of it, by place.

    `again`: to the others too.
    """
    day = brussels_date(present(wiring.book_row(), wiring.now()))
    with wiring.pool.connection() as connection:
        lacking = [
            place for place in wanted if again or not was_sent(connection, wiring.book, place.name, day)
        ]
    if not lacking:
        return {}
    digest = compose_digest(wiring)
    told = {place.name: "could not be sent" for place in lacking}

    def deliver(place: DigestTarget) -> None:
        try:
            place.take(digest)
        except NotDelivered as error:
            told[place.name] = str(error)
            raise ItemFailed(str(error)) from error
        with wiring.pool.connection() as connection:
            note_sent(connection, wiring.book, place.name, digest.day)
        told[place.name] = "sent"

    # Each place alone, at every look whatever failed before: shown where other failed tries are.
    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    for place in lacking:
        attempts.run(place.name, partial(deliver, place))
    return told


def keep_digest(wiring: "App", stop: StopEvent) -> None:
    """Send the digest of each working day, and try again what was not taken, until `stop` is set."""
    wanted = digest_targets(wiring.settings)
    if not wanted:
        rest(stop)
        return

    def turn() -> None:
        book, now = wiring.book_row(), wiring.now()
        if acts_until(book, now) is not None and is_working_day(brussels_date(present(book, now))):
            send(wiring, wanted)

    tick(TICK_SECONDS, turn, stop)
