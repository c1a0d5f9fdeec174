"""Personal values opened for reading: the access log is told first, then the values are opened."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from ledger.domain.identifiers import StreamRef
from ledger.store.errors import Unreadable
from ledger.store.personal import ERASED, place, unseal
from ledger.store.personal_reading import SealedValue, sealed_values
from ledger.store.pool import Pool
from ledger.store.subject_keys import SubjectKeys
from ledger.subjects.access_log import Access, Opened, record_access

SEALED = "[sealed]"
"""Stands for a value that was not opened."""


class Stored(NamedTuple):
    """One stored event, as far as opening it needs."""

    stream: StreamRef
    version: int
    type: str
    payload: bytes


class Opening:
    """Opens personal values of one book for somebody who may, and says so in the access log."""

    def __init__(self, pool: Pool, keys: SubjectKeys, book: str, access: Access) -> None:
        """`access`: who reads, by what, and why. Whether they may is settled before."""
        self._pool = pool
        self._keys = keys
        self._book = book
        self._access = access

    def payloads(
        self, events: Iterable[Stored], wanted: Callable[[str, str], bool] = lambda _person, _path: True
    ) -> list[dict[str, object]]:
        """Give each event's fields as they were recorded, less the salt, with the wanted values in clear.

        `wanted` is asked for each value by its person and its dotted path; what it does not want stands as
        `[sealed]`, and what was erased as `[erased]`.

        Raises:
            Unreadable: a ciphertext does not belong where it stands.

        """
        stored = list(events)
        opened = self._opened(stored, wanted)
        return [
            _filled(json.loads(event.payload), values) for event, values in zip(stored, opened, strict=True)
        ]

    def values(
        self, events: Iterable[Stored], wanted: Callable[[str, str], bool] = lambda _person, _path: True
    ) -> list[Mapping[str, str]]:
        """Give each event's wanted values by their dotted paths, `[erased]` where the key is gone.

        Raises Unreadable.
        """
        return self._opened(list(events), wanted)

    def _opened(
        self, events: Sequence[Stored], wanted: Callable[[str, str], bool]
    ) -> list[Mapping[str, str]]:
        found = [
            [value for value in sealed_values(event.payload) if wanted(value.person, value.path)]
            for event in events
        ]
        touched = {
            Opened(value.person, event.stream.name)
            for event, values in zip(events, found, strict=True)
            for value in values
        }
        with self._pool.connection() as connection:
            record_access(connection, self._book, self._access, touched)
            held = self._keys.for_reading(
                connection, self._book, {opened.person for opened in touched if opened.person is not None}
            )
        return [
            {value.path: self._value(event, value, held.get(value.person)) for value in values}
            for event, values in zip(events, found, strict=True)
        ]

    def _value(self, event: Stored, value: SealedValue, key: bytes | None) -> str:
        if key is None:
            return ERASED
        stream = event.stream.name
        try:
            return unseal(key, value.box, place(self._book, stream, event.version, event.type, value.path))
        except (InvalidTag, ValueError) as error:
            reason = f"the ciphertext of {value.path} does not belong there: run `claims-ledger verify`"
            raise Unreadable(stream, event.version, reason) from error


def _filled(fields: dict[str, object], values: Mapping[str, str]) -> dict[str, object]:
    fields.pop("salt", None)
    filled = _fill("", fields, values)
    return filled if isinstance(filled, dict) else fields


def _fill(path: str, value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        if value.keys() == {"person", "box"}:
            return values.get(path, SEALED)
        return {
            name: _fill(f"{path}.{name}" if path else name, inner, values) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_fill(f"{path}.{number}", inner, values) for number, inner in enumerate(value)]
    return value
