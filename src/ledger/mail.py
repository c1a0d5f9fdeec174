"""Mail that leaves the house: by `smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS`, or smtps, or to a folder."""

import os
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from ledger.clock import machine_now
from ledger.domain.identifiers import email_address

TIMEOUT_SECONDS: Final = 30
NOT_TAKEN: Final = "the mail server did not take it"
NOT_TAKEN_FOR_ADDRESS: Final = "the server takes no mail for the address on file"
NO_INTERNATIONAL_ADDRESS: Final = "the mail server takes no address with letters outside ASCII"
NO_ADDRESS: Final = "what is on file is not one e-mail address: correct the policyholder"
NOBODY: Final = Address(username="ledger", domain="localhost")
"""Sender of mail that is written into a folder, where no other is set."""


class NotSent(Exception):
    """The mail was not taken; says why, and names nobody."""


class MailServerAway(NotSent):
    """The server takes no mail at all just now; that lies with no mail."""


class NotAnAddress(Exception):
    """What is on file is not one e-mail address; says so, and names nobody."""

    def __init__(self) -> None:
        super().__init__(NO_ADDRESS)


Send = Callable[[EmailMessage, Address, str], None]
"""Sends a message to one address; its reference names it for good: one sent twice is known for the same."""


def address_on_file(text: str) -> Address:
    """Read an address that was recorded, perhaps before addresses were looked at. Raises NotAnAddress."""
    try:
        username, domain = email_address(text)
    except ValueError:
        raise NotAnAddress from None
    return Address(username=username, domain=domain)


def address_in_settings(text: str) -> Address:
    """Read an address of the settings, which `Settings` has checked already."""
    username, _, domain = text.rpartition("@")
    return Address(username=username, domain=domain)


def new_mail(subject: str, text: str) -> EmailMessage:
    """Begin a mail. In its subject, whatever parts lines is a blank: nothing in it begins another header."""
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message.set_content(text)
    return message


def complete(message: EmailMessage, sender: Address, receiver: Address, reference: str | None = None) -> None:
    """Complete a mail with what RFC 5322 asks: From, To, Date and Message-ID, each of them once.

    `reference` stands in the Message-ID; None: a new one.
    """
    for name in ("From", "To", "Date", "Message-ID"):
        del message[name]
    message["From"], message["To"] = sender, receiver
    message["Date"] = format_datetime(machine_now())
    message["Message-ID"] = (
        make_msgid(domain=sender.domain) if reference is None else f"<{reference}@{sender.domain}>"
    )


def answers(url: str) -> bool:
    """Whether the server of a setting can be reached, and lets us in."""
    try:
        smtp = _connected(url)
    except (OSError, smtplib.SMTPException, MailServerAway):
        return False
    smtp.close()
    return True


def mail_by(url: str) -> Send:
    """Return what sends through the server of a setting. Credentials go over TLS alone."""
    sender = address_in_settings(parse_qs(urlsplit(url).query)["from"][0])

    def send(message: EmailMessage, receiver: Address, reference: str) -> None:
        """Send it. Raises NotSent."""
        complete(message, sender, receiver, reference)
        post(url, message)

    return send


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder that mail is written into, one file a message, closed to others."""

    folder: Path

    def __call__(self, message: EmailMessage, receiver: Address, reference: str) -> None:
        """Write it. Raises OSError."""
        complete(message, NOBODY, receiver, reference)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{reference}.eml"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            # An address outside ASCII stands as it is (RFC 6532): encoded, it would be another.
            file.write(message.as_bytes(policy=SMTP if receiver.addr_spec.isascii() else SMTPUTF8))


def post(url: str, message: EmailMessage) -> None:
    """Send a message that is complete through the server of a setting. Raises NotSent."""
    try:
        smtp = _connected(url)
    except (OSError, smtplib.SMTPException) as error:
        reason = f"the mail server cannot be reached, or lets nobody in ({type(error).__name__})"
        raise MailServerAway(reason) from error
    try:
        smtp.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise NotSent(NOT_TAKEN_FOR_ADDRESS) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotSent(NO_INTERNATIONAL_ADDRESS) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(NOT_TAKEN) from error
    else:
        # The mail is taken: however the server says good-bye, it is not sent again.
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
    finally:
        smtp.close()


def _connected(url: str) -> smtplib.SMTP:
    """Reach the server of a setting, signed in where it names a user; a password goes over TLS alone.

    Raises NotSent, OSError, smtplib.SMTPException.
    """
    smtp = _reached(url)
    server = urlsplit(url)
    if server.username:
        try:
            smtp.login(unquote(server.username), unquote(server.password or ""))
        except BaseException:
            smtp.close()
            raise
    return smtp


def _reached(url: str) -> smtplib.SMTP:
    server = urlsplit(url)
    host, port = server.hostname or "", server.port or 0
    context = ssl.create_default_context()
    over_tls = server.scheme == "smtps"
    smtp = (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        if over_tls
        else smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    )
    try:
        smtp.ehlo()
        if not over_tls and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
            over_tls = True
    except BaseException:
        smtp.close()
        raise
    if server.username and not over_tls:
        smtp.close()
        reason = f"{host} offers no TLS, and a password goes over nothing else"
        raise MailServerAway(reason)
    return smtp
