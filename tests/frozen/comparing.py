"""How two answers to one question differ: what is new, gone, changed, or in another order.

Differences are told by place, written with dots; the rows of a list share one place, `out[].due_on`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["added", "removed", "changed", "reordered"]
_ASKED = frozenset({"words", "stdin", "method", "path", "as", "book", "form", "json", "sends"})
"""Parts of a record that say what was asked."""


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    path: str
    was: Any = None
    now: Any = None


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    """Tell how the answer `now` differs from the one that `was` given to the same question."""
    for part in was.keys() - _ASKED:
        if "method" in was and part == "headers":
            yield from _compared("headers", was[part], now.get(part, {}))
        else:
            yield from _compared(part, was[part], now.get(part))


def _compared(path: str, was: Any, now: Any) -> Iterator[Difference]:  # noqa: ANN401  # any JSON
    if _written(was) == _written(now):  # 1 and true are not the same
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was.keys() | now.keys():
            below = f"{path}.{key}"
            if key not in now:
                yield Difference("removed", below, was=was[key])
            elif key not in was:
                yield Difference("added", below, now=now[key])
            else:
                yield from _compared(below, was[key], now[key])
    elif isinstance(was, list) and isinstance(now, list):
        yield from _lists(f"{path}[]", was, now)
    else:
        yield Difference("changed", path, was, now)


def _lists(path: str, was: list[Any], now: list[Any]) -> Iterator[Difference]:
    """Compare row by row; rows in another order, or more or fewer of them, are told as that."""
    keys = {key for row in was if isinstance(row, dict) for key in row}
    known = [_narrowed(row, keys) for row in now]
    before, after = Counter(map(_written, was)), Counter(map(_written, known))
    if len(was) == len(now) and (before != after or was == known):
        for one, other in zip(was, now, strict=True):
            yield from _compared(path, one, other)
        return
    for row in now:
        if isinstance(row, dict) and was:
            yield from (Difference("added", f"{path}.{key}", now=row[key]) for key in row.keys() - keys)
    if before == after:
        yield Difference("reordered", path, was, now)
    for row in (before - after).elements():
        yield Difference("removed", path, was=json.loads(row))
    for row in (after - before).elements():
        yield Difference("added", path, now=json.loads(row))


def _narrowed(row: Any, keys: AbstractSet[str]) -> Any:  # noqa: ANN401  # any JSON
    return {key: row[key] for key in row if key in keys} if isinstance(row, dict) else row


def _written(value: Any) -> str:  # noqa: ANN401  # any JSON
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
