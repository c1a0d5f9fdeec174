"""A portion's rows read one by one, where the fast way found that something differs."""

from ledger.feed.verification.fast_rows import CheckedRows
from ledger.feed.verification.fault import CutOut, NotVerified
from ledger.feed.verification.portions import Portion
from ledger.feed.verification.row_check import check_row
from ledger.feed.verification.rows import LogRow, rows_between
from ledger.store.pool import Connection

_SEALED_AT = """
select (extract(epoch from sealed_at - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint
from ledger.log where book = %s and position = %s
"""


# The event before one in its stream stands nowhere: the newest place before which it cannot have stood.
_CUT_FROM = """
select coalesce(max(l.position) + 1, 0) from ledger.log l
where l.book = %(book)s and l.stream_id = %(stream_id)s and l.version < %(version)s
    and l.position < %(position)s
having not exists (
    select from ledger.events e
    where e.book = %(book)s and e.stream_id = %(stream_id)s and e.version = %(version)s - 1
)
"""


def check_slowly(connection: Connection, book: str, portion: Portion) -> CheckedRows:
    """Check each row of a portion, up to the first that is not what it must be."""
    leaf_hashes: list[bytes] = []
    begun, sealed_at = 0, 0
    row: LogRow | None = None
    try:
        for position, row in rows_between(connection, book, portion.first, portion.end):
            if position != portion.first + len(leaf_hashes):
                twice = NotVerified(position, f"ledger.log, position {position}", "it stands there twice")
                return CheckedRows(leaf_hashes, begun, sealed_at, twice)
            leaf_hashes.append(check_row(book, position, row))
            begun += row is not None and row.version == 1
    except NotVerified as fault:
        cut = None if row is None else _cut_out(connection, book, row, fault)
        return CheckedRows(leaf_hashes, begun, sealed_at, cut or fault)
    with connection.cursor() as cursor:
        cursor.execute(_SEALED_AT, (book, portion.end - 1))
        [(sealed_at,)] = cursor.fetchall()
    return CheckedRows(leaf_hashes, begun, sealed_at)


def _cut_out(connection: Connection, book: str, row: LogRow, fault: NotVerified) -> CutOut | None:
    """Say from where on an event may have been cut out, where that is what is wrong with a row."""
    if row.version == 1 or row.before is not None or row.event is None or fault.position != row.position:
        return None
    place = {"book": book, "stream_id": row.stream_id, "version": row.version, "position": row.position}
    with connection.cursor() as cursor:
        cursor.execute(_CUT_FROM, place)
        found = cursor.fetchone()
    if found is None:
        return None
    reason = f"{fault.reason}: it was cut out, at {found[0]} or between there and {row.position}"
    return CutOut(int(found[0]), fault.row, reason)
