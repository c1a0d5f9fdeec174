"""The feed: every sealed event in order, newest first; what each says, nothing personal."""

from collections.abc import Collection, Iterator
from typing import Final

from ledger.domain.registry import EVENT_TYPES
from ledger.feed.reader import position_after, read_feed
from ledger.store.feed import feed_end
from ledger.store.pool import Connection
from projections.replay.feed_rows import told_with_payloads
from projections.replay.telling import Told
from projections.upkeep.standing import parked
from projections.web.asked import read_whole
from projections.web.page import Look, page_of_look
from projections.web.serving import Pages, Shown
from projections.web.words.codes import N_
from projections.web.words.saying_no import AskedWrongly

PAGE_ROWS: Final = 50
BATCH: Final = 500
"""Positions read at once."""
FURTHEST_BACK: Final = 40
"""Batches read for one page of a rare type, before it is shown as it is."""

NO_TYPE: Final = N_("There is no event type “%(name)s”: choose one of the list.")
NO_POSITION: Final = N_("“%(asked)s” is no position: write it as 4711.")


def register(pages: Pages) -> None:
    """Register the page."""
    pages.page("/feed", show, twin, right="feed", takes=("type", "below"), twin_takes=("since",))


def twin(look: Look) -> object:
    """Give what `events --since` prints."""
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


def show(look: Look) -> Shown:
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
            "page": page_of_look(look, "feed", position=end),
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
    """Give events below a position, the newest first, and the lowest position that was looked at."""
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


def _types(look: Look) -> Collection[str] | None:
    asked = look.query.get("type", "")
    if not asked:
        return None
    if asked not in EVENT_TYPES:
        raise AskedWrongly(NO_TYPE, name=asked[:60])
    return (asked,)


def _position(look: Look, name: str) -> int | None:
    asked = look.query.get(name, "")
    if not asked:
        return None
    position = read_whole(asked)
    if position is None:
        raise AskedWrongly(NO_POSITION, asked=asked[:40])
    return position
