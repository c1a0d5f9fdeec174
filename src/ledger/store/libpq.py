"""A DSN as the environment that Postgres' own programs read: so no password stands on their command lines."""

from collections.abc import Mapping
from typing import Final

from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from ledger.endings import UsedWrongly
from ledger.store.connecting import TCP

_VARIABLES: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "channel_binding": "PGCHANNELBINDING",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}

_OF_A_CONNECTION: Final = frozenset(TCP) - set(_VARIABLES)
"""Words that have no variable, and say only how soon a peer that is gone is noticed."""


def libpq_environment(dsn: str) -> Mapping[str, str]:
    """Give the variables that lead where the DSN leads. Raises UsedWrongly for a word that has none."""
    try:
        words = parse_dsn(dsn)
    except ProgrammingError as error:
        message = f"The DSN cannot be read ({' '.join(str(error).split())}): put it right."
        raise UsedWrongly(message) from error
    unknown = sorted(set(words) - set(_VARIABLES) - _OF_A_CONNECTION)
    if unknown:
        message = (
            f"The DSN says {unknown[0]}, which Postgres' own programs take from no variable: leave it out."
        )
        raise UsedWrongly(message)
    return {_VARIABLES[word]: str(value) for word, value in words.items() if word not in _OF_A_CONNECTION}
