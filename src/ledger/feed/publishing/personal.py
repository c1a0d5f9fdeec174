"""Personal fields left out of what others are told: not even their ciphertext goes out."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ledger.domain.event import Sealed, personal_fields
from ledger.domain.registry import EVENT_TYPES
from ledger.store.vault import at_path

_SEALED: Final = frozenset(Sealed.model_fields)


def without_personal(type_name: str, fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out every personal field of an event of this type, and whatever is sealed, wherever it stands.

    The second holds for older schema versions too, whose personal fields may have had other names. A field
    is left out whether it was filled or not. Raises KeyError for a type that does not exist.
    """
    kept = _without_sealed(fields)
    for path in personal_paths(type_name):
        found = at_path(kept, path)
        if found is not None:
            holder, name = found
            del holder[name]
    return kept


@lru_cache(maxsize=256)
def personal_paths(type_name: str) -> tuple[tuple[str, ...], ...]:
    """Give the paths of an event type's personal fields: `("policyholder", "name")`."""
    return tuple(tuple(path.split(".")) for path in personal_fields(EVENT_TYPES[type_name]))


def _without_sealed(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _without_sealed(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if not (isinstance(value, dict) and value.keys() == _SEALED)
    }
