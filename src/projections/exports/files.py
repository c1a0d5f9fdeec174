"""Lists as files: CSV, Excel workbooks and Parquet, written to disk or sent over HTTP.

Amounts are in euro with two decimals, and their columns say nothing of cents: `loss`, where JSON has
`loss_cents`. So `coverledger import` reads them.

A text that a spreadsheet would run as a formula is written with an apostrophe before it, so that opening
the file runs nothing (CWE-1236). Numbers and dates are never texts and stand as they are, and so does a
structured communication, `+++090/9337/55493+++`, which is no formula.

An instant stands by the clock of Brussels, for a cell knows no offset.
"""

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile, SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple, cast

from ledger.domain.calendar import BRUSSELS
from ledger.domain.money import is_structured
from ledger.errors import Rejected, UsageError
from projections.exports.sheets import Kind, Row, Rows, Sheet


def needed(module: str, what: str) -> Any:  # noqa: ANN401  # a module
    """Return a module of the extra. Raises `Rejected`, with what to type, where it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        message = f"To write {what}, {module.partition('.')[0]} is needed: pip install 'coverledger[export]'."
        raise Rejected(message) from error


IN_MEMORY_BYTES: Final = 1_000_000
CHUNK_BYTES: Final = 65_536


def made(write: Callable[[IO[bytes]], object]) -> Iterator[bytes]:
    """Write a file now, and yield it later, some bytes at a time; a large one waits on the disk.

    Raises what `write` raises.
    """
    file = cast("IO[bytes]", SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))  # noqa: SIM115  # closed once sent
    try:
        write(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _sent(file)


def spooled(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Take all chunks now, and give them again later."""

    def write(file: IO[bytes]) -> None:
        for chunk in chunks:
            file.write(chunk)

    return made(write)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


CSV_MEDIA_TYPE = "text/csv; charset=utf-8"

ROWS_A_CHUNK = 500

_RUNS = re.compile(
    r"[\t\r\n]|[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+@\uff1d\uff0b\uff20\uff0d-]"
)
"""What makes a spreadsheet take a text for a formula, after blanks and controls that it passes over."""


def csv_chunks(rows: Rows, sheet: Sheet) -> Iterator[bytes]:
    """Write rows as CSV, some at a time: the heading comes first, even if there is no row."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([column.name_in_euro for column in sheet.columns])
    for count, row in enumerate(rows, 1):
        writer.writerow(_cells(row, sheet))
        if count % ROWS_A_CHUNK == 0:
            yield _taken(written)
    yield _taken(written)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet runs: an apostrophe goes before one that begins like a formula."""
    if is_structured(text):
        return text
    return f"'{text}" if _RUNS.match(text) else text


def _cells(row: Row, sheet: Sheet) -> list[object]:
    return [
        _euro(row.get(column.name)) if column.is_cents else _cell(row.get(column.name))
        for column in sheet.columns
    ]


def _euro(cents: object) -> object:
    if not isinstance(cents, int):
        return cents
    whole, hundredths = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{hundredths:02}"


def _cell(value: object) -> object:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool):
        return str(value).lower()
    isoformat = getattr(value, "isoformat", None)
    return value if isoformat is None else isoformat()


def _taken(written: io.StringIO) -> bytes:
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text.encode()


PARQUET_MEDIA_TYPE = "application/vnd.apache.parquet"

ROWS_A_GROUP = 10_000
"""Rows held in memory at once, twice over while the next are read."""


def write_parquet(rows: Rows, sheet: Sheet, file: IO[bytes]) -> int:
    """Write rows as a Parquet file; their number. Raises `Rejected` where `pyarrow` is not installed."""
    arrow, parquet = needed("pyarrow", "Parquet"), needed("pyarrow.parquet", "Parquet")
    schema = arrow.schema([(column.name, _arrow_type(arrow, column.kind)) for column in sheet.columns])
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(rows):
            columns = [arrow.array([row.get(field.name) for row in group], field.type) for field in schema]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
            count += len(group)
    return count


def _groups(rows: Rows) -> Iterator[Sequence[Row]]:
    coming = iter(rows)
    while group := list(islice(coming, ROWS_A_GROUP)):
        yield group


def _arrow_type(arrow: Any, kind: Kind) -> object:  # noqa: ANN401  # pyarrow has no types
    match kind:
        case "text":
            return arrow.string()
        case "integer":
            return arrow.int64()
        case "truth":
            return arrow.bool_()
        case "date":
            return arrow.date32()
        case "instant":
            return arrow.timestamp("us", tz="UTC")


XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_ROWS: Final = 1_048_575
"""Rows of a sheet below its heading: a program that reads it knows no more."""
WIDTHS: Final[dict[Kind, int]] = {"text": 22, "integer": 14, "truth": 9, "date": 12, "instant": 20}

