"""One report: its rows as a table, as JSON and as a file; each row names the event that made it."""

from collections.abc import Mapping
from datetime import date
from itertools import islice
from typing import Final

from projections.asking.positions import read_as_of
from projections.asking.reader import Reader
from projections.asking.reports import REPORTS, Asked, each_of, reported_until
from projections.exports import sheets
from projections.exports.csv_rows import MEDIA_TYPE, csv_chunks
from projections.exports.sheet import Sheet
from projections.web.asked import looking, read_month, today_of
from projections.web.figures import reserves_by_guarantee
from projections.web.page import Look, page_of_look
from projections.web.serving import Download, Pages, Shown
from projections.web.told.sheets import REPORT_COLUMNS
from projections.web.words.codes import N_
from projections.web.words.saying_no import NotThere

ROWS_SHOWN: Final = 100
BORDEREAU: Final = "bordereau"
GUARANTEES: Final = "guarantees"

TITLES: Final[Mapping[str, str]] = {
    BORDEREAU: N_("Monthly bordereau"),
    "refunds": N_("Refunds and the days that they took"),
    "payments": N_("Money out and in"),
    "recoveries": N_("Reserves and recoveries"),
    GUARANTEES: N_("Figures by guarantee and year"),
    "timeline": N_("Steps of claims"),
}

NO_REPORT: Final = N_("There is no report “%(name)s”: choose one on the page of reports.")


def register(pages: Pages) -> None:
    """Register every report."""
    pages.page("/reports/{name}.csv", download)
    pages.page("/reports/{name}", show, twin)


def twin(look: Look) -> object:
    """Give what `report NAME` prints."""
    return _read(look)[0]


def download(look: Look) -> Download:
    """Give all rows as CSV, amounts in cents."""
    name = _name(look)
    rows, _, sheet = _read(look)
    return Download(f"{name}.csv", b"".join(csv_chunks(rows, sheet)), MEDIA_TYPE)


def show(look: Look) -> Shown:
    """Show the first rows."""
    name = _name(look)
    rows, position, _ = _read(look, ROWS_SHOWN + 1)
    return Shown(
        "report.html",
        {
            "page": page_of_look(look, "reports", position=position),
            "name": name,
            "title": TITLES[name],
            "titles": TITLES,
            "rows": rows[:ROWS_SHOWN],
            "has_more": len(rows) > ROWS_SHOWN,
            "columns": REPORT_COLUMNS[name],
            "month": _month(look) if name == BORDEREAU else None,
        },
    )


def _read(look: Look, most: int | None = None) -> tuple[list[dict[str, object]], int, Sheet]:
    """Read a report's rows, `most` of them at most; None: all."""
    name = _name(look)
    views = ("contracts", "reserves") if name == GUARANTEES else (REPORTS[name].view.name,)
    with looking(look.wiring, views, look.asked) as reader:
        if name == GUARANTEES:
            return reserves_by_guarantee(reader, _until(look, reader)), reader.position, sheets.GUARANTEES
        asked = Asked(
            contract=look.query.get("contract") or None,
            claim=look.query.get("claim") or None,
            guarantee=look.query.get("guarantee") or None,
            status=look.query.get("status") or None,
            month=_month(look) if name == BORDEREAU else None,
        )
        rows = islice(each_of(reader, REPORTS[name], asked), most)
        return list(rows), reader.position, REPORTS[name].sheet


def _until(look: Look, reader: Reader) -> date:
    return reported_until(reader, None if look.asked.as_of is None else read_as_of(look.asked.as_of))


def _name(look: Look) -> str:
    name = look.steps["name"]
    if name not in TITLES:
        raise NotThere(NO_REPORT, name=name[:40])
    return name


def _month(look: Look) -> date:
    """Read the bordereau's month; unless asked for, the present one."""
    asked = look.query.get("month", "")
    return read_month(asked) if asked else today_of(look.wiring).replace(day=1)
