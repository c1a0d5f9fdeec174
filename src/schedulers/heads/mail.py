"""A mail address outside, to which each day's head goes."""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Self

from ledger.mail import new_mail
from schedulers.heads.place import DaysHead, NotSent
from schedulers.mailing import MailServer, NotMailed


@dataclass(frozen=True, slots=True)
class Mail:
    """One address."""

    server: MailServer

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read the setting, which `Settings` has checked already."""
        return cls(MailServer.parse(url))

    @property
    def name(self) -> str:
        """The address; never the password."""
        return self.server.name

    def take(self, given: DaysHead) -> str:
        """Mail the head."""
        try:
            return self.server.send(_message(given))
        except NotMailed as error:
            raise NotSent(str(error)) from error


def _message(given: DaysHead) -> EmailMessage:
    message = new_mail(
        f"{given.head.origin}: head of {given.head.size} events, {given.day}",
        "Keep this mail. The signed head attached says what the log held on this day: with it anybody "
        "can show later that nothing up to it was changed or taken away (coverledger verify DIR "
        "--since FILE).\n",
    )
    name = f"{given.head.origin.replace('/', '_')}-{given.day}.checkpoint"
    message.add_attachment(given.note.encode(), maintype="text", subtype="plain", filename=name)
    return message