Page = Any
"""A worksheet; `xlsxwriter` has no types."""
Write = Callable[[Page, int, int, Any], object]


def write_workbook(rows: Rows, sheet: Sheet, file: IO[bytes]) -> int:
    """Write rows as a workbook; their number. Memory does not grow with them.

    Raises `Rejected` for more rows than a sheet holds, and where `xlsxwriter` is not installed.
    """
    xlsxwriter = needed("xlsxwriter", "a workbook")
    settings = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(file, settings) as workbook:
        # Fixed, so that the same rows make the same file.
        workbook.set_properties({"title": sheet.name, "created": datetime(2000, 1, 1)})  # noqa: DTZ001  # a file's property has no offset
        writes: dict[Kind, Write] = {
            "text": lambda page, down, across, value: page.write_string(down, across, str(value)),
            "integer": lambda page, down, across, value: page.write_number(down, across, value),
            "truth": lambda page, down, across, value: page.write_boolean(down, across, value),
            "date": _dates(workbook.add_format({"num_format": "yyyy-mm-dd"})),
            "instant": _instants(workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})),
        }
        page = workbook.add_worksheet(sheet.name[:31])
        heading = workbook.add_format({"bold": True, "bottom": 1})
        for across, column in enumerate(sheet.columns):
            page.set_column(across, across, max(WIDTHS[column.kind], len(column.name) + 2))
            page.write_string(0, across, column.name, heading)
        page.freeze_panes(1, 0)
        down = 0
        for down, row in enumerate(rows, 1):
            if down > MOST_ROWS:
                message = (
                    f"A workbook holds {MOST_ROWS:,} rows and there are more: write them as .csv or .parquet."
                )
                raise Rejected(message)
            for across, (name, kind) in enumerate(sheet.columns):
                value = row.get(name)
                if value is not None:
                    writes[kind](page, down, across, value)
        page.autofilter(0, 0, max(down, 1), len(sheet.columns) - 1)
    return down


def workbook_chunks(rows: Rows, sheet: Sheet) -> Iterator[bytes]:
    """Write rows as a workbook now, and give it later, some bytes at a time. Raises as `write_workbook`."""
    return made(lambda file: write_workbook(rows, sheet, file))


def _dates(form: object) -> Write:
    return lambda page, down, across, value: page.write_datetime(down, across, value, form)


def _instants(form: object) -> Write:
    def write(page: Page, down: int, across: int, value: datetime) -> object:
        by_the_clock = value.astimezone(BRUSSELS).replace(tzinfo=None)
        return page.write_datetime(down, across, by_the_clock, form)

    return write


class SentFormat(NamedTuple):
    """One way of writing rows."""

    said: str
    """What a button calls it."""
    media_type: str
    write: Callable[[Rows, Sheet], Iterator[bytes]]
    needs: str | None = None
    """The module of the extra `export` without which it refuses; None: none."""
    is_made_first: bool = False
    """Whether `write` makes all of it before it returns, and may refuse; else it takes rows as it is read."""

    @property
    def is_there(self) -> bool:
        """Whether what it needs is installed."""
        return self.needs is None or find_spec(self.needs) is not None


SENT_FORMATS: Final[Mapping[str, SentFormat]] = {
    "csv": SentFormat("CSV", CSV_MEDIA_TYPE, csv_chunks),
    "xlsx": SentFormat("Excel", XLSX_MEDIA_TYPE, workbook_chunks, "xlsxwriter", is_made_first=True),
}


ENDS = (".csv", ".xlsx", ".parquet")


def refuse_other_ends(path: Path) -> None:
    """Raise `UsageError` for a name that says no way of writing, before anything is read."""
    if path.suffix.lower() not in ENDS:
        message = f"{path.name!r} says no way of writing: end it in {', '.join(ENDS)}."
        raise UsageError(message)


def write_file(rows: Rows, sheet: Sheet, path: Path) -> int:
    """Write rows to a file; their number. The file is there whole or not at all; one that was is replaced.

    Raises `UsageError` for a name that says no way of writing, `Rejected` where it cannot be written.
    """
    refuse_other_ends(path)
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as unfinished:
            try:
                count = _write(rows, sheet, path.suffix.lower(), unfinished.file)
                unfinished.flush()
                os.fchmod(unfinished.fileno(), 0o644 & ~_umask())
                Path(unfinished.name).replace(path)
            except BaseException:
                Path(unfinished.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}. Name another file."
        raise Rejected(message) from error
    return count


def _write(rows: Rows, sheet: Sheet, end: str, file: IO[bytes]) -> int:
    if end == ".xlsx":
        return write_workbook(rows, sheet, file)
    if end == ".parquet":
        return write_parquet(rows, sheet, file)
    count = 0

    def counted() -> Rows:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    for chunk in csv_chunks(counted(), sheet):
        file.write(chunk)
    return count


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
