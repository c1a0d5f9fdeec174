"""Roles and their rights as data, who is calling with which of them, and why a caller is not let in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Right = Literal[
    "read",
    "names",
    "command",
    "backdate",
    "feed",
    "proofs",
    "calendar",
    "metrics",
    "administer",
]

RIGHTS: Final[Mapping[Right, str]] = {
    "read": "see contracts, claims, complaints, limits, due dates and histories; persons as their ids",
    "names": "open personal values, for a reason that is written down",
    "command": "send commands",
    "backdate": "send commands whose instant lies in the past",
    "feed": "read the feed of events, without personal data, and its schemas",
    "proofs": "read the log's tiles",
    "calendar": "subscribe to the calendar of due dates",
    "metrics": "scrape the metrics",
    "administer": "manage tokens and subscriptions",
}
"""Each right, and what it permits."""

OPEN: Final = "open"
"""Said of a route that anybody may call."""

ROLES: Final[Mapping[str, frozenset[Right]]] = {
    "auditor": frozenset({"read", "names", "feed", "proofs", "calendar", "metrics"}),
    "back_office": frozenset({"read", "names", "command", "feed", "calendar"}),
    "subscriber": frozenset({"feed"}),
    "importer": frozenset({"read", "command", "backdate"}),
    "monitor": frozenset({"metrics"}),
    "calendar": frozenset({"calendar"}),
    "admin": frozenset(RIGHTS),
}
"""Role → its rights. An auditor reads all and writes nothing; a subscriber never sees a name."""


Credential = Literal["bearer", "session", "calendar", "jwt"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose credential was checked."""

    actor: str
    """Opaque id that commands and the access log name; never a person's name."""
    role: str
    credential: Credential
    token_id: str | None = None
    """Of the token or session; None for a JWT."""

    @property
    def rights(self) -> frozenset[Right]:
        """What the caller's role permits."""
        return ROLES[self.role]

    @property
    def sender(self) -> str:
        """Whose command ids are one another's: the same id sent by two actors is two commands."""
        return f"http:{self.actor}"

    def may(self, right: Right) -> bool:
        """Return whether the caller has a right."""
        return right in self.rights


class NotAdmitted(Exception):
    """The credential is none of ours, or not any more. The message says which, and never what it was."""


class RoleMissing(NotAdmitted):
    """Whoever it is, nobody gave them a role of the ledger."""


class RoleUnknown(Exception):
    """A role that does not exist was asked for."""
