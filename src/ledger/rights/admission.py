"""Lets callers in by what they show: a bearer token, a session, a calendar address, or a JWT."""

from collections.abc import Callable, Collection
from time import monotonic
from typing import Final

from ledger.rights.caller import Caller
from ledger.rights.oidc import JwtReader
from ledger.rights.tokens import Kind, Tokens

REMEMBERED_SECONDS: Final = 1.0
"""How long a token found in force is believed without looking again: the most that a revoked one works on."""

REMEMBERED_TOKENS: Final = 10_000


class Admission:
    """Knows callers by their credentials. Threads may share it."""

    def __init__(
        self, tokens: Tokens, jwt_reader: JwtReader | None = None, *, now: Callable[[], float] = monotonic
    ) -> None:
        """`jwt_reader`: None where no issuer is configured. `now`: seconds of a steady clock, in tests."""
        self.tokens = tokens
        self._jwt_reader = jwt_reader
        self._now = now
        self._remembered: dict[tuple[Kind, str], tuple[float, Caller]] = {}

    def remembered(self, shown: str, kind: Kind) -> Caller | None:
        """Give the caller whose token was found in force a moment ago; asks no database."""
        until, caller = self._remembered.get((kind, shown), (0.0, None))
        return caller if self._now() < until else None

    def caller(self, shown: str, kind: Kind) -> Caller:
        """Give the caller who shows this token. Raises NotAdmitted, and the store's Unreachable."""
        return self.remembered(shown, kind) or self._looked_up(shown, kind)

    def bearer(self, shown: str) -> Caller:
        """Give the caller who shows this bearer token or JWT. Raises as `caller` does."""
        if self._jwt_reader is not None and shown.count(".") == 2:  # noqa: PLR2004  # header.claims.signature
            return self._jwt_reader.caller(shown)
        return self.caller(shown, "bearer")

    def _looked_up(self, shown: str, kind: Kind) -> Caller:
        caller = self.tokens.find(shown, _only(kind)).caller
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered.clear()
        self._remembered[kind, shown] = (self._now() + REMEMBERED_SECONDS, caller)
        return caller

    def forget(self, shown: str, kind: Kind) -> None:
        """Look a token up again at the next call: it was just taken back."""
        self._remembered.pop((kind, shown), None)


def _only(kind: Kind) -> Collection[Kind]:
    return {kind}
