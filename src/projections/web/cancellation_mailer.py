"""The link that confirms, sent to the address on file."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from secrets import token_urlsafe
from threading import Event as StopEvent
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from ledger.attempts import Attempts, ItemFailed
from ledger.clock import present
from ledger.domain.contract.events import ContractStarted, PersonCorrected
from ledger.domain.identifiers import contract_ref
from ledger.mail import (
    MailFolder,
    MailServerAway,
    NotAnAddress,
    NotSent,
    Send,
    address_on_file,
    answers,
    mail_by,
    new_mail,
)
from ledger.privacy.access import Access, Opened, record_access
from ledger.store.vault import ERASED, open_personal
from ledger.supervision import rest
from projections.cancellation_requests import (
    WORKER,
    CancellationRequest,
    add_code,
    code_sha256,
    due_to_mail,
    forget_unknown,
    mailed_lately,
    note_mailed,
    note_not_mailed,
    take_to_mail,
)
from projections.web.i18n.codes import N_
from projections.web.i18n.language import Language, words

if TYPE_CHECKING:
    from ledger.app import App

LOOK_SECONDS: Final = 1.0
FORGET_EVERY: Final = 3600
"""Looks between two clearings of what was typed for no contract."""
AWAY_SECONDS: Final = 10.0
"""Between two looks whether the mail server is back."""
CODE_BYTES: Final = 24
ACCESS: Final = Access("site", "cancellation form", "address for the link that confirms")

NO_CONTRACT: Final = N_("no such contract")
NO_ADDRESS: Final = N_("no e-mail address on file: the desk confirms")
SENT_LATELY: Final = N_("a link was sent within a day already")
GIVEN_UP: Final = N_("given up: the desk confirms")
NOT_WRITTEN: Final = N_("the folder for mail cannot be written")
FAILED: Final = frozenset(
    {
        N_("what is on file is not one e-mail address: correct the policyholder"),
        N_("the server takes no mail for the address on file"),
        N_("the mail server takes no address with letters outside ASCII"),
        N_("the mail server did not take it"),
        NOT_WRITTEN,
    }
)
"""What `ledger.mail` says of a mail that did not go."""

SUBJECT: Final = N_("Confirm the cancellation of your Cyber Care contract %(contract)s")
TEXT: Final = N_(
    "We received a form on %(day)s that asks to cancel your Cyber Care contract %(contract)s.\n\n"
    "If you want that, confirm it here within 14 days; your notice then counts from %(day)s:\n\n"
    "%(link)s\n\n"
    "If you did not send the form, do nothing: your contract stays as it is."
)

_log = structlog.get_logger(__name__)


def keep_sending(wiring: "App", stop: StopEvent) -> None:
    """Send links to whoever asked to cancel, until `stop` is set."""
    origin, url = wiring.address or "http://127.0.0.1", wiring.settings.customer_mail
    if url is None:
        sending = LinkSender(wiring, MailFolder(wiring.settings.home / "mail"), origin)
    else:
        sending = LinkSender(wiring, mail_by(url), origin, partial(answers, url))
    looks = 0
    while not stop.is_set():
        sending.send_waiting()
        if looks % FORGET_EVERY == 0:
            sending.forget()
        looks += 1
        rest(stop, LOOK_SECONDS)


class LinkSender:
    """Sends the links of one book."""

    def __init__(
        self, wiring: "App", send: Send, origin: str, is_back: Callable[[], bool] = lambda: True
    ) -> None:
        """`origin`: the site's address, which links begin with.

        `is_back`: asked after `send` raised MailServerAway, before any link is tried again.
        """
        self._wiring = wiring
        self._send = send
        self._origin = origin
        self._is_back = is_back
        self._away_until: float | None = None
        self._sent = 0
        self._attempts = Attempts(wiring.pool, wiring.book, WORKER)

    def send_waiting(self) -> int:
        """Send what is due, each alone; number of links sent."""
        if self._away_until is not None:
            if monotonic() < self._away_until:
                return 0
            self._away_until = None if self._is_back() else monotonic() + AWAY_SECONDS
        with self._wiring.pool.connection() as connection:
            due = due_to_mail(connection, self._wiring.book)
        before = self._sent
        if due:
            self._attempts.each(due, self._serve, key=str)
        return self._sent - before

    def forget(self) -> None:
        """Drop what was typed for no contract."""
        now = present(self._wiring.book_row(), self._wiring.now())
        with self._wiring.pool.connection() as connection:
            forget_unknown(connection, self._wiring.book, now)

    def _serve(self, request: str) -> None:
        """Send one link, or write down why there is none. Raises ItemFailed: it could not be mailed."""
        if self._away_until is not None:
            return
        with self._wiring.pool.connection() as connection:
            taken = take_to_mail(connection, self._wiring.book, request)
        if taken is None:
            return
        try:
            not_sent = self._send_link(taken)
        except MailServerAway as away:
            # No fault of this request: none goes now, and all that wait go once the server is back.
            _log.warning("cancellation_mail_waits", reason=str(away))
            self._away_until = monotonic() + AWAY_SECONDS
            self._note(request, str(away), timedelta())
        except (NotSent, NotAnAddress) as error:
            self._note(request, str(error), timedelta())
            raise ItemFailed(str(error), retry=isinstance(error, NotSent)) from error
        except OSError:
            self._note(request, NOT_WRITTEN, timedelta())
            raise
        else:
            if not_sent is not None:
                self._note(request, not_sent)

    def _send_link(self, request: CancellationRequest) -> str | None:
        """Send the link, or give the reason why there is none to send. Raises NotSent, NotAnAddress."""
        book = self._wiring.book
        if request.contract is None:
            return NO_CONTRACT
        with self._wiring.pool.connection() as connection:
            if mailed_lately(connection, book, request.contract):
                return SENT_LATELY
        language, on_file = self._on_file(request.contract)
        if on_file is None:
            return NO_ADDRESS
        address = address_on_file(on_file)
        code = token_urlsafe(CODE_BYTES)
        with self._wiring.pool.connection() as connection:
            # Before it leaves: a link that was sent confirms, whatever becomes of us.
            add_code(connection, book, request.request, code_sha256(code))
        link = f"{self._origin}/cancel/confirm?code={code}"
        self._send(_message(request, language, link), address, f"cancellation-{request.request}")
        with self._wiring.pool.connection() as connection:
            note_mailed(connection, book, request.request)
        self._sent += 1
        return None

    def _note(self, request: str, told: str, again_in: timedelta | None = None) -> None:
        with self._wiring.pool.connection() as connection:
            note_not_mailed(connection, self._wiring.book, request, told, again_in)

    def _on_file(self, contract: str) -> tuple[Language, str | None]:
        """Return the contract's language and the newest address on file, opened on the record."""
        wiring, ref = self._wiring, contract_ref(contract)
        recorded = wiring.store.load_many(wiring.book, [ref]).streams[ref].recorded
        language: Language = "en"
        versions: list[int] = []
        persons: set[str] = set()
        for one in recorded:
            match one.event:
                case ContractStarted() as started:
                    language = started.language
                    persons.add(started.policyholder.person)
                    versions.append(one.version)
                case PersonCorrected():
                    versions.append(one.version)
                case _:
                    pass
        with wiring.pool.connection() as connection:
            opened = {Opened(person, ref.name) for person in persons}
            record_access(connection, wiring.book, ACCESS, opened)
            clear = open_personal(connection, wiring.store.subject_keys, wiring.book, ref, versions)
        addresses = [
            value
            for version in versions
            for path, value in clear[version].items()
            if path.rpartition(".")[2] == "email"
        ]
        newest = addresses[-1] if addresses else None
        return language, None if newest == ERASED else newest


def _message(request: CancellationRequest, language: Language, link: str) -> EmailMessage:
    speak = words(language)
    text = speak(TEXT, contract=request.contract, day=speak.day(request.received_on), link=link)
    return new_mail(speak(SUBJECT, contract=request.contract), text + "\n")
