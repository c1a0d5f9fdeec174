"""What a replay asks beside the feed."""

from collections.abc import Collection

from ledger.store.pool import Connection

ERASED = "select person from vault.subjects where book = %s and person = any(%s) and wrapped is null"


def erased_among(connection: Connection, book: str, persons: Collection[str]) -> frozenset[str]:
    """Name those of these persons whose keys were destroyed."""
    if not persons:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(ERASED, (book, list(persons)))
        return frozenset(person for (person,) in cursor)
