"""Who is calling: known by a token, a session or a JWT, and what that permits."""

from dataclasses import dataclass
from typing import Literal

from ledger.rights.roles import ROLES, Right

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
        """Say whether the caller has a right."""
        return right in self.rights
