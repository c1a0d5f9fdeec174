"""CSV: one command kind a file, its columns the command's fields.

`victim.person` stands for a field inside another, `a|b` for a list, an empty cell for a field that is
not given. Columns are parted by `,`, `;` or a tab, whichever the header uses. One unit a name: `loss` is in
euro, in any spelling of `amounts`, and `loss_cents` in whole cents.
"""

import csv
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import PurePath
from typing import Annotated, BinaryIO, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from ledger.domain.command import read_date
from ledger.domain.registry import COMMANDS
from ledger.imports.lines import Line, LineFault, Malformed, decoded, line_of, raw_lines, shortened

LARGEST_CENTS = 10**13
"""100 thousand million euro; nothing in this trade is larger."""

_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"([0-9]+)[.,]([0-9]{2})")
_DOTS_THEN_COMMA = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+),([0-9]{2})")
_COMMAS_THEN_DOT = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)\.([0-9]{2})")
_SPACES = re.compile(r"([0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+)(?:[.,]([0-9]{2}))?")
_GROUPS_ONLY = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3}){2,}|[0-9]{1,3}(?:,[0-9]{3}){2,})()")
_ONE_GROUP = re.compile(r"([0-9]{1,3})[.,]([0-9]{3})")
_CURRENCY = re.compile(r"(?:EUR|€)[ \u00a0]*(.*?)|(.*?)[ \u00a0]*(?:EUR|€)")


class NotAnAmount(ValueError):
    """The text is no amount, or could be read as two different ones."""


def cents(text: str) -> int:
    """Read an amount of euro into cents.

    `5000`, `5000.00`, `5000,00`, `5.000,00 EUR`, `5,000.00 EUR` and `€ 5 000,00` are all 500000 cents.
    `5.000` and `5,000` are refused: they are five thousand to some and five to others.

    Raises:
        NotAnAmount: with what to write instead.

    """
    written = text.strip()
    with_currency = _CURRENCY.fullmatch(written)
    if with_currency:
        written = (with_currency.group(1) or with_currency.group(2) or "").strip()
    if _WHOLE.fullmatch(written):
        return _bounded(written, "00", text)
    for shape, separators in (
        (_DECIMAL, ""),
        (_DOTS_THEN_COMMA, "."),
        (_COMMAS_THEN_DOT, ","),
        (_SPACES, " \u00a0\u202f"),
        (_GROUPS_ONLY, ".,"),
    ):
        match = shape.fullmatch(written)
        if match:
            whole = match.group(1).translate({ord(mark): None for mark in separators})
            return _bounded(whole, match.group(2) or "00", text)
    either = _ONE_GROUP.fullmatch(written)
    if either:
        whole, rest = either.groups()
        message = f"{text!r} can be read as {whole}{rest}.00 or as {whole}.{rest}; write it with two decimals"
        raise NotAnAmount(message)
    message = f"{text[:40]!r} is no amount of euro; write it as 5000.00"
    raise NotAnAmount(message)


def _bounded(whole: str, hundredths: str, text: str) -> int:
    """Put euro and cents together, or refuse what no contract can be about."""
    if len(whole.lstrip("0")) > len(str(LARGEST_CENTS)):
        message = f"{text[:20]!r}… is larger than any amount that the ledger keeps"
        raise NotAnAmount(message)
    amount = int(whole) * 100 + int(hundredths)
    if amount > LARGEST_CENTS:
        message = f"{text!r} is larger than any amount that the ledger keeps"
        raise NotAnAmount(message)
    return amount


Kind = Literal["text", "truth", "number", "amount", "cents", "list"]
"""An amount is in euro; cents are whole cents of it."""


CENTS = "_cents"
"""Ends the name of what is in cents, wherever it stands; the same name without it is in euro."""


@cache
def columns_of(command: str) -> Mapping[str, Kind]:
    """Return the columns of a command, `victim.person` for a field inside another.

    A field of cents has two, of which a file holds one: `loss_cents` in cents, `loss` in euro.
    """
    return dict(_columns(COMMANDS[command], ""))


