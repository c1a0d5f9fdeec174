"""A workbook (XLSX): one sheet, its heading kept in sight, dates as dates; no text is ever a formula.

An instant stands by the clock of Brussels, for a cell knows no offset.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, Any, Final

from ledger.domain.calendar import BRUSSELS
from ledger.errors import Rejected
from projections.exports.extra import needed
from projections.exports.sheet import Kind, Rows, Sheet
from projections.exports.spooled import made

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

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
