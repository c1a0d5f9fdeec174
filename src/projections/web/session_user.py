"""Who looks at the site: somebody signed in, with a role, or a stranger."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from ledger.auth.roles import Caller, Right
from projections.web.i18n.codes import N_

ROLE_NAMES: Mapping[str, str] = {
    "auditor": N_("auditor"),
    "back_office": N_("back office"),
    "subscriber": N_("subscriber"),
    "importer": N_("importer"),
    "monitor": N_("monitor"),
    "calendar": N_("calendar"),
    "admin": N_("administrator"),
}

STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asked for a page."""

    caller: Caller | None
    session: str | None = None
    """The secret of the browser's session: nobody else's page can know what is made of it."""

    @property
    def is_known(self) -> bool:
        """Whether they are signed in."""
        return self.caller is not None

    @property
    def actor(self) -> str:
        """Opaque id that commands and the access log name."""
        return STRANGER if self.caller is None else self.caller.actor

    @property
    def sender(self) -> str:
        """Whose command ids theirs are."""
        return STRANGER if self.caller is None else self.caller.sender

    @property
    def role_name(self) -> str:
        """What the role is called, in English."""
        return "" if self.caller is None else ROLE_NAMES[self.caller.role]

    def may(self, right: Right) -> bool:
        """Return whether they have a right."""
        return self.caller is not None and self.caller.may(right)

    @property
    def may_command(self) -> bool:
        """Whether forms are shown to them."""
        return self.may("command")

    @property
    def may_open_names(self) -> bool:
        """Whether they may open personal values, for a reason."""
        return self.may("names")

    @property
    def may_administer(self) -> bool:
        """Whether subscriptions are theirs to change."""
        return self.may("administer")

    @property
    def csrf(self) -> str:
        """What every form of this session carries: made of the session's secret, and not the secret."""
        return hmac.digest((self.session or STRANGER).encode(), b"forms of the site", "sha256").hex()[:40]

    def sent_by_our_form(self, carried: str) -> bool:
        """Return whether a form carries what ours do."""
        return self.session is not None and hmac.compare_digest(self.csrf.encode(), carried.encode())
