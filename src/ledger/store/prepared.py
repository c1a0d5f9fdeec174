"""Statements that a connection keeps prepared: parsed and planned once, where no pooler stands between."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2s
from typing import Any, Final, NamedTuple

from psycopg2.errors import InvalidSqlStatementName

from ledger.store.pool import Connection

MOST_SHAPES: Final = 256
"""Texts of which name and numbered form are kept; a text more costs time and nothing else."""

_KNOWN: Final = "select name from pg_prepared_statements"


class _Prepared(NamedTuple):
    name: str
    prepare: str
    execute: str


def execute_prepared(
    cursor: Any,  # noqa: ANN401  # psycopg2's, of any row
    query: str,
    parameters: Sequence[object] | Mapping[str, object],
    prepares: Mapping[str, str],
) -> None:
    """Run a query made of `execute`s; those that the connection does not know yet are prepared before.

    `prepares`: name → its `prepare`. The connection must lead to the server itself, and be in no transaction.
    Raises what the driver raises.
    """
    try:
        cursor.execute(query, parameters)
    except InvalidSqlStatementName:
        # One of them is new to this connection, so that nothing was done.
        cursor.execute(_KNOWN)
        known = {name for (name,) in cursor.fetchall()}
        cursor.execute(";".join(prepare for name, prepare in prepares.items() if name not in known))
        cursor.execute(query, parameters)


def run_prepared(connection: Connection, texts: Sequence[str], parameters: Sequence[object]) -> None:
    """Run statements as one simple query, so as one transaction, each as the connection keeps it prepared.

    `texts`: with `%s` for each parameter and no other percent sign; `parameters`: theirs, in order. For the
    rest as `execute_prepared`.
    """
    statements = [_prepared(text) for text in texts]
    query = ";".join(statement.execute for statement in statements)
    with connection.cursor() as cursor:
        execute_prepared(cursor, query, parameters, {one.name: one.prepare for one in statements})


@lru_cache(MOST_SHAPES)
def _prepared(text: str) -> _Prepared:
    first, *rest = text.split("%s")
    numbered = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
    name = f"ledger_{blake2s(text.encode(), digest_size=8).hexdigest()}"
    given = f"({','.join(['%s'] * len(rest))})" if rest else ""
    return _Prepared(name, f"prepare {name} as {numbered}", f"execute {name}{given}")
