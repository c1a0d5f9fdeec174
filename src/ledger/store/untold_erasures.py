"""Persons whose key is destroyed and of whom the log does not say so: it was put back to before it did."""

from typing import Final

from ledger.store.pool import Connection

# Reads each SubjectErased of the book: nothing but a restore asks.
_UNTOLD: Final = """
select person from vault.subjects where book = %(book)s and wrapped is null
except
select convert_from(payload, 'UTF8')::json ->> 'person' from ledger.events
where book = %(book)s and type in ('contract.SubjectErased', 'claim.SubjectErased', 'complaint.SubjectErased')
order by person
"""


def untold_erasures(connection: Connection, book: str) -> list[str]:
    """Name the erased of a book whose SubjectErased the log does not hold (any more)."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, {"book": book})
        return [person for (person,) in cursor.fetchall()]