def _columns(model: type[BaseModel], prefix: str) -> list[tuple[str, Kind]]:
    found: list[tuple[str, Kind]] = []
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation, name)
        if isinstance(kind, type):
            found += _columns(kind, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", kind))
            if kind == "cents":
                found.append((f"{prefix}{name.removesuffix(CENTS)}", "amount"))
    return found


def _kind(annotation: object, name: str) -> Kind | type[BaseModel]:
    """Return what a field's annotation holds; of a union, the first part that a cell can be."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0], name)
    if origin in {Union, types.UnionType}:
        return _kind(next(part for part in get_args(annotation) if part is not type(None)), name)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if annotation is int and name.endswith(CENTS):
        return "cents"
    return _KINDS.get(origin or annotation, "text")


_KINDS: Mapping[object, Kind] = {list: "list", tuple: "list", bool: "truth", int: "number"}
"""Of what is not text to a cell."""


_BELGIAN_DAY = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")

ENVELOPE_COLUMNS = ("command_id", "command", "at", "actor")


def read_csv(
    file: str, stream: BinaryIO, command: str | None = None, whole_amounts: set[str] | None = None
) -> Iterator[Line | LineFault]:
    """Yield each row as a command, or as what is wrong with it.

    The command is what the column `command` says, else `command`, else the file's name (`OpenClaim.csv`).
    `whole_amounts`: takes the columns in which an amount is a whole number, whose unit people are told.
    """
    rows: _Rows | None = None
    for row in read_rows(file, stream, required=("command_id", "at")):
        if isinstance(row, LineFault):
            yield row
            continue
        rows = rows or _Rows(
            file, command or _command_of(file), set() if whole_amounts is None else whole_amounts
        )
        try:
            yield rows.line(row.line, row.cells)
        except Malformed as malformed:
            yield LineFault(file, row.line, str(malformed))


class CsvRow(NamedTuple):
    """One row of a CSV file."""

    line: int
    """The first line that it stands on, from 1."""
    cells: Mapping[str, str]
    """By column, blanks around them taken off; left out is what is empty."""


def read_rows(
    file: str, stream: BinaryIO, *, required: Sequence[str], known: Sequence[str] | None = None
) -> Iterator[CsvRow | LineFault]:
    """Yield each row of a CSV file whose first line names its columns, or what is wrong with it.

    `required`: the columns that there must be; `known`: those that there may be, None: any.
    """
    numbered = _Numbered(stream)
    try:
        columns, delimiter = _header(numbered, required, known)
    except StopIteration:
        return
    except (csv.Error, Malformed) as error:
        yield LineFault(file, numbered.line, f"is no CSV header: {error}")
        return
    read = csv.reader(numbered, delimiter=delimiter, strict=True)
    while True:
        began = numbered.line + 1
        try:
            row = next(read)
            if any(cell.strip() for cell in row):
                yield CsvRow(began, _cells(columns, row))
        except StopIteration:
            return
        except csv.Error as error:
            yield LineFault(file, began, f"is no CSV row: {error}")
            read = csv.reader(numbered, delimiter=delimiter, strict=True)
        except Malformed as malformed:
            yield LineFault(file, began, str(malformed))


def read_day(cell: str) -> date:
    """Read a date as a program writes it, `2026-03-01`, or as people here do: `1/03/2026`.

    The day comes before the month. Raises Malformed.
    """
    written = _BELGIAN_DAY.fullmatch(cell)
    try:
        return read_date(f"{written[4]}-{written[3]:0>2}-{written[1]:0>2}" if written else cell)
    except ValueError as error:
        message = f"{shortened(cell)} {error}; write it as 2026-03-01, or 01/03/2026 with the day first"
        raise Malformed(message) from None


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


def _header(
    numbered: _Numbered, required: Sequence[str], known: Sequence[str] | None
) -> tuple[list[str], str]:
    """Read the names of the columns and what parts them. Raises StopIteration for an empty file."""
    text = next(line for line in numbered if line.strip())
    delimiter = max(",;\t", key=text.count)
    columns = [column.strip() for column in next(csv.reader([text], delimiter=delimiter, strict=True))]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        message = f"it names {', '.join(map(shortened, twice[:5]))} twice"
        raise Malformed(message)
    missing = [column for column in required if column not in columns]
    if missing:
        message = f"it lacks {', '.join(missing)}"
        raise Malformed(message)
    unknown = [column for column in columns if known is not None and column not in known]
    if unknown:
        message = f"it names {', '.join(map(shortened, unknown[:5]))}, which is no column of this file"
        raise Malformed(message)
    return columns, delimiter


def _cells(columns: Sequence[str], row: Sequence[str]) -> Mapping[str, str]:
    if len(row) != len(columns):
        message = f"has {len(row)} cells where the header has {len(columns)} columns"
        raise Malformed(message)
    return {column: cell.strip() for column, cell in zip(columns, row, strict=True) if cell.strip()}


class _Rows:
    """The rows of one file, turned into the lines that JSON Lines would have held."""

    def __init__(self, file: str, command: str | None, whole_amounts: set[str]) -> None:
        self._whole_amounts = whole_amounts
        self._file = file
        self._command = command
        self._kind: str | None = None

    def line(self, number: int, cells: Mapping[str, str]) -> Line:
        """Turn one row. Raises Malformed."""
        command = self._command_of(cells)
        written: dict[str, object] = {
            "command": command,
            "data": _fields(command, cells, self._whole_amounts),
        }
        written |= {column: cells[column] for column in ("command_id", "at", "actor") if column in cells}
        return line_of(self._file, number, written)

    def _command_of(self, cells: Mapping[str, str]) -> str:
        """Find the command that a row stands for; it is the same in all rows."""
        command = cells.get("command", self._command)
        if command is None:
            message = "names no command: add a column `command`, or give --command"
            raise Malformed(message)
        if command not in COMMANDS:
            message = f"command: {shortened(command)} does not exist"
            raise Malformed(message)
        self._kind = self._kind or command
        if command != self._kind:
            message = f"command: a CSV file holds one kind of command, {self._kind}, and not {command}"
            raise Malformed(message)
        return command


def _fields(command: str, cells: Mapping[str, str], whole_amounts: set[str]) -> dict[str, object]:
    """Return a command's fields as JSON would: nested, with numbers, lists and truths of their own kind."""
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
        if kind == "cents" or (kind == "amount" and cell.isdigit()):
            whole_amounts.add(column)
        *path, last = (f"{column}{CENTS}" if kind == "amount" else column).split(".")
        inner = fields
        for part in path:
            inner = inner.setdefault(part, {})  # type: ignore[assignment]  # only objects stand on a path
        if last in inner:
            wrong.append(f"{column}: the amount is given in euro and in cents; give one of them")
            continue
        inner[last] = value
    if wrong:
        raise Malformed("; ".join(wrong))
    return fields


def _truth(cell: str) -> bool:
    if cell.lower() in {"true", "yes", "1"}:
        return True
    if cell.lower() in {"false", "no", "0"}:
        return False
    # Not quoted: where columns have slipped, the cell may hold a name. So below.
    message = "is neither true nor false; write true or false"
    raise Malformed(message)


def _number(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", cell, re.ASCII):
        message = "is no whole number"
        raise Malformed(message)
    return int(cell)


def _cents(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", cell, re.ASCII):
        message = f"is no whole number of cents; name the column without {CENTS} where it is in euro"
        raise Malformed(message)
    return int(cell)


def _list(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|")]


READERS: dict[str, Callable[[str], object]] = {
    "text": str,
    "truth": _truth,
    "number": _number,
    "amount": cents,
    "cents": _cents,
    "list": _list,
}
"""How a cell of each kind of column is read."""


def _command_of(file: str) -> str | None:
    """Return the command that a file is named after: `OpenClaim.csv`, `open_claim-2026.csv`."""
    stem = re.sub(r"[^a-z]", "", PurePath(file).stem.lower())
    fitting = [command for command in COMMANDS if stem.startswith(command.lower())]
    return max(fitting, key=len, default=None)
