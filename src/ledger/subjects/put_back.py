"""Erasures that a restore half undid: an older vault brings keys back, older data has forgotten them."""

import json
from collections.abc import Sequence
from typing import Final

from ledger.store.pool import Connection
from ledger.subjects.held_streams import ERASED_TYPES, held_streams
from ledger.subjects.vault_entries import vault_entries

_TOLD: Final = "select payload from ledger.events where book = %s and type = any(%s)"


def came_back(connection: Connection, book: str) -> Sequence[str]:
    """Name the persons who were erased, as the ledger says, and whose key the vault holds all the same."""
    told = _told(connection, book)
    return [
        entry.person
        for entry in vault_entries(connection, book)
        if entry.erased_at is None and entry.person in told
    ]


def untold(connection: Connection, book: str) -> Sequence[str]:
    """Name the persons who were erased, as the vault says, and of whom no stream that holds them says so."""
    told = _told(connection, book)
    return [
        entry.person
        for entry in vault_entries(connection, book, erased=True)
        if entry.person not in told and held_streams(connection, book, entry.person)
    ]


def _told(connection: Connection, book: str) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, (book, ERASED_TYPES))
        return frozenset(json.loads(bytes(payload))["person"] for (payload,) in cursor)
