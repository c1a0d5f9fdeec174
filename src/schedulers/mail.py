"""Mail to one address, and what the operator is mailed: what needs a person, once an hour at most.

What is new since the last mail makes a mail, which then names all that stands. While the database is away the
mail names the services of this machine that are not well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from threading import Event as StopEvent
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from ledger.attempts import failing
from ledger.clock import machine_now
from ledger.mail import NotSent, address_in_settings, complete, new_mail, post
from ledger.store.diagnostics import examine_feed
from ledger.store.pool import Connection
from ledger.store.retry import is_away
from ledger.supervision import rest
from ledger.webhooks.problems import subscription_problems
from schedulers.ticker import tick

if TYPE_CHECKING:
    from ledger.app import App


class NotMailed(Exception):
    """The server did not take the mail; the message says why, without any password."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """One address, and the server that takes mail for it."""

    url: str = field(repr=False)
    sender: str
    receiver: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the setting, which `Settings` has checked already."""
        asked = parse_qs(urlsplit(url).query)
        return cls(url, asked["from"][0], asked["to"][0])

    @property
    def name(self) -> str:
        """The address; never the password."""
        return f"mailto:{self.receiver}"

    def send(self, message: EmailMessage) -> str:
        """Send a message, whose From, To, Date and Message-ID are set here. Raises NotMailed."""
        complete(message, address_in_settings(self.sender), address_in_settings(self.receiver))
        try:
            post(self.url, message)
        except NotSent as error:
            reason = f"the mail to {self.receiver} was not taken ({error})"
            raise NotMailed(reason) from error
        return f"mailed to {self.receiver}"


LOOK_SECONDS: Final = 30.0
BETWEEN: Final = timedelta(hours=1)
"""Two mails."""
UNWELL_FOR: Final = timedelta(minutes=2)
"""A service that is not well for less mends itself mostly."""
SENDING_FOR: Final = timedelta(minutes=5)
"""After which another machine may send what one was about to."""

_TOLD: Final = "select concerns from ledger.operator_mails where book = %s and place = %s"
_STILL: Final = "update ledger.operator_mails set concerns = %s where book = %s and place = %s"
_BEGIN: Final = """
insert into ledger.operator_mails as known (book, place, sending_at)
values (%(book)s, %(place)s, clock_timestamp())
on conflict (book, place) do update set sending_at = clock_timestamp()
where (known.sent_at is null or known.sent_at <= clock_timestamp() - %(between)s)
  and (known.sending_at is null or known.sending_at <= clock_timestamp() - %(sending_for)s)
"""
_SENT: Final = """
update ledger.operator_mails set concerns = %s, sent_at = clock_timestamp(), sending_at = null
where book = %s and place = %s
"""
_NOT_SENT: Final = "update ledger.operator_mails set sending_at = null where book = %s and place = %s"


class Concern(NamedTuple):
    """One thing that needs a person."""

    key: str
    """What it is told apart by from one look to the next."""
    said: str
    """What is so and what to do, in a line; nothing personal."""


def concerns(connection: Connection, book: str) -> list[Concern]:
    """Return what of a book needs a person, as far as the database knows."""
    found = [
        Concern(f"subscription {one.subscription} {one.problem}", f"Subscription {one.said}")
        for one in subscription_problems(connection, book)
    ]
    parked: dict[str, int] = {}
    for item in failing(connection, book):
        if item.is_parked:
            parked[item.worker] = parked.get(item.worker, 0) + 1
    found += [
        Concern(
            f"parked {worker}",
            f"{worker} could not handle {number:,} items: see coverledger parked list, then parked replay",
        )
        for worker, number in parked.items()
    ]
    found += [
        Concern(
            f"follower {name}", f"{name} could not take {number:,} events: see coverledger projections list"
        )
        for name, number in examine_feed(connection, book).parked.items()
    ]
    return found


class OperatorMail:
    """Mails of one book to the operator."""

    def __init__(
        self, wiring: "App", server: MailServer, *, monotonic_now: Callable[[], float] = monotonic
    ) -> None:
        """`monotonic_now`: seconds, by which this machine keeps the hour while the database is away."""
        self._wiring = wiring
        self._server = server
        self._now = monotonic_now
        self._sent_at: float | None = None

    def look(self) -> bool:
        """Mail what needs a person, if there is something new and the hour is over; whether it did.

        Raises NotMailed, and what the database says.
        """
        if self._sent_at is not None and self._now() < self._sent_at + BETWEEN.total_seconds():
            return False
        services = self._services()
        try:
            with self._wiring.pool.connection() as connection:
                found = services + concerns(connection, self._wiring.book)
                if not self._is_to_send(connection, found):
                    return False
        except Exception as error:
            if not is_away(error) or not services:
                raise
            self._send(services)
            return True
        try:
            self._send(found)
        except Exception:
            self._note(_NOT_SENT)
            raise
        self._note(_SENT, _keys(found))
        return True

    def _services(self) -> list[Concern]:
        latest = machine_now() - UNWELL_FOR
        return [
            Concern(
                f"service {one.name}",
                f"The service {one.name} is {one.state} since {one.since:%Y-%m-%d %H:%M} UTC"
                f"{f' ({one.error})' if one.error else ''}: see coverledger doctor",
            )
            for one in self._wiring.states.unwell()
            if one.since <= latest
        ]

    def _is_to_send(self, connection: Connection, found: Sequence[Concern]) -> bool:
        """Whether there is something new, and nobody else mails it: then the turn is taken."""
        book, place, now = self._wiring.book, self._server.name, _keys(found)
        with connection.cursor() as cursor:
            cursor.execute(_TOLD, (book, place))
            row = cursor.fetchone()
            told: list[str] = row[0] if row else []
            still = [key for key in told if key in now]
            if still != told:
                cursor.execute(_STILL, (still, book, place))
            if set(now) <= set(still):
                return False
            given = {"book": book, "place": place, "between": BETWEEN, "sending_for": SENDING_FOR}
            cursor.execute(_BEGIN, given)
            return cursor.rowcount == 1

    def _send(self, found: Sequence[Concern]) -> None:
        book = self._wiring.book
        number = "1 thing needs" if len(found) == 1 else f"{len(found):,} things need"
        lines = [
            f"On book {book} of the claims ledger:",
            "",
            *(f"- {one.said}" for one in found),
            "",
            f"All: coverledger doctor --book {book}",
            "This is mailed once an hour at most (COVERLEDGER_OPERATOR_MAIL).",
            "",
        ]
        self._server.send(new_mail(f"{book}: {number} a person", "\n".join(lines)))
        self._sent_at = self._now()

    def _note(self, statement: str, *first: object) -> None:
        with self._wiring.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, (*first, self._wiring.book, self._server.name))


def keep_operator_told(wiring: "App", stop: StopEvent) -> None:
    """Mail the operator what needs a person until `stop` is set."""
    url = wiring.settings.operator_mail
    if url is None:
        rest(stop)
        return
    mail = OperatorMail(wiring, MailServer.parse(url))
    tick(LOOK_SECONDS, mail.look, stop)


def _keys(found: Sequence[Concern]) -> list[str]:
    return [one.key for one in found]
