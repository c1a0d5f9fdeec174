"""Statements that a connection keeps prepared: parsed and planned once, where no pooler stands between."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2s
from typing import Final, NamedTuple

from psycopg2.errors import InvalidSqlStatementName

from ledger.store.pool import Connection

MOST_SHAPES: Final = 256
"""Texts of which name and numbered form are kept; a text more costs time and nothing else."""

_KNOWN: Final = "select name from pg_prepared_statements"


class _Prepared(NamedTuple):
    name: str
    prepare: str
    execute: str


def run_prepared(connection: Connection, texts: Sequence[str], parameters: Sequence[object]) -> None:
    """Run statements as one simple query, so as one transaction, each as the connection keeps it prepared.

    `texts`: with `%s` for each parameter and no other percent sign, `parameters`: theirs in order. The
    connection must lead to the server itself, and be in no transaction. Raises what the driver raises.
    """
    statements = [_prepared(text) for text in texts]
    query = ";".join(statement.execute for statement in statements)
    with connection.cursor() as cursor:
        try:
            cursor.execute(query, parameters)
        except InvalidSqlStatementName:
            # One of them is new to this connection, so that nothing was done.
            cursor.execute(_KNOWN)
            known = {name for (name,) in cursor.fetchall()}
            fresh = {one.name: one.prepare for one in statements if one.name not in known}
            cursor.execute(";".join(fresh.values()))
            cursor.execute(query, parameters)


@lru_cache(MOST_SHAPES)
def _prepared(text: str) -> _Prepared:
    first, *rest = text.split("%s")
    numbered = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
    name = f"ledger_{blake2s(text.encode(), digest_size=8).hexdigest()}"
    given = f"({','.join(['%s'] * len(rest))})" if rest else ""
    return _Prepared(name, f"prepare {name} as {numbered}", f"execute {name}{given}")
