"""What issues say they change of the frozen answers (`changed.toml`), held against what differs."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

from frozen.comparing import Difference, Kind, differences
from frozen.opening import kept
from frozen.renamed import in_names_of_today
from frozen.transcripts import Record, name_of

TABLE: Final = Path(__file__).parent / "changed.toml"
_KINDS: Final[tuple[Kind, ...]] = ("added", "removed", "changed", "reordered")
_LONGEST = 160


class Found(NamedTuple):
    """One difference, and the question whose answer differs."""

    asked: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Declaration:
    """One entry of the table: an issue changes these places of the answers to these questions."""

    kind: Kind
    issue: int
    row: str
    asked: tuple[str, ...]
    path: tuple[str, ...]

    def covers(self, found: Found) -> bool:
        """Whether this difference was declared by it."""
        return (
            found.difference.kind == self.kind
            and any(_matches(found.asked, pattern) for pattern in self.asked)
            and any(_matches(found.difference.path, pattern) for pattern in self.path)
        )

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        return f"{self.kind} {' '.join(self.path)} (issue {self.issue}{row}) of {'; '.join(self.asked)}"


def declarations(table: Path = TABLE) -> Sequence[Declaration]:
    read = tomllib.loads(table.read_text(encoding="utf-8"))
    unknown = read.keys() - set(_KINDS)
    assert not unknown, f"changed.toml knows no {sorted(unknown)}: a change is one of {_KINDS}"
    return [
        Declaration(kind, one["issue"], str(one.get("row", "")), tuple(one["asked"]), tuple(one["path"]))
        for kind in _KINDS
        for one in read.get(kind, ())
    ]


def found_in(then: Iterable[Record], now: Iterable[Record]) -> Iterator[Found]:
    """All that differs, but for names that have changed and the places that hang on the moment."""
    momentary = kept("momentary.json")
    for was, is_now in zip(then, now, strict=True):
        name = name_of(was)
        for difference in differences(in_names_of_today(was), is_now):
            if difference.kind != "changed" or difference.path not in momentary.get(name, ()):
                yield Found(name, difference)


def undeclared(found: Iterable[Found], declared: Sequence[Declaration]) -> list[Found]:
    return [one for one in found if not any(entry.covers(one) for entry in declared)]


def idle(found: Sequence[Found], declared: Iterable[Declaration]) -> list[Declaration]:
    """Declared changes that change nothing."""
    return [entry for entry in declared if not any(entry.covers(one) for one in found)]


def told(found: Sequence[Found]) -> str:
    """Tell differences to people: those of one kind and place together, with the first as an example."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        groups.setdefault((one.difference.kind, one.difference.path), []).append(one)
    lines = []
    for (kind, path), ones in sorted(groups.items(), key=lambda group: (group[0][1], group[0][0])):
        first, names = ones[0], sorted({one.asked for one in ones})
        lines += [f"{kind:9} {path}   {len(ones)} times in {len(names)} answers"]
        lines += [f"          asked: {name[:_LONGEST]}" for name in names[:4]]
        lines += [f"          … and {len(names) - 4} more"] if len(names) > 4 else []
        if kind != "added":
            lines += [f"          was: {str(first.difference.was)[:_LONGEST]}"]
        if kind != "removed":
            lines += [f"          now: {str(first.difference.now)[:_LONGEST]}"]
    return "\n".join(lines)


def _matches(text: str, pattern: str) -> bool:
    """Whether a text is of a pattern, in which `*` alone is special."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))
