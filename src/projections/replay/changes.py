"""What differs between two states, path by path."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

Changes = dict[str, list[Json]]
"""Dotted path → [before, after]; what is not there yet, or no longer, stands as null."""


def changes(before: Json, after: Json) -> Changes:
    """Compare two states as JSON. Paths are in alphabetical order, list items by their number from 0."""
    was, is_now = dict(_leaves(before, "")), dict(_leaves(after, ""))
    differing = (path for path in sorted(was.keys() | is_now.keys()) if was.get(path) != is_now.get(path))
    return {path: [was.get(path), is_now.get(path)] for path in differing}


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Walk down to what has nothing below it; an empty list or object is such a leaf, read as null."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}" if path else str(index))
    else:
        yield path, value
