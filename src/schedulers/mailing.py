"""Mail to one address: `smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS` (smtps: TLS at once)."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self
from urllib.parse import parse_qs, urlsplit

from ledger.mail import NotSent, address_in_settings, complete, post


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
