"""CSV: one command kind a file, its columns the command's fields.

`victim.person` stands for a field inside another, `a|b` for a list, an empty cell for a field that is
not given. Columns are parted by `,`, `;` or a tab, whichever the header uses. Amounts are in euro, in
any spelling of `amounts`, whatever the field's own unit.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import BinaryIO

from ledger.domain.commands import COMMANDS
from ledger.importing.amounts import NotAnAmount, cents
from ledger.importing.columns import columns_of
from ledger.importing.envelope import line_of, shortened
from ledger.importing.lines import Fault, Line, Malformed, decoded, raw_lines

ENVELOPE_COLUMNS = ("command_id", "command", "at", "actor")


def read_csv(file: str, stream: BinaryIO, command: str | None = None) -> Iterator[Line | Fault]:
    """Give each row as a command, or as what is wrong with it.

    The command is `command`, else what the column `command` says, else the file's name (`OpenClaim.csv`).
    """
    numbered = _Numbered(stream)
    header = _header(file, numbered)
    if isinstance(header, Fault | None):
        if header is not None:
            yield header
        return
    columns, delimiter = header
    kinds: set[str] = set()
    rows = csv.reader(numbered, delimiter=delimiter, strict=True)
    while True:
        began = numbered.line + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, Malformed) as error:
            yield Fault(file, numbered.line, f"is no CSV row: {error}")
            if isinstance(error, csv.Error):
                rows = csv.reader(numbered, delimiter=delimiter, strict=True)
            continue
        if not any(cell.strip() for cell in row):
            continue
        try:
            yield _line(file, began, columns, row, command or _command_of(file), kinds)
        except Malformed as malformed:
            yield Fault(file, began, str(malformed))


class _Numbered:
    """The lines of a file as text, counted; raises Malformed for one that is no text."""

    def __init__(self, stream: BinaryIO) -> None:
        self._raw = raw_lines(stream)
        self.line = 0

    def __iter__(self) -> "_Numbered":
        return self

    def __next__(self) -> str:
        number, raw = next(self._raw)
        self.line = number
        return decoded(raw, number) + "\n"


def _header(file: str, numbered: _Numbered) -> tuple[list[str], str] | Fault | None:
    """Read the first line that is not empty; None for a file without one."""
    try:
        text = next((line for line in numbered if line.strip()), None)
    except Malformed as malformed:
        return Fault(file, numbered.line, str(malformed))
    if text is None:
        return None
    delimiter = max(",;\t", key=text.count)
    try:
        columns = [column.strip() for column in next(csv.reader([text], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        return Fault(file, numbered.line, f"is no CSV header: {error}")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        return Fault(file, numbered.line, f"names the column {', '.join(map(shortened, twice[:5]))} twice")
    missing = [column for column in ("command_id", "at") if column not in columns]
    if missing:
        return Fault(file, numbered.line, f"lacks the column {', '.join(missing)}")
    return columns, delimiter


def _line(  # noqa: PLR0913  # a row needs its place, its header and the kind of the file
    file: str, number: int, columns: Sequence[str], row: Sequence[str], command: str | None, kinds: set[str]
) -> Line:
    """Turn one row into the line that JSON Lines would have held."""
    if len(row) != len(columns):
        message = f"has {len(row)} cells where the header has {len(columns)} columns"
        raise Malformed(message)
    cells = {column: cell.strip() for column, cell in zip(columns, row, strict=True) if cell.strip()}
    named = cells.get("command", command)
    if named is None:
        message = "names no command: add a column `command`, or give --command"
        raise Malformed(message)
    if named not in COMMANDS:
        message = f"command: {shortened(named)} does not exist"
        raise Malformed(message)
    kinds.add(named)
    if len(kinds) > 1:
        message = f"command: a CSV file holds one kind of command, not {' and '.join(sorted(kinds))}"
        raise Malformed(message)
    written: dict[str, object] = {"command": named, "data": _fields(named, cells)}
    written |= {column: cells[column] for column in ("command_id", "at", "actor") if column in cells}
    return line_of(file, number, written)


def _fields(command: str, cells: dict[str, str]) -> dict[str, object]:
    """Give a command's fields as JSON would: nested, with numbers, lists and truths of their own kind."""
    wanted = columns_of(command)
    fields: dict[str, object] = {}
    wrong: list[str] = []
    for column, cell in cells.items():
        if column in ENVELOPE_COLUMNS:
            continue
        kind = wanted.get(column)
        if kind is None:
            wrong.append(f"unknown column {shortened(column)}")
            continue
        try:
            value = READERS[kind](cell)
        except (NotAnAmount, Malformed) as error:
            wrong.append(f"{column}: {error}")
            continue
        *path, last = column.split(".")
        inner = fields
        for part in path:
            inner = inner.setdefault(part, {})  # type: ignore[assignment]  # only objects stand on a path
        inner[last] = value
    if wrong:
        raise Malformed("; ".join(wrong))
    return fields


def _truth(cell: str) -> bool:
    if cell.lower() in {"true", "yes", "1"}:
        return True
    if cell.lower() in {"false", "no", "0"}:
        return False
    message = f"{shortened(cell)} is neither true nor false"
    raise Malformed(message)


def _number(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", cell, re.ASCII):
        message = f"{shortened(cell)} is no whole number"
        raise Malformed(message)
    return int(cell)


def _list(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|")]


READERS: dict[str, Callable[[str], object]] = {
    "text": str,
    "truth": _truth,
    "number": _number,
    "amount": cents,
    "list": _list,
}
"""How a cell of each kind of column is read."""


def _command_of(file: str) -> str | None:
    """Give the command that a file is named after: `OpenClaim.csv`, `open_claim-2026.csv`."""
    stem = re.sub(r"[^a-z]", "", PurePath(file).stem.lower())
    fitting = [command for command in COMMANDS if stem.startswith(command.lower())]
    return max(fitting, key=len, default=None)
