"""Mail: `smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS` (smtps: TLS at once)."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

TIMEOUT_SECONDS: Final = 30


class NotMailed(Exception):
    """The server did not take the mail; the message says why, without any password."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """One address, and the server that takes mail for it."""

    server: SplitResult
    sender: str
    receiver: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the setting, which `Settings` has checked already."""
        server = urlsplit(url)
        asked = parse_qs(server.query)
        return cls(server, asked["from"][0], asked["to"][0])

    @property
    def name(self) -> str:
        """The address; never the password."""
        return f"mailto:{self.receiver}"

    def send(self, message: EmailMessage) -> str:
        """Send a message, whose From and To are set here. Credentials go over TLS alone. Raises NotMailed."""
        message["From"], message["To"] = self.sender, self.receiver
        try:
            with self._connected() as smtp:
                if self.server.username:
                    smtp.login(unquote(self.server.username), unquote(self.server.password or ""))
                smtp.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            reason = f"the mail to {self.receiver} was not taken ({' '.join(str(error).split())})"
            raise NotMailed(reason) from error
        return f"mailed to {self.receiver}"

    def _connected(self) -> smtplib.SMTP:
        host, port = self.server.hostname or "", self.server.port or 0
        context = ssl.create_default_context()
        if self.server.scheme == "smtps":
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
        if self.server.username and not offers_tls:
            smtp.close()
            message = f"{host} offers no TLS, and a password goes over nothing else"
            raise NotMailed(message)
        return smtp
