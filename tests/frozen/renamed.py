"""Names that have changed since the ledger was frozen: what it answered then, in the names of today.

They are put into the frozen answers before these are compared, so that whatever else differs still shows.
Names that are stored or sent never change (docs/upgrading.md), and none of these patterns meets them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.environment import RENAMED

ANSWER: Final = frozenset({"code", "out", "err", "status", "headers", "body"})
"""Parts of a record that say what was answered."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """One name of then, as a pattern, and that of today."""

    pattern: re.Pattern[str]
    now: str


def _renamed(pattern: str, now: str) -> Renamed:
    return Renamed(re.compile(pattern), now)


PROBLEMS: Final = {
    "AWAY": "UNAVAILABLE",
    "DEFECT": "INTERNAL_ERROR",
    "FROM_ELSEWHERE": "CROSS_SITE_REQUEST",
    "NOT_SIGNED_IN": "UNAUTHENTICATED",
    "NO_RIGHT": "FORBIDDEN",
    "BEHIND": "VIEW_LAGGING",
    "METHOD": "METHOD_NOT_ALLOWED",
    "MALFORMED": "BAD_REQUEST",
}

NAMES: Final = (
    *(
        _renamed(rf"\bCLAIMS_LEDGER_{was.upper()}\b", f"COVERLEDGER_{now.upper()}")
        for was, now in RENAMED.items()
    ),
    _renamed(r"\bCLAIMS_LEDGER_(?=[A-Z])", "COVERLEDGER_"),
    _renamed(r"(?<![\w@/.-])claims-ledger (?=[a-z])", "coverledger "),  # the program and its first word
    *(_renamed(rf"\A((?:/problems/)?){was}\Z", rf"\g<1>{now}") for was, now in PROBLEMS.items()),
)
SETTINGS: Final = tuple(_renamed(rf"\A{was}\Z", now) for was, now in RENAMED.items())
"""Of the field `name` of a setting."""


def in_names_of_today(record: Mapping[str, Any]) -> dict[str, Any]:
    """The frozen record, its answer in the names of today."""
    return {part: _named(value) if part in ANSWER else value for part, value in record.items()}


def _named(value: Any) -> Any:  # noqa: ANN401  # any JSON
    match value:
        case str():
            return _put(value, NAMES)
        case list():
            return [_named(one) for one in value]
        case dict():
            told = {key: _named(one) for key, one in value.items()}
            if "variable" in told:  # a setting, as doctor tells of it
                told["name"] = _put(told["name"], SETTINGS)
            return told
    return value


def _put(text: str, names: tuple[Renamed, ...]) -> str:
    for one in names:
        text = one.pattern.sub(one.now, text)
    return text
