"""Keys of erased persons that came back: somebody put an older vault in the place of the present one."""

import json
from collections.abc import Sequence
from typing import Final

from ledger.store.pool import Connection
from ledger.subjects.held_streams import ERASED_TYPES

_TOLD: Final = "select payload from ledger.events where book = %s and type = any(%s)"

_WITH_KEY: Final = """
select person from vault.subjects where book = %s and person = any(%s) and wrapped is not null order by person
"""


def came_back(connection: Connection, book: str) -> Sequence[str]:
    """Name the persons who were erased, as the ledger says, and whose key the vault holds all the same."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, (book, ERASED_TYPES))
        erased = {json.loads(bytes(payload))["person"] for (payload,) in cursor}
        cursor.execute(_WITH_KEY, (book, sorted(erased)))
        return [person for (person,) in cursor]
