"""One report: its rows as a table, as JSON and as a file; each row names the event that made it."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from projections.asking.filters import FILTERS, choices_of
from projections.asking.positions import read_as_of
from projections.asking.reader import Reader
from projections.asking.reports import REPORTS, Asked, each_of, reported_until
from projections.exports import sheets
from projections.exports.sent import WAYS
from projections.exports.sheet import Rows, Sheet
from projections.exports.spooled import spooled
from projections.web.asked import looking, read_choice, read_day, read_month, today_of
from projections.web.figures import reserves_by_guarantee
from projections.web.page import Look, page_of_look
from projections.web.serving import ALWAYS, NO_FILTER, TIME, Download, Pages, Shown
from projections.web.told.sheets import REPORT_COLUMNS
from projections.web.words.codes import N_
from projections.web.words.saying_no import AskedWrongly, NotThere

ROWS_SHOWN: Final = 100
BORDEREAU: Final = "bordereau"
GUARANTEES: Final = "guarantees"
TAKES: Final = (*TIME, *{name for report in (*REPORTS, GUARANTEES) for name in FILTERS[report]})
"""Of any report; each looks for itself at those that it has."""

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
    for end in WAYS:
        pages.page(f"/reports/{{name}}.{end}", partial(download, end=end), takes=TAKES)
    pages.page("/reports/{name}", show, twin, takes=TAKES)


def twin(look: Look) -> object:
    """Give what `report NAME` prints."""
    with _found(look) as found:
        return list(found.rows)


def download(look: Look, end: str) -> Download:
    """Give all rows as a file, amounts in cents; memory does not grow with them."""
    way = WAYS[end]
    with _found(look) as found:
        written = way.write(found.rows, found.sheet)
        content = written if way.is_made_first else spooled(written)
        return Download(f"{_name(look)}.{end}", content, way.media_type)


def show(look: Look) -> Shown:
    """Show the first rows."""
    name = _name(look)
    with _found(look) as found:
        rows = list(islice(found.rows, ROWS_SHOWN + 1))
    return Shown(
        "report.html",
        {
            "page": page_of_look(look, "reports", position=found.position),
            "name": name,
            "title": TITLES[name],
            "titles": TITLES,
            "rows": rows[:ROWS_SHOWN],
            "has_more": len(rows) > ROWS_SHOWN,
            "columns": REPORT_COLUMNS[name],
            "month": _month(look) if name == BORDEREAU else None,
            "ways": {end: way.said for end, way in WAYS.items() if way.is_there},
        },
    )


class _Found(NamedTuple):
    rows: Rows
    """To be taken while the reader reads."""
    position: int
    sheet: Sheet


@contextmanager
def _found(look: Look) -> Iterator[_Found]:
    """Read a report's rows, one by one."""
    name = _name(look)
    asked = _asked(look, name)
    views = ("contracts", "reserves") if name == GUARANTEES else (REPORTS[name].view.name,)
    with looking(look.wiring, views, look.asked) as reader:
        if name == GUARANTEES:
            year = _year(look)
            rows = [
                row
                for row in reserves_by_guarantee(reader, _until(look, reader))
                if asked.guarantee in {None, row["guarantee"]} and year in {None, row["incident_year"]}
            ]
            yield _Found(rows, reader.position, sheets.GUARANTEES)
            return
        with closing(each_of(reader, REPORTS[name], asked)) as rows_one_by_one:
            yield _Found(rows_one_by_one, reader.position, REPORTS[name].sheet)


def _asked(look: Look, name: str) -> Asked:
    """Read the filters. Raises `AskedWrongly` for one that the report does not have, or that says nothing."""
    for given in look.query.keys() - ALWAYS - set(TIME):
        if given not in FILTERS[name]:
            raise AskedWrongly(NO_FILTER, name=given)
    known = {
        given: read_choice(look.query, given, choices_of(name, given))
        for given in FILTERS[name]
        if given in {"guarantee", "status", "step"}
    }
    days = {
        given: read_day(text) for given in ("since", "before") if (text := look.query.get(given, "").strip())
    }
    return Asked(
        contract=look.query.get("contract") or None,
        claim=look.query.get("claim") or None,
        month=_month(look) if name == BORDEREAU else None,
        every=read_choice(look.query, "every", ("true", "false")) == "true",
        **known,  # type: ignore[arg-type]  # texts, each under its name
        **days,  # type: ignore[arg-type]  # dates
    )


def _until(look: Look, reader: Reader) -> date:
    return reported_until(reader, None if look.asked.as_of is None else read_as_of(look.asked.as_of))


def _year(look: Look) -> int | None:
    """Read the year of the incidents. Raises `AskedWrongly` for what is none."""
    said = look.query.get("year", "")
    return read_month(f"{said}-01").year if said else None


def _name(look: Look) -> str:
    name = look.steps["name"]
    if name not in TITLES:
        raise NotThere(NO_REPORT, name=name[:40])
    return name


def _month(look: Look) -> date:
    """Read the bordereau's month; unless asked for, the present one."""
    asked = look.query.get("month", "")
    return read_month(asked) if asked else today_of(look.wiring).replace(day=1)
