"""Due dates as a list and as a calendar; what is asked for stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from projections.asking.filters import FILTERS, choices_of
from projections.asking.questions import Filters, list_due
from projections.web.asked import (
    ALL,
    NO_PLACE,
    looking,
    read_choice,
    read_day,
    read_month,
    read_whole,
    today_of,
)
from projections.web.drawing.months import month_before, next_month, weeks_of
from projections.web.figures import OfDay, due_by_day, due_counts
from projections.web.page import Look, page_of_look
from projections.web.queries import KINDS, STATUSES, DuePlace, DueWanted, due_page
from projections.web.serving import TIME, Pages, Shown
from projections.web.words.saying_no import AskedWrongly

PAGE_ROWS: Final = 50


def register(pages: Pages) -> None:
    """Register the list and the calendar."""
    shown = ("status", "kind", *TIME)
    pages.page("/due", show_list, twin, takes=(*shown, "from", "before", "after"), twin_takes=FILTERS["due"])
    of_month = [name for name in FILTERS["due"] if name not in {"from", "before"}]
    pages.page("/due/calendar", show_calendar, calendar_twin, takes=(*shown, "month"), twin_takes=of_month)


def _wanted(look: Look) -> DueWanted:
    """Read the filters; without any, what is open. Raises `AskedWrongly` for what is no date or no choice."""
    before, from_on = (look.query.get(name, "").strip() for name in ("before", "from"))
    return DueWanted(
        _status({"status": "open", **look.query}),
        read_choice(look.query, "kind", KINDS),
        read_day(from_on) if from_on else None,
        read_day(before) if before else None,
    )


def _status(query: Mapping[str, str]) -> str | None:
    status = read_choice(query, "status", (*STATUSES, ALL))
    return None if status == ALL else status


def twin(look: Look) -> object:
    """Give what `due` prints with the same filters."""
    before, from_on = (look.query.get(name, "").strip() for name in ("before", "from"))
    filters = Filters(
        contract=look.query.get("contract") or None,
        claim=look.query.get("claim") or None,
        guarantee=read_choice(look.query, "guarantee", choices_of("due", "guarantee")),
        before=read_day(before) if before else None,
        status=_status(look.query),
        kind=read_choice(look.query, "kind", choices_of("due", "kind")),
        from_on=read_day(from_on) if from_on else None,
    )
    with looking(look.wiring, ("due",), look.asked) as reader:
        return list_due(reader, filters)


def show_list(look: Look) -> Shown:
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
            "page": page_of_look(look, "due", position=position),
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


def _place(look: Look) -> DuePlace | None:
    """Read where the page before ended. Raises `AskedWrongly` for what is no such place."""
    after = look.query.get("after", "")
    if not after:
        return None
    day, _, rest = after.partition(".")
    position, _, opening = rest.partition(".")
    places = read_whole(position), read_whole(opening)
    if None in places:
        raise AskedWrongly(NO_PLACE, asked=after[:40])
    return DuePlace(read_day(day), *places)  # type: ignore[arg-type]  # none of them is None


def calendar_twin(look: Look) -> object:
    """Give the due rows of the month, as `due` prints them."""
    month = _month(look)
    query = dict(look.query) | {"from": month.isoformat(), "before": next_month(month).isoformat()}
    return twin(replace(look, query=query))


def show_calendar(look: Look) -> Shown:
    """Show a month."""
    month, figures, position = _calendar(look)
    items: dict[date, list[OfDay]] = {}
    for of_day in figures:
        items.setdefault(of_day.due_on, []).append(of_day)
    return Shown(
        "calendar.html",
        {
            "page": page_of_look(look, "due", position=position),
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


def _calendar(look: Look) -> tuple[date, Sequence[OfDay], int]:
    month = _month(look)
    kind = read_choice(look.query, "kind", KINDS)
    wanted = DueWanted(_status(look.query), kind, month, next_month(month))
    with looking(look.wiring, ("due",), look.asked) as reader:
        return month, due_by_day(reader, wanted), reader.position


def _month(look: Look) -> date:
    asked = look.query.get("month", "")
    return read_month(asked) if asked else today_of(look.wiring).replace(day=1)
