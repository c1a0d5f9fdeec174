"""Reports: plots of all; each as a table, as JSON and as a file, its rows naming the events behind them."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from projections.exports.files import SENT_FORMATS, spooled
from projections.exports.sheets import Rows, Sheet
from projections.listing import Filters
from projections.queries.cached_counts import promised_days, reserves_by_guarantee
from projections.queries.figures import VIEWS_OF_OVERVIEW, overview
from projections.queries.questions import each_row
from projections.queries.reader import Reader, read_as_of
from projections.queries.reports import reported_until
from projections.views.registry import LISTINGS
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import BadParameter, NotThere
from projections.web.page import PageRequest, page_of_request
from projections.web.presenters.reports import consumption, guarantees, refunds
from projections.web.presenters.tables import columns_of
from projections.web.responses import ALWAYS, NO_FILTER, TIME, Download, Pages, Shown
from projections.web.time_params import looking, read_choice, read_day, read_month, today_of

ROWS_SHOWN: Final = 100
BORDEREAU: Final = "bordereau"
GUARANTEES: Final = "guarantees"
TAKES: Final = (
    *TIME,
    *{name for listing in LISTINGS.values() if listing.is_report for name in listing.filter_names},
)
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


def register_report(pages: Pages) -> None:
    """Register every report."""
    for end in SENT_FORMATS:
        pages.page(f"/reports/{{name}}.{end}", partial(download, end=end), takes=TAKES)
    pages.page("/reports/{name}", show_report, report_as_json, takes=TAKES)


def report_as_json(look: PageRequest) -> object:
    """Return what `report NAME` prints."""
    with _found(look) as found:
        return list(found.rows)


def download(look: PageRequest, end: str) -> Download:
    """Return all rows as a file, amounts in cents; memory does not grow with them."""
    way = SENT_FORMATS[end]
    with _found(look) as found:
        written = way.write(found.rows, found.sheet)
        content = written if way.is_made_first else spooled(written)
        return Download(f"{_name(look)}.{end}", content, way.media_type)


def show_report(look: PageRequest) -> Shown:
    """Show the first rows."""
    name = _name(look)
    with _found(look) as found:
        rows = list(islice(found.rows, ROWS_SHOWN + 1))
    return Shown(
        "report.html",
        {
            "page": page_of_request(look, "reports", position=found.position),
            "name": name,
            "title": TITLES[name],
            "titles": TITLES,
            "rows": rows[:ROWS_SHOWN],
            "has_more": len(rows) > ROWS_SHOWN,
            "columns": columns_of(LISTINGS[name]),
            "month": _month(look) if name == BORDEREAU else None,
            "ways": {end: way.said for end, way in SENT_FORMATS.items() if way.is_there},
        },
    )


class _Found(NamedTuple):
    rows: Rows
    """To be taken while the reader reads."""
    position: int
    sheet: Sheet


@contextmanager
def _found(look: PageRequest) -> Iterator[_Found]:
    """Read a report's rows, one by one."""
    name = _name(look)
    asked = _asked(look, name)
    listing = LISTINGS[name]
    with looking(look.wiring, listing.views, look.asked) as reader:
        if name == GUARANTEES:
            year = _year(look)
            rows = [
                row
                for row in reserves_by_guarantee(reader, _until(look, reader))
                if asked.guarantee in {None, row["guarantee"]} and year in {None, row["incident_year"]}
            ]
            yield _Found(rows, reader.position, listing.sheet)
            return
        with closing(each_row(reader, listing, asked)) as rows_one_by_one:
            yield _Found(rows_one_by_one, reader.position, listing.sheet)


def _asked(look: PageRequest, name: str) -> Filters:
    """Read the filters. Raises `BadParameter` for one that the report does not have, or that says nothing."""
    for given in look.query.keys() - ALWAYS - set(TIME):
        if given not in LISTINGS[name].filter_names:
            raise BadParameter(NO_FILTER, name=given)
    known = {
        given: read_choice(look.query, given, LISTINGS[name].choices_of(given))
        for given in LISTINGS[name].filter_names
        if given in {"guarantee", "status", "step"}
    }
    days = {
        given: read_day(text) for given in ("since", "before") if (text := look.query.get(given, "").strip())
    }
    return Filters(
        contract=look.query.get("contract") or None,
        claim=look.query.get("claim") or None,
        month=_month(look) if name == BORDEREAU else None,
        every=read_choice(look.query, "every", ("true", "false")) == "true",
        **known,  # type: ignore[arg-type]  # texts, each under its name
        **days,  # type: ignore[arg-type]  # dates
    )


def _until(look: PageRequest, reader: Reader) -> date:
    return reported_until(reader, None if look.asked.as_of is None else read_as_of(look.asked.as_of))


def _year(look: PageRequest) -> int | None:
    """Read the year of the incidents. Raises `BadParameter` for what is none."""
    said = look.query.get("year", "")
    return read_month(f"{said}-01").year if said else None


def _name(look: PageRequest) -> str:
    name = look.steps["name"]
    if name not in TITLES:
        raise NotThere(NO_REPORT, name=name[:40])
    return name


def _month(look: PageRequest) -> date:
    """Read the bordereau's month; unless asked for, the present one."""
    asked = look.query.get("month", "")
    return read_month(asked) if asked else today_of(look.wiring).replace(day=1)


def register_reports(pages: Pages) -> None:
    """Register the page."""
    pages.page("/reports", show_reports, reports_as_json, takes=TIME)


def reports_as_json(look: PageRequest) -> object:
    """Return what `report overview` prints."""
    with looking(look.wiring, VIEWS_OF_OVERVIEW, look.asked) as reader:
        return overview(reader)


def show_reports(look: PageRequest) -> Shown:
    """Show the plots and their tables."""
    with looking(look.wiring, VIEWS_OF_OVERVIEW, look.asked) as reader:
        figures = overview(reader)
        position = reader.position
    return Shown(
        "reports.html",
        {
            "page": page_of_request(look, "reports", position=position),
            "titles": TITLES,
            "promised": promised_days(),
            "consumption": consumption(figures["consumed_by_month"], look.words),
            "refunds": refunds(figures["refunds_by_days"], promised_days(), look.words),
            "waiting": figures["refunds_waiting"],
            "guarantees": guarantees(figures["claims_by_guarantee"], look.words),
        },
    )
