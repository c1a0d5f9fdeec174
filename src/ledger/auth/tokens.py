"""Tokens: a random secret that its bearer shows and of which the ledger keeps the hash."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex, token_urlsafe
from typing import Final, Literal

from ledger.auth.roles import ROLES, NotAdmitted, RoleUnknown
from ledger.store.pool import Pool

Kind = Literal["bearer", "session", "link", "calendar"]

PREFIXES: Final[dict[Kind, str]] = {"bearer": "clt", "session": "cls", "link": "cll", "calendar": "clc"}
"""How the tokens of each kind begin, so that one that leaked is recognised for what it is."""

SECRET_BYTES: Final = 32
ID_BYTES: Final = 6

LINK_LASTS: Final = timedelta(minutes=15)
SESSION_LASTS: Final = timedelta(hours=12)

_WRITTEN: Final = re.compile(r"(cl[tslc])_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_KINDS: Final = {prefix: kind for kind, prefix in PREFIXES.items()}

_INSERT: Final = """
insert into ledger.tokens (book, token_id, kind, role, name, secret_sha256, created_by, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp() + %s)
returning token_id, kind, role, name, created_at, created_by, expires_at, revoked_at
"""
_FIND: Final = """
select token_id, kind, role, name, created_at, created_by, expires_at, revoked_at, secret_sha256,
       revoked_at is not null, coalesce(expires_at <= clock_timestamp(), false)
from ledger.tokens where book = %s and token_id = %s
"""
_LIST: Final = """
select token_id, kind, role, name, created_at, created_by, expires_at, revoked_at
from ledger.tokens where book = %s and kind = any(%s) order by created_at, token_id
"""
_REVOKE: Final = """
update ledger.tokens set revoked_at = clock_timestamp()
where book = %s and token_id = %s and revoked_at is null
"""
_SWEEP: Final = """
delete from ledger.tokens
where book = %s and kind in ('session', 'link') and expires_at < clock_timestamp() - interval '30 days'
"""


@dataclass(frozen=True, slots=True)
class Token:
    """One credential as it is on record, without its secret. Instants are UTC."""

    token_id: str
    kind: Kind
    role: str
    name: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


class Tokens:
    """The tokens of one book."""

    def __init__(self, pool: Pool, book: str) -> None:
        """`pool` connects as the application."""
        self._pool = pool
        self._book = book

    def create(
        self, kind: Kind, *, role: str, name: str, created_by: str, lasts: timedelta | None
    ) -> tuple[Token, str]:
        """Make a token; gives it with its text, which is shown once and kept nowhere. Raises RoleUnknown.

        `lasts`: from now; None: until it is revoked.
        """
        if role not in ROLES:
            message = f"there is no role {role[:40]!r}: choose one of {', '.join(ROLES)}"
            raise RoleUnknown(message)
        token_id, secret = token_hex(ID_BYTES), token_urlsafe(SECRET_BYTES)
        row = (self._book, token_id, kind, role, name, _hash(secret), created_by, lasts)
        with self._pool.connection() as connection, connection.cursor() as cursor:
            if kind in {"session", "link"}:
                cursor.execute(_SWEEP, (self._book,))
            cursor.execute(_INSERT, row)
            [made] = cursor.fetchall()
        return _token(made), f"{PREFIXES[kind]}_{token_id}_{secret}"

    def find(self, text: str, kinds: Collection[Kind]) -> Token:
        """Return the token of this text, if it is one of these kinds and in force. Raises NotAdmitted."""
        written = _WRITTEN.fullmatch(text)
        if written is None or _KINDS[written[1]] not in kinds:
            message = "it is no token of this ledger"
            raise NotAdmitted(message)
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_FIND, (self._book, written[2]))
            found = cursor.fetchone()
        kept, revoked, expired = found[8:] if found else (b"", False, False)
        if found is None or found[1] != _KINDS[written[1]] or not compare_digest(_hash(written[3]), kept):
            message = "it is no token of this ledger"
            raise NotAdmitted(message)
        if revoked:
            message = "it was used before" if found[1] == "link" else "it was revoked"
            raise NotAdmitted(message)
        if expired:
            message = "it has expired"
            raise NotAdmitted(message)
        token = _token(found[:8])
        if token.role not in ROLES:
            message = f"its role {token.role!r} does not exist any more"
            raise NotAdmitted(message)
        return token

    def redeem(self, text: str) -> Token:
        """Use up a sign-in link, once: of two who try at the same time, one is let in. Raises NotAdmitted."""
        link = self.find(text, {"link"})
        if not self.revoke(link.token_id):
            message = "it was used before"
            raise NotAdmitted(message)
        return link

    def revoke(self, token_id: str) -> bool:
        """Take a token back; False when there is none in force under this id."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_REVOKE, (self._book, token_id))
            return cursor.rowcount == 1

    def all(self, kinds: Collection[Kind]) -> Sequence[Token]:
        """Return all tokens of these kinds, revoked and expired ones too, oldest first."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_LIST, (self._book, sorted(kinds)))
            return [_token(row) for row in cursor.fetchall()]


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _token(row: tuple[str, Kind, str, str, datetime, str, datetime | None, datetime | None]) -> Token:
    token_id, kind, role, name, created_at, created_by, expires_at, revoked_at = row
    return Token(
        token_id,
        kind,
        role,
        name,
        created_at.astimezone(UTC),
        created_by,
        _utc(expires_at),
        _utc(revoked_at),
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
