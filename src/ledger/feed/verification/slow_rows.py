"""A portion's rows read one by one, where the fast way found that something differs."""

from ledger.feed.verification.fast_rows import CheckedRows
from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.portions import Portion
from ledger.feed.verification.row_check import check_row
from ledger.feed.verification.rows import rows_between
from ledger.store.pool import Connection

_SEALED_AT = """
select (extract(epoch from sealed_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint
from ledger.log where book = %s and position = %s
"""


def check_slowly(connection: Connection, book: str, portion: Portion) -> CheckedRows:
    """Check each row of a portion, up to the first that is not what it must be."""
    leaf_hashes: list[bytes] = []
    begun, sealed_at = 0, 0
    try:
        for position, row in rows_between(connection, book, portion.first, portion.end):
            if position != portion.first + len(leaf_hashes):
                twice = NotVerified(position, f"ledger.log, position {position}", "it stands there twice")
                return CheckedRows(leaf_hashes, begun, sealed_at, twice)
            leaf_hashes.append(check_row(book, position, row))
            begun += row is not None and row.version == 1
    except NotVerified as fault:
        return CheckedRows(leaf_hashes, begun, sealed_at, fault)
    with connection.cursor() as cursor:
        cursor.execute(_SEALED_AT, (book, portion.end - 1))
        [(sealed_at,)] = cursor.fetchall()
    return CheckedRows(leaf_hashes, begun, sealed_at)
