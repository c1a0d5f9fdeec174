"""Answers as JSON holds them: the same texts for dates and instants as the command line prints."""

from collections.abc import Mapping
from datetime import date


def plain(value: object) -> object:
    """Turn dates and instants, wherever they stand, into their ISO texts."""
    if isinstance(value, date):  # an instant is one too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
