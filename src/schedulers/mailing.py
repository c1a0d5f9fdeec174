"""Mail to one address: `smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS` (smtps: TLS at once)."""

import smtplib
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self
from urllib.parse import parse_qs, urlsplit

from ledger.outgoing_mail import NotSent, connected


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
        """Send a message, whose From and To are set here. Raises NotMailed."""
        message["From"], message["To"] = self.sender, self.receiver
        try:
            with connected(self.url) as smtp:
                smtp.send_message(message)
        except NotSent as error:
            raise NotMailed(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            reason = f"the mail to {self.receiver} was not taken ({' '.join(str(error).split())})"
            raise NotMailed(reason) from error
        return f"mailed to {self.receiver}"
