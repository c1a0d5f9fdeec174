"""Signing secrets of webhooks: sealed under a key of the book, bound to their place, opened only to sign."""

from datetime import datetime
from typing import Final

from ledger.store.book_keys import BookKeys
from ledger.store.canonical import canonical_json
from ledger.store.personal import seal, unseal
from ledger.store.pool import Connection

_NUMBER: Final = """
select coalesce(max(number), 0) + 1 from ledger.subscription_secrets where book = %s and subscription = %s
"""
_ADD: Final = """
insert into ledger.subscription_secrets (book, subscription, number, box) values (%s, %s, %s, %s)
"""
_EXPIRE: Final = """
update ledger.subscription_secrets set expires_at = %s
where book = %s and subscription = %s and (expires_at is null or expires_at > %s)
"""
_READ: Final = """
select number, box from ledger.subscription_secrets
where book = %s and subscription = %s and (expires_at is null or expires_at > %s)
order by number desc
"""
_SWEEP: Final = (
    "delete from ledger.subscription_secrets where book = %s and subscription = %s and expires_at <= %s"
)


class WebhookSecrets:
    """The secrets of the webhooks of all books."""

    def __init__(self, keys: BookKeys) -> None:
        """`keys`: those of the books. Rotating the master keys that wrap them leaves secrets as they are."""
        self._keys = keys

    def add(self, connection: Connection, book: str, subscription: str, secret: str) -> None:
        """Seal a further secret, which signs from now on."""
        key = self._keys.key(connection, book, "subscriptions")
        with connection.cursor() as cursor:
            cursor.execute(_NUMBER, (book, subscription))
            [(number,)] = cursor.fetchall()
            box = seal(key, secret, _place(book, subscription, number))
            cursor.execute(_ADD, (book, subscription, number, box))

    @staticmethod
    def expire(
        connection: Connection, book: str, subscription: str, *, now: datetime, expires_at: datetime
    ) -> None:
        """Let all secrets there are sign until `expires_at` at the longest; forget those that are over."""
        with connection.cursor() as cursor:
            cursor.execute(_SWEEP, (book, subscription, now))
            cursor.execute(_EXPIRE, (expires_at, book, subscription, expires_at))

    def in_force(self, connection: Connection, book: str, subscription: str, now: datetime) -> list[str]:
        """Open the secrets that sign now, the newest first. Raises MasterKeyMissing, InvalidTag."""
        with connection.cursor() as cursor:
            cursor.execute(_READ, (book, subscription, now))
            rows = cursor.fetchall()
        if not rows:
            return []
        key = self._keys.key(connection, book, "subscriptions")
        return [unseal(key, box, _place(book, subscription, number)) for number, box in rows]


def _place(book: str, subscription: str, number: int) -> bytes:
    return canonical_json({"book": book, "number": number, "subscription": subscription})
