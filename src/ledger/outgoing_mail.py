"""Mail that leaves the house: by `smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS`, or smtps, or to a folder."""

import os
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

TIMEOUT_SECONDS: Final = 30
NOBODY: Final = "ledger@localhost"
"""Sender of mail that is written into a folder, where no other is set."""


class NotSent(Exception):
    """The mail was not taken; says why, and names nobody."""


Send = Callable[[EmailMessage, str], None]
"""Sends a message; `reference` names it for good, so that one sent twice is known for the same."""


def mail_by(url: str) -> Send:
    """Give what sends through the server of a setting. Credentials go over TLS alone."""
    sender = parse_qs(urlsplit(url).query)["from"][0]

    def send(message: EmailMessage, reference: str) -> None:
        """Send it. Raises NotSent."""
        message["From"], message["Message-ID"] = sender, f"<{reference}@{sender.rpartition('@')[2]}>"
        try:
            with connected(url) as smtp:
                smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            reason = "the server takes no mail for the address on file"
            raise NotSent(reason) from error
        except (OSError, smtplib.SMTPException) as error:
            reason = f"the mail server did not take it ({type(error).__name__})"
            raise NotSent(reason) from error

    return send


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder that mail is written into, one file a message, closed to others."""

    folder: Path

    def __call__(self, message: EmailMessage, reference: str) -> None:
        """Write it. Raises NotSent."""
        message["From"] = NOBODY
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / f"{reference}.eml"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(message.as_bytes(policy=SMTP))
        except OSError as error:
            reason = f"the folder for mail cannot be written ({error.strerror})"
            raise NotSent(reason) from error


def connected(url: str) -> smtplib.SMTP:
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
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        smtp.ehlo()
        offers_tls = smtp.has_extn("starttls")
        if offers_tls:
            smtp.starttls(context=context)
    except BaseException:
        smtp.close()
        raise
    if server.username and not offers_tls:
        smtp.close()
        reason = f"{host} offers no TLS, and a password goes over nothing else"
        raise NotSent(reason)
    return smtp
