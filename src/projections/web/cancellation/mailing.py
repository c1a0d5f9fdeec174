"""The link that confirms, sent to the address on file (group `claims_ledger.services`)."""

from email.message import EmailMessage
from secrets import token_urlsafe
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

import structlog

from ledger.clock import present
from ledger.domain.contract.events import ContractStarted, PersonCorrected
from ledger.domain.identifiers import contract_ref
from ledger.outgoing_mail import MailFolder, NotSent, Send, mail_by
from ledger.store.personal import ERASED
from ledger.store.personal_reading import open_personal
from ledger.subjects.access_log import Access, Opened, record_access
from ledger.supervision import rest
from projections.web.cancellation.confirming import code_sha256
from projections.web.cancellation.requests import (
    CancellationRequest,
    add_code,
    forget_unknown,
    mailed_lately,
    note_mailed,
    note_not_mailed,
    take_to_mail,
)
from projections.web.words.codes import N_
from projections.web.words.speaking import Language, words

if TYPE_CHECKING:
    from ledger.wiring import Wiring

LOOK_SECONDS: Final = 1.0
FORGET_EVERY: Final = 3600
"""Looks between two clearings of what was typed for no contract."""
MOST_TRIES: Final = 8
CODE_BYTES: Final = 24
ACCESS: Final = Access("site", "cancellation form", "address for the link that confirms")

NO_CONTRACT: Final = N_("no such contract")
NO_ADDRESS: Final = N_("no e-mail address on file: the desk confirms")
SENT_LATELY: Final = N_("a link was sent within a day already")
GIVEN_UP: Final = N_("given up after several tries: the desk confirms")

SUBJECT: Final = N_("Confirm the cancellation of your Cyber Care contract %(contract)s")
TEXT: Final = N_(
    "We received a form on %(day)s that asks to cancel your Cyber Care contract %(contract)s.\n\n"
    "If you want that, confirm it here within 14 days; your notice then counts from %(day)s:\n\n"
    "%(link)s\n\n"
    "If you did not send the form, do nothing: your contract stays as it is."
)

_log = structlog.get_logger(__name__)


def keep_sending(wiring: "Wiring", stop: StopEvent) -> None:
    """Send links to whoever asked to cancel, until `stop` is set."""
    sending = Sending(wiring, _send_by(wiring), wiring.address or "http://127.0.0.1")
    looks = 0
    while not stop.is_set():
        sending.send_waiting()
        if looks % FORGET_EVERY == 0:
            sending.forget()
        looks += 1
        rest(stop, LOOK_SECONDS)


class Sending:
    """Sends the links of one book."""

    def __init__(self, wiring: "Wiring", send: Send, origin: str) -> None:
        """`origin`: the site's address, which links begin with."""
        self._wiring = wiring
        self._send = send
        self._origin = origin

    def send_waiting(self) -> int:
        """Send what is due; number of links sent."""
        sent = 0
        while (request := self._take()) is not None:
            sent += self._serve(request)
        return sent

    def forget(self) -> None:
        """Drop what was typed for no contract."""
        now = present(self._wiring.book_row(), self._wiring.now())
        with self._wiring.pool.connection() as connection:
            forget_unknown(connection, self._wiring.book, now)

    def _take(self) -> CancellationRequest | None:
        with self._wiring.pool.connection() as connection:
            return take_to_mail(connection, self._wiring.book)

    def _serve(self, request: CancellationRequest) -> bool:
        """Send one link, or write down why not."""
        book = self._wiring.book
        with self._wiring.pool.connection() as connection:
            lately = request.contract is not None and mailed_lately(connection, book, request.contract)
        if request.contract is None or lately:
            return self._not_sent(request, NO_CONTRACT if request.contract is None else SENT_LATELY)
        language, address = self._on_file(request.contract)
        if address is None:
            return self._not_sent(request, NO_ADDRESS)
        code = token_urlsafe(CODE_BYTES)
        with self._wiring.pool.connection() as connection:
            # Before it leaves: a link that was sent confirms, whatever becomes of us.
            add_code(connection, book, request.request, code_sha256(code))
        message = _message(request, language, f"{self._origin}/cancel/confirm?code={code}")
        message["To"] = address
        try:
            self._send(message, f"cancellation-{request.request}")
        except NotSent as error:
            _log.warning("cancellation_mail_not_sent", request=request.request, reason=str(error))
            again = request.mail_tries < MOST_TRIES
            return self._not_sent(request, str(error) if again else GIVEN_UP, again=again)
        with self._wiring.pool.connection() as connection:
            note_mailed(connection, book, request.request)
        return True

    def _not_sent(self, request: CancellationRequest, told: str, *, again: bool = False) -> bool:
        with self._wiring.pool.connection() as connection:
            note_not_mailed(connection, self._wiring.book, request.request, told, again=again)
        return False

    def _on_file(self, contract: str) -> tuple[Language, str | None]:
        """Give the contract's language and the newest address on file, opened on the record."""
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
    message = EmailMessage()
    message["Subject"] = speak(SUBJECT, contract=request.contract)
    message.set_content(
        speak(TEXT, contract=request.contract, day=speak.day(request.received_on), link=link) + "\n"
    )
    return message


def _send_by(wiring: "Wiring") -> Send:
    url = wiring.settings.customer_mail
    return mail_by(url) if url else MailFolder(wiring.settings.home / "mail")
