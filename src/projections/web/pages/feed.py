"""The feed, newest first, nothing personal; its subscriptions, how far each is, what is done about it."""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from ledger.domain.registry import EVENT_TYPES
from ledger.feed.reader import position_after, read_feed
from ledger.store.feed import feed_end
from ledger.store.pool import Connection
from projections.maintenance.status import parked
from projections.queries.replay import Told, told_with_payloads
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import BadParameter
from projections.web.page import PageRequest, page_of_request
from projections.web.responses import Leads, Pages, Shown
from projections.web.time_params import read_whole

PAGE_ROWS: Final = 50
BATCH: Final = 500
"""Positions read at once."""
FURTHEST_BACK: Final = 40
"""Batches read for one page of a rare type, before it is shown as it is."""

NO_TYPE: Final = N_("There is no event type “%(name)s”: choose one of the list.")
NO_POSITION: Final = N_("“%(asked)s” is no position: write it as 4711.")


def register_feed(pages: Pages) -> None:
    """Register the page."""
    pages.page("/feed", show_feed, feed_as_json, right="feed", takes=("type", "below"), json_takes=("since",))


def feed_as_json(look: PageRequest) -> object:
    """Return what `events --since` prints."""
    types = _types(look)
    wiring = look.wiring
    since = look.query.get("since", "")
    epoch = wiring.book_row().epoch
    told: list[Told] = []
    with wiring.pool.connection() as connection:
        at = position_after(connection, wiring.book, since) if since else -1
        end = feed_end(connection, wiring.book)
        while at < end:
            found = read_feed(connection, wiring.book, at, min(BATCH, end - at), types)
            told += [
                event | {"epoch": epoch, "cursor": f"{epoch}:{event['position']}"}
                for event in told_with_payloads(connection, wiring.book, found)
            ]
            at += min(BATCH, end - at)
    return told


def show_feed(look: PageRequest) -> Shown:
    """Show a page of events, the newest first."""
    types = _types(look)
    below = _position(look, "below")
    wiring = look.wiring
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
        start = end + 1 if below is None else min(below, end + 1)
        found, reached = _page(connection, wiring.book, start, types)
        held_back = parked(connection, wiring.book)
    return Shown(
        "feed.html",
        {
            "page": page_of_request(look, "feed", position=end),
            "rows": found,
            "types": sorted(EVENT_TYPES),
            "type": look.query.get("type") or None,
            "next_below": reached if reached > 0 else None,
            "is_first": below is None,
            "parked": held_back,
        },
    )


def _page(
    connection: Connection, book: str, start: int, types: Collection[str] | None
) -> tuple[list[Told], int]:
    """Return events below a position, the newest first, and the lowest position that was looked at."""
    rows: list[Told] = []
    top = start
    for events in _batches_back(connection, book, start, types):
        top, found = events
        rows += reversed(found)
        if len(rows) >= PAGE_ROWS:
            rows = rows[:PAGE_ROWS]
            top = int(str(rows[-1]["position"]))
            break
    return rows, top


def _batches_back(
    connection: Connection, book: str, start: int, types: Collection[str] | None
) -> Iterator[tuple[int, list[Told]]]:
    size = PAGE_ROWS if types is None else BATCH
    for _ in range(FURTHEST_BACK):
        if start <= 0:
            return
        below = max(0, start - size)
        found = read_feed(connection, book, below - 1, start - below, types)
        yield below, told_with_payloads(connection, book, found)
        start = below


def _types(look: PageRequest) -> Collection[str] | None:
    asked = look.query.get("type", "")
    if not asked:
        return None
    if asked not in EVENT_TYPES:
        raise BadParameter(NO_TYPE, name=asked[:60])
    return (asked,)


def _position(look: PageRequest, name: str) -> int | None:
    asked = look.query.get(name, "")
    if not asked:
        return None
    position = read_whole(asked)
    if position is None:
        raise BadParameter(NO_POSITION, asked=asked[:40])
    return position


PLACE: Final = "/feed/subscriptions"

NAME_BOTH: Final = N_("Name the first and the last position to send again, such as 4700 and 4711.")


def register_subscriptions(pages: Pages) -> None:
    """Register the pages, and what changes a subscription."""
    pages.page(PLACE, show_all, subscriptions_as_json, right="administer")
    pages.page(f"{PLACE}/{{name}}", show_one, subscription_as_json, right="administer", takes=("sent",))
    for action, act in ACTIONS.items():
        pages.form(f"{PLACE}/{{name}}/{action}", _acting(act), right="administer")


def subscriptions_as_json(look: PageRequest) -> object:
    """Return what `subscriptions list` prints."""
    return [standing.as_json() for standing in look.wiring.subscriptions.all()]


def subscription_as_json(look: PageRequest) -> object:
    """Return what `subscriptions show` prints."""
    name = look.steps["name"]
    standing, kept = look.wiring.subscriptions.one(name), look.wiring.subscriptions.kept(name)
    return standing.as_json() | {"kept": [one.as_json() for one in kept]}


def show_all(look: PageRequest) -> Shown:
    """Show all."""
    return Shown(
        "subscriptions.html",
        {"page": page_of_request(look, "feed"), "standings": look.wiring.subscriptions.all()},
    )


def show_one(look: PageRequest) -> Shown:
    """Show one with the events that it was not given yet."""
    name = look.steps["name"]
    return Shown(
        "subscription.html",
        {
            "page": page_of_request(look, "feed"),
            "standing": look.wiring.subscriptions.one(name),
            "kept": look.wiring.subscriptions.kept(name),
            "done": read_whole(look.query.get("sent", "")),
        },
    )


def _pause(look: PageRequest, name: str) -> None:
    look.wiring.subscriptions.pause(name, look.typed.get("because", "").strip()[:200] or None)


def _resume(look: PageRequest, name: str) -> None:
    look.wiring.subscriptions.resume(name)


def _resend(look: PageRequest, name: str) -> int:
    first, last = (read_whole(look.typed.get(field, "").strip()) for field in ("first", "last"))
    if first is None or last is None:
        raise BadParameter(NAME_BOTH)
    return look.wiring.subscriptions.resend(name, first, last)


def _replay_parked(look: PageRequest, name: str) -> int:
    return look.wiring.subscriptions.replay_parked(name)


Act = Callable[[PageRequest, str], int | None]

ACTIONS: Final[dict[str, Act]] = {
    "pause": _pause,
    "resume": _resume,
    "resend": _resend,
    "replay-parked": _replay_parked,
}


def _acting(act: Act) -> Callable[[PageRequest], Leads]:
    def acting(look: PageRequest) -> Leads:
        name = look.steps["name"]
        number = act(look, name)
        return Leads(f"{PLACE}/{name}" + ("" if number is None else f"?sent={number}"))

    return acting
