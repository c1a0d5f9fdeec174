"""Due dates as a list and as a calendar; what is asked for stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from projections.asking.questions import Filters, list_due
from projections.web.asked import looking, read_day, read_month, read_whole, today_of
from projections.web.drawing.months import month_before, next_month, weeks_of
from projections.web.figures import OfDay, due_by_day, due_counts
from projections.web.page import Look, page_of_look
from projections.web.queries import KINDS, STATUSES, DuePlace, DueWanted, due_page
from projections.web.serving import Pages, Shown

PAGE_ROWS: Final = 50


def register(pages: Pages) -> None:
    """Register the list and the calendar."""
    pages.page("/due", show_list, twin)
    pages.page("/due/calendar", show_calendar, calendar_twin)


def _wanted(look: Look) -> DueWanted:
    """Read the filters; without any, what is open. Raises `UsedWrongly` for a date that is none."""
    status = look.query.get("status", "open") or None
    before, from_on = (look.query.get(name, "").strip() for name in ("before", "from"))
    return DueWanted(
        None if status == "all" else status,
        look.query.get("kind") or None,
        read_day(from_on) if from_on else None,
        read_day(before) if before else None,
    )


def twin(look: Look) -> object:
    """Give what `due` prints with the same filters; `kind` and `from` narrow it further."""
    wanted = _wanted(look)
    filters = Filters(
        contract=look.query.get("contract") or None,
        claim=look.query.get("claim") or None,
        guarantee=look.query.get("guarantee") or None,
        before=wanted.before,
        status=wanted.status if "status" in look.query else None,
    )
    with looking(look.wiring, ("due",), look.asked) as reader:
        rows = list_due(reader, filters)
    return [
        row
        for row in rows
        if (wanted.kind is None or row["kind"] == wanted.kind)
        and (wanted.from_on is None or _due_on(row) >= wanted.from_on)
    ]


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
    """Read where the page before ended; what is no such place is none."""
    day, _, rest = look.query.get("after", "").partition(".")
    position, _, opening = rest.partition(".")
    places = read_whole(position), read_whole(opening)
    if None in places:
        return None
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
            "kind": look.query.get("kind") or None,
            "kinds": KINDS,
            "status": look.query.get("status") or None,
        },
    )


def _calendar(look: Look) -> tuple[date, Sequence[OfDay], int]:
    month = _month(look)
    wanted = DueWanted(
        look.query.get("status") or None, look.query.get("kind") or None, month, next_month(month)
    )
    with looking(look.wiring, ("due",), look.asked) as reader:
        return month, due_by_day(reader, wanted), reader.position


def _month(look: Look) -> date:
    asked = look.query.get("month", "")
    return read_month(asked) if asked else today_of(look.wiring).replace(day=1)


def _due_on(row: Mapping[str, object]) -> date:
    day = row["due_on"]
    assert isinstance(day, date)  # noqa: S101  # as the view gives it
    return day
