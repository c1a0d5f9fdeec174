"""Letters, and records that may be erased: what the time side prepares for people to look at."""

from typing import Final

from projections.web.asked import read_day, today_of
from projections.web.elsewhere import told_elsewhere
from projections.web.page import Look, page_of_look
from projections.web.serving import Pages, Shown
from projections.web.words.codes import REMARKS

ASKED: Final = ("status", "contract")
MOST_PROPOSALS: Final = 200


def register(pages: Pages) -> None:
    """Register the pages."""
    pages.page("/letters", show_letters, letters_twin, takes=("status",), twin_takes=("contract",))
    pages.page("/retention", show_retention, retention_twin, takes=("until",))


def letters_twin(look: Look) -> object:
    """Give what `letters list` prints with the same filters."""
    return told_elsewhere("letters", look.wiring, {name: look.query.get(name, "") for name in ASKED})


def show_letters(look: Look) -> Shown:
    """Show those that wait, or those of one status."""
    status = look.query.get("status") or "waiting"
    shown = told_elsewhere("letters shown", look.wiring, {"status": status})
    page = page_of_look(look, "due")
    return Shown("letters.html", {"page": page, "status": status, "REMARKS": REMARKS} | shown)


def retention_twin(look: Look) -> object:
    """Give what `deadlines retention` prints."""
    return told_elsewhere("retention", look.wiring, _until(look))


def show_retention(look: Look) -> Shown:
    """Show whose records may be erased by a day."""
    asked = _until(look)
    rows = told_elsewhere("retention", look.wiring, asked)
    return Shown(
        "retention.html",
        {
            "page": page_of_look(look, "due"),
            "until": asked.get("until") or today_of(look.wiring).isoformat(),
            "rows": rows[:MOST_PROPOSALS],
            "number": len(rows),
        },
    )


def _until(look: Look) -> dict[str, str]:
    """Read the day. Raises `AskedWrongly` for what is none."""
    until = look.query.get("until", "").strip()
    return {"until": read_day(until).isoformat()} if until else {}
