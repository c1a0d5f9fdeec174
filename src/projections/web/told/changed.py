"""What an event changed in the state, in rows for people: amounts as amounts, dates as dates."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from projections.web.words.speaking import Words

CENTS: Final = "_cents"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Changed(NamedTuple):
    """One path of the state, before and after; empty where there was nothing."""

    path: str
    before: str
    after: str


def changed_by(changes: Mapping[str, Sequence[object]], words: Words) -> Sequence[Changed]:
    """Tell changes. That a figure begins at nothing need not be read."""
    rows = []
    for path, (before, after) in changes.items():
        if before is None and not after:
            continue
        rows.append(Changed(path.removesuffix(CENTS), _said(path, before, words), _said(path, after, words)))
    return rows


def _said(path: str, value: object, words: Words) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if path.endswith(CENTS) and isinstance(value, int):
        return words.amount(value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        return words.day(value)
    return str(value)
