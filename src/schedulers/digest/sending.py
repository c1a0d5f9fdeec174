"""The digest of each working day, put together and sent to where the settings say."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from ledger.attempts import Attempts, ItemFailed, failing
from ledger.clock import acts_until, present
from ledger.domain.calendar import brussels_date, is_working_day
from ledger.mail import new_mail
from ledger.supervision import rest
from ledger.webhooks.problems import subscription_problems
from schedulers.clocks import look_at
from schedulers.clockwork import tick
from schedulers.diary.follower import NAME as DIARY
from schedulers.diary.queries import standing_deadlines
from schedulers.digest.composing import Digest, split, text
from schedulers.digest.queries import last_day, note, stopped, was_sent
from schedulers.letters.follower import NAME as LETTERS
from schedulers.letters.queries import letters
from schedulers.letters.shelf import write_whole
from schedulers.mailing import MailServer, NotMailed
from schedulers.retention.follower import NAME as RETENTION
from schedulers.retention.queries import over
from schedulers.sweeping.background import sweep_to_the_present

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.config import Settings

TICK_SECONDS: Final = 30.0
WORKER: Final = "digest"
NEAR: Final = timedelta(days=5)
"""Before its last day a letter whose posting nobody has confirmed is told of."""

_log = structlog.get_logger(__name__)


class NotDelivered(Exception):
    """A place did not take the digest; the message says why."""


class Place(Protocol):
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
            write_whole(self.path / f"{digest.book}-{digest.day}.txt", text(digest).encode())
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
            self.server.send(new_mail(digest.subject, text(digest)))
        except NotMailed as error:
            raise NotDelivered(str(error)) from error


def places(settings: "Settings") -> list[Place]:
    """Give the places that the settings name."""
    found: list[Place] = []
    if settings.digest_folder is not None:
        found.append(DigestFolder(settings.digest_folder))
    if settings.digest_mail is not None:
        found.append(DigestMail(MailServer.parse(settings.digest_mail)))
    return found


def digest_of(wiring: "App") -> Digest:
    """Put together the digest of the book's present day, all that time owes by then having taken effect."""
    sweep_to_the_present(wiring)
    wiring.catch_up(DIARY, LETTERS, RETENTION)
    book = wiring.book
    day = brussels_date(present(wiring.book_row(), wiring.now()))
    look = look_at(wiring)
    with wiring.pool.connection() as connection:
        missed, new, due = split(standing_deadlines(connection, book), day, last_day(connection, book, day))
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
            len(over(connection, book, day)),
            None if look.agrees else look.apart_seconds,
            stopped(connection, book),
            [one for one in failing(connection, book) if one.is_parked],
            subscription_problems(connection, book),
        )


def send(wiring: "App", wanted: list[Place], *, again: bool = False) -> dict[str, str]:
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
    digest = digest_of(wiring)
    told = {place.name: "could not be sent" for place in lacking}

    def deliver(place: Place) -> None:
        try:
            place.take(digest)
        except NotDelivered as error:
            told[place.name] = str(error)
            raise ItemFailed(str(error)) from error
        with wiring.pool.connection() as connection:
            note(connection, wiring.book, place.name, digest.day)
        told[place.name] = "sent"

    # Each place alone, at every look whatever failed before: shown where other failed tries are.
    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    for place in lacking:
        attempts.run(place.name, partial(deliver, place))
    return told


def keep_digest(wiring: "App", stop: StopEvent) -> None:
    """Send the digest of each working day, and try again what was not taken, until `stop` is set."""
    wanted = places(wiring.settings)
    if not wanted:
        rest(stop)
        return

    def turn() -> None:
        book, now = wiring.book_row(), wiring.now()
        if acts_until(book, now) is not None and is_working_day(brussels_date(present(book, now))):
            send(wiring, wanted)

    tick(TICK_SECONDS, turn, stop)
