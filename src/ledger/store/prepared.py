"""Statements that a connection keeps prepared: parsed and planned once, where no pooler stands between."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2s
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from psycopg2.errors import InvalidSqlStatementName

from ledger.store.pool import Connection

MOST_SHAPES: Final = 256
"""Texts of which name and numbered form are kept; a text more costs time and nothing else."""

_known: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
"""Names of what each connection keeps prepared."""

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
    known = _known.setdefault(cursor.connection, set())
    if not prepares.keys() <= known:
        # Asked first, not found out by an error: the server would write that into its log.
        _prepare(cursor, prepares, known)
    try:
        cursor.execute(query, parameters)
    except InvalidSqlStatementName:
        # Somebody took them away (`discard all`), so that nothing was done.
        _prepare(cursor, prepares, known)
        cursor.execute(query, parameters)


def _prepare(cursor: Any, prepares: Mapping[str, str], known: set[str]) -> None:  # noqa: ANN401  # as above
    """Prepare what the connection lacks; `known` is what it has then."""
    cursor.execute(_KNOWN)
    known.clear()
    known.update(name for (name,) in cursor.fetchall())
    lacking = [prepare for name, prepare in prepares.items() if name not in known]
    if lacking:
        cursor.execute(";".join(lacking))
        known.update(prepares)


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
