"""Subscriptions: who is told of events, how far each is, what is parked, and what is done about it."""

from collections.abc import Callable
from typing import Final

from ledger.cli.subscriptions import as_json_object, kept_as_json
from projections.web.asked import read_whole
from projections.web.page import Look, page_of_look
from projections.web.serving import Leads, Pages, Shown
from projections.web.words.codes import N_
from projections.web.words.saying_no import AskedWrongly

PLACE: Final = "/feed/subscriptions"

NAME_BOTH: Final = N_("Name the first and the last position to send again, such as 4700 and 4711.")


def register(pages: Pages) -> None:
    """Register the pages, and what changes a subscription."""
    pages.page(PLACE, show_all, twin, right="administer")
    pages.page(f"{PLACE}/{{name}}", show_one, twin_of_one, right="administer", takes=("sent",))
    for action, act in ACTIONS.items():
        pages.form(f"{PLACE}/{{name}}/{action}", _acting(act), right="administer")


def twin(look: Look) -> object:
    """Give what `subscriptions list` prints."""
    return [as_json_object(standing) for standing in look.wiring.subscriptions.all()]


def twin_of_one(look: Look) -> object:
    """Give what `subscriptions show` prints."""
    name = look.steps["name"]
    standing, kept = look.wiring.subscriptions.one(name), look.wiring.subscriptions.kept(name)
    return as_json_object(standing) | {"kept": [kept_as_json(one) for one in kept]}


def show_all(look: Look) -> Shown:
    """Show all."""
    return Shown(
        "subscriptions.html",
        {"page": page_of_look(look, "feed"), "standings": look.wiring.subscriptions.all()},
    )


def show_one(look: Look) -> Shown:
    """Show one with the events that it was not given yet."""
    name = look.steps["name"]
    return Shown(
        "subscription.html",
        {
            "page": page_of_look(look, "feed"),
            "standing": look.wiring.subscriptions.one(name),
            "kept": look.wiring.subscriptions.kept(name),
            "done": read_whole(look.query.get("sent", "")),
        },
    )


def _pause(look: Look, name: str) -> None:
    look.wiring.subscriptions.pause(name, look.typed.get("because", "").strip()[:200] or None)


def _resume(look: Look, name: str) -> None:
    look.wiring.subscriptions.resume(name)


def _resend(look: Look, name: str) -> int:
    first, last = (read_whole(look.typed.get(field, "").strip()) for field in ("first", "last"))
    if first is None or last is None:
        raise AskedWrongly(NAME_BOTH)
    return look.wiring.subscriptions.resend(name, first, last)


def _replay_parked(look: Look, name: str) -> int:
    return look.wiring.subscriptions.replay_parked(name)


Act = Callable[[Look, str], int | None]

ACTIONS: Final[dict[str, Act]] = {
    "pause": _pause,
    "resume": _resume,
    "resend": _resend,
    "replay-parked": _replay_parked,
}


def _acting(act: Act) -> Callable[[Look], Leads]:
    def acting(look: Look) -> Leads:
        name = look.steps["name"]
        number = act(look, name)
        return Leads(f"{PLACE}/{name}" + ("" if number is None else f"?sent={number}"))

    return acting
