"""Persons on a page: by their ids and shut, erased, or opened for a reason."""

from collections.abc import Iterable, Mapping, Sequence

from ledger.store.pool import Connection
from ledger.store.vault import ERASED
from projections.replay.payloads import SEALED
from projections.replay.queries import erased_among

Person = Mapping[str, object]


def shut_persons(connection: Connection, book: str, persons: Iterable[str]) -> Sequence[Person]:
    """Name persons by their ids; their values stand as `[sealed]`, of the erased as `[erased]`."""
    numbers = list(dict.fromkeys(persons))
    erased = erased_among(connection, book, numbers)
    return [
        {"person": number}
        | dict.fromkeys(("name", "email", "address"), ERASED if number in erased else SEALED)
        for number in numbers
    ]
