"""A list written to the file that a person names: how it is written says the name's end."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from ledger.errors import Rejected, UsageError
from projections.exports.csv_rows import csv_chunks
from projections.exports.parquet import write_parquet
from projections.exports.sheet import Rows, Sheet
from projections.exports.workbook import write_workbook

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
