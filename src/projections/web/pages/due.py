"""What time brings: today, due dates as a list and as a calendar, letters, and records that may be erased."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from projections.cancellation_requests import requests
from projections.listing import Filters
from projections.queries.cached_counts import OfDay, due_by_day, due_counts
from projections.queries.figures import VIEWS_OF_TODAY, today_figures
from projections.queries.list_pages import KINDS, STATUSES, DueListFilter, DuePageKey, due_page
from projections.queries.questions import list_due
from projections.views.due import LISTED as DUE
from projections.web.charts import month_before, next_month, weeks_of
from projections.web.i18n.codes import REMARKS
from projections.web.i18n.problems import BadParameter
from projections.web.page import PageRequest, page_of_request
from projections.web.responses import TIME, Pages, Shown
from projections.web.time_params import (
    ALL,
    NO_PLACE,
    looking,
    read_choice,
    read_day,
    read_month,
    read_whole,
    today_of,
)


def register_today(pages: Pages) -> None:
    """Register the page."""
    pages.page("/", show_today, today_as_json, takes=(*TIME, "sign_in"))


def today_as_json(look: PageRequest) -> object:
    """Return what `coverledger today --json` prints."""
    with looking(look.wiring, VIEWS_OF_TODAY, look.asked) as reader:
        return today_figures(reader, today_of(look.wiring))


def show_today(look: PageRequest) -> Shown:
    """Show it."""
    with looking(look.wiring, VIEWS_OF_TODAY, look.asked) as reader:
        told = today_figures(reader, today_of(look.wiring))
        position = reader.position
        waiting = requests(reader.connection, reader.book, state="waiting")
    values = {
        "page": page_of_request(look, "today", position=position),
        "told": told,
        "waiting": waiting,
        "unwell": look.wiring.states.unwell() if look.visitor.may_command else [],
    }
    return Shown("today.html", values)


PAGE_ROWS: Final = 50


def register_due(pages: Pages) -> None:
    """Register the list and the calendar."""
    shown = ("status", "kind", *TIME)
    pages.page(
        "/due", show_list, due_as_json, takes=(*shown, "from", "before", "after"), json_takes=DUE.filter_names
    )
    of_month = [name for name in DUE.filter_names if name not in {"from", "before"}]
    pages.page("/due/calendar", show_calendar, calendar_as_json, takes=(*shown, "month"), json_takes=of_month)


def _wanted(look: PageRequest) -> DueListFilter:
    """Read the filters; without any, what is open. Raises `BadParameter` for what is no date or no choice."""
    before, from_on = (look.query.get(name, "").strip() for name in ("before", "from"))
    return DueListFilter(
        _status({"status": "open", **look.query}),
        read_choice(look.query, "kind", KINDS),
        read_day(from_on) if from_on else None,
        read_day(before) if before else None,
    )


def _status(query: Mapping[str, str]) -> str | None:
    status = read_choice(query, "status", (*STATUSES, ALL))
    return None if status == ALL else status


def due_as_json(look: PageRequest) -> object:
    """Return what `due` prints with the same filters."""
    before, from_on = (look.query.get(name, "").strip() for name in ("before", "from"))
    filters = Filters(
        contract=look.query.get("contract") or None,
        claim=look.query.get("claim") or None,
        guarantee=read_choice(look.query, "guarantee", DUE.choices_of("guarantee")),
        before=read_day(before) if before else None,
        status=_status(look.query),
        kind=read_choice(look.query, "kind", DUE.choices_of("kind")),
        from_on=read_day(from_on) if from_on else None,
    )
    with looking(look.wiring, ("due",), look.asked) as reader:
        return list_due(reader, filters)


def show_list(look: PageRequest) -> Shown:
    """Show a page of the list, the earliest first."""
    wanted = _wanted(look)
    with looking(look.wiring, ("due",), look.asked) as reader:
        found = due_page(reader, wanted, _place(look), PAGE_ROWS + 1)
        counts = due_counts(reader, replace(wanted, kind=None))  # Each kind is counted, whichever is shown.
        position = reader.position
    rows = found[:PAGE_ROWS]
    last = rows[-1] if len(found) > PAGE_ROWS else None
    return Shown(
        "due.html",
        {
            "page": page_of_request(look, "due", position=position),
            "wanted": wanted,
            "status": wanted.status or "all",
            "rows": rows,
            "counts": counts,
            "total": sum(counts.values()),
            "kinds": KINDS,
            "statuses": STATUSES,
            "next_after": None
            if last is None
            else f"{last['due_on']}.{last['subject_position']}.{last['opening']}",
            "is_first": "after" not in look.query,
        },
    )


def _place(look: PageRequest) -> DuePageKey | None:
    """Read where the page before ended. Raises `BadParameter` for what is no such place."""
    after = look.query.get("after", "")
    if not after:
        return None
    day, _, rest = after.partition(".")
    position, _, opening = rest.partition(".")
    places = read_whole(position), read_whole(opening)
    if None in places:
        raise BadParameter(NO_PLACE, asked=after[:40])
    return DuePageKey(read_day(day), *places)  # type: ignore[arg-type]  # none of them is None


def calendar_as_json(look: PageRequest) -> object:
    """Return the due rows of the month, as `due` prints them."""
    month = _month(look)
    query = dict(look.query) | {"from": month.isoformat(), "before": next_month(month).isoformat()}
    return due_as_json(replace(look, query=query))


def show_calendar(look: PageRequest) -> Shown:
    """Show a month."""
    month, figures, position = _calendar(look)
    items: dict[date, list[OfDay]] = {}
    for of_day in figures:
        items.setdefault(of_day.due_on, []).append(of_day)
    return Shown(
        "calendar.html",
        {
            "page": page_of_request(look, "due", position=position),
            "month": month,
            "before": month_before(month),
            "after": next_month(month),
            "weeks": weeks_of(month, items),
            "figures": figures,
            "kind": read_choice(look.query, "kind", KINDS),
            "kinds": KINDS,
            "status": _status(look.query),
        },
    )


def _calendar(look: PageRequest) -> tuple[date, Sequence[OfDay], int]:
    month = _month(look)
    kind = read_choice(look.query, "kind", KINDS)
    wanted = DueListFilter(_status(look.query), kind, month, next_month(month))
    with looking(look.wiring, ("due",), look.asked) as reader:
        return month, due_by_day(reader, wanted), reader.position


def _month(look: PageRequest) -> date:
    asked = look.query.get("month", "")
    return read_month(asked) if asked else today_of(look.wiring).replace(day=1)


ASKED: Final = ("status", "contract")
MOST_PROPOSALS: Final = 200


def register_letters(pages: Pages) -> None:
    """Register the pages."""
    pages.page("/letters", show_letters, letters_as_json, takes=("status",), json_takes=("contract",))
    pages.page("/retention", show_retention, retention_as_json, takes=("until",))


def letters_as_json(look: PageRequest) -> object:
    """Return what `letters list` prints with the same filters."""
    return look.wiring.listed("letters", {name: look.query.get(name, "") for name in ASKED})


def show_letters(look: PageRequest) -> Shown:
    """Show those that wait, or those of one status."""
    status = look.query.get("status") or "waiting"
    shown = look.wiring.listed("letters shown", {"status": status})
    page = page_of_request(look, "due")
    return Shown("letters.html", {"page": page, "status": status, "REMARKS": REMARKS} | shown)


def retention_as_json(look: PageRequest) -> object:
    """Return what `deadlines retention` prints."""
    return look.wiring.listed("retention", _until(look))


def show_retention(look: PageRequest) -> Shown:
    """Show whose records may be erased by a day."""
    asked = _until(look)
    rows = look.wiring.listed("retention", asked)
    return Shown(
        "retention.html",
        {
            "page": page_of_request(look, "due"),
            "until": asked.get("until") or today_of(look.wiring).isoformat(),
            "rows": rows[:MOST_PROPOSALS],
            "number": len(rows),
        },
    )


def _until(look: PageRequest) -> dict[str, str]:
    """Read the day. Raises `BadParameter` for what is none."""
    until = look.query.get("until", "").strip()
    return {"until": read_day(until).isoformat()} if until else {}
