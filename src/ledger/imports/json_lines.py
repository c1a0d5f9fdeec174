"""JSON Lines, read strictly: what two programs could read differently is refused."""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from ledger.imports.lines import (
    Line,
    LineFault,
    Malformed,
    checked_name,
    decoded,
    line_of,
    raw_lines,
    shortened,
)

DEEPEST = 8
"""Levels of nesting; commands need three."""

_NOT_KEPT = re.compile("[\0\ud800-\udfff]")

LONGEST_NUMBER = 18
"""Digits; amounts need fourteen."""


class TooDeep(Malformed):
    """JSON is nested deeper than anything of ours."""

    def __init__(self) -> None:
        super().__init__(f"is nested more than {DEEPEST} levels deep")


def read_json_lines(file: str, stream: BinaryIO) -> Iterator[Line | LineFault]:
    """Yield each line as a command, or as what is wrong with it. Empty lines are passed over."""
    for number, raw in raw_lines(stream):
        written: dict[str, object] = {}
        try:
            text = decoded(raw, number)
            if not text.strip():
                continue
            written = json_object(text)
            yield line_of(file, number, written)
        except Malformed as malformed:
            yield LineFault(file, number, str(malformed), _id_in(written))


def _id_in(written: dict[str, object]) -> str | None:
    """Return the command id of a malformed line, where that at least can be read."""
    try:
        return checked_name("command_id", written.get("command_id"))
    except Malformed:
        return None


def json_object(text: str) -> dict[str, object]:
    """Read one JSON object: no duplicate keys, no fractions, no NaN, no lone surrogates, no NUL.

    Raises:
        Malformed: saying which of these it is.

    """
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"is no JSON: {error.msg.lower()} at character {error.pos + 1}"
        raise Malformed(message) from None
    except RecursionError:
        raise TooDeep from None
    if not isinstance(found, dict):
        message = "must be a JSON object"  # Not quoted: it may name somebody.
        raise Malformed(message)
    if "\\u" in text or text.count("{") + text.count("[") > DEEPEST:
        _refuse_unwritable(found, DEEPEST)
    return found


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add gives None: falsy
        message = f"names the field {shortened(twice)} twice"
        raise Malformed(message)
    return found


def _no_fraction(text: str) -> NoReturn:
    message = f"holds {shortened(text)}: numbers are whole, money is in integer cents"
    raise Malformed(message)


def _no_constant(text: str) -> NoReturn:
    message = f"holds {text}, which is no number"
    raise Malformed(message)


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        message = f"holds a number of {len(text)} digits"
        raise Malformed(message)
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_float=_no_fraction, parse_constant=_no_constant, parse_int=_whole
)


def _refuse_unwritable(value: object, levels: int) -> None:
    """Refuse what no store can keep: NUL, a lone surrogate, nesting deeper than any command."""
    if isinstance(value, str):
        if _NOT_KEPT.search(value):
            message = "holds a NUL character or half a character (a lone surrogate)"
            raise Malformed(message)
        return
    if levels < 0:
        raise TooDeep
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_unwritable(key, levels)
            _refuse_unwritable(inner, levels - 1)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unwritable(inner, levels - 1)
