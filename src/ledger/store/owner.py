"""Acting as the owner of the ledger's schemas, for work on a whole database: backup, restore, rotation."""

from typing import Final

from psycopg2 import sql
from psycopg2.errors import InsufficientPrivilege

from ledger.store.errors import NotTheOperator
from ledger.store.pool import Connection

_OWNER: Final = "select nspowner::regrole::text from pg_namespace where nspname = 'ledger'"


def act_as_owner(connection: Connection) -> str:
    """Act as the owner of the ledger's schemas until the transaction ends; the role's name, quoted.

    Raises NotTheOperator.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OWNER)
        [(owner,)] = cursor.fetchall()
        try:
            cursor.execute(sql.SQL("set local role ") + sql.SQL(owner))  # regrole is quoted by the database
        except InsufficientPrivilege as error:
            raise NotTheOperator from error
    return str(owner)
