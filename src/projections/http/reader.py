"""How a request reads: at one position that the views have reached, in one picture of the database."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from ledger.app import App
from ledger.auth.roles import Caller
from ledger.command_handler import kept_answer
from ledger.domain.command import Day
from ledger.domain.identifiers import Name, StreamRef
from ledger.errors import Rejected, UsageError
from ledger.feed.reader import Cursor, check_position
from ledger.http.openapi import A_DATE, AN_INSTANT
from ledger.http.openapi_responses import POSITION
from ledger.http.parameters import CURSOR, PresentEpoch, places, read_cursor
from ledger.http.problems import Problem
from ledger.http.state import wiring_of
from ledger.privacy.access import Access, Opening
from ledger.store.canonical import stream_id, stream_ref
from projections.exports.files import SENT_FORMATS
from projections.exports.sheets import Row, Rows
from projections.listing import Filters, Listing
from projections.queries.reader import SNAPSHOT, NothingKnown, Reader, known_end, position_as_of, read_as_of
from projections.runner.rows import Paged, PageKey, RowSource
from projections.runner.view import View

Told = TypeVar("Told")

PATIENCE_SECONDS: Final = 5.0
"""The longest that a read waits until a view has caught up."""
LOOK_SECONDS: Final = 0.015

BELONGING: Final = ("claims", "complaints")
"""The views that say which streams belong to a contract."""


@dataclass(frozen=True, slots=True)
class Time:
    """Which time a read stands for, and what it must have seen."""

    on: date | None
    as_of: Cursor | datetime | None
    min_position: Cursor | None
    min_command: str | None


@dataclass(slots=True)
class PagedReader(Reader):
    """A reader to which one view's rows come by pages."""

    listing: Listing | None = None
    after: PageKey | None = None
    limit: int = 0
    paged: Paged | None = field(default=None)
    as_of: Cursor | datetime | None = None
    """As it was asked for; None: the present."""

    def source(self, view: View[object], scope: StreamRef | None = None) -> RowSource:  # type: ignore[override]  # any memory
        """Return a view's rows; those of the list's own view, only the page."""
        found = Reader.source(self, view, scope)
        if self.listing is None or not self.listing.order or view.name != self.listing.view.name:
            return found
        self.paged = Paged(found, self.listing.order, self.after, self.limit)
        return self.paged


def read_time(
    on: Annotated[
        Day | None,
        Query(description="As the business stood on that date, by what is known, corrections included."),
    ] = None,
    as_of: Annotated[
        str | None,
        Query(
            max_length=40,
            description="As known at a position, at an instant with its offset, or by the end of a day.",
            json_schema_extra={
                "oneOf": [{"pattern": "^([1-9][0-9]{0,8}:)?(0|[1-9][0-9]{0,8})$"}, A_DATE, AN_INSTANT]
            },
            examples=["2026-03-01"],
        ),
    ] = None,
    min_position: Annotated[
        str | None,
        Query(
            max_length=40,
            json_schema_extra={"pattern": CURSOR},
            description="Wait until the answer stands at least for this position (a `Ledger-Position`).",
            examples=["4711"],
        ),
    ] = None,
    min_command: Annotated[
        Name | None,
        Query(description="Wait until the answer knows of this command of the caller's."),
    ] = None,
) -> Time:
    """Read which time is asked for. Raises Problem."""
    try:
        known = None if as_of is None else read_as_of(as_of, name="as_of")
    except UsageError as error:
        raise Problem("INVALID", str(error)) from error
    at_least = None if min_position is None else read_cursor("min_position", min_position)
    return Time(on, known, at_least, min_command)


RequestedTime = Annotated[Time, Depends(read_time)]


async def read(
    request: Request,
    caller: Caller,
    views: Sequence[str],
    time: Time,
    tell: Callable[[PagedReader], Told],
    access: Access | None = None,
) -> tuple[Told, Cursor]:
    """Answer one question in a thread, once the views are there; gives the answer and its position.

    `access`: who opens personal values, by what and why; None: they stay sealed. Raises Problem.
    """
    wiring = wiring_of(request)
    wanted = tuple(dict.fromkeys((*views, *(() if time.on is None else BELONGING))))
    await _caught_up(request, caller, wanted, time)

    epochs: PresentEpoch = request.app.state.epochs

    def told() -> tuple[Told, Cursor]:
        with reading(wiring, wanted, time, access) as reader:
            return tell(reader), Cursor(epochs.look(), reader.position)

    return await run_in_threadpool(told)


@contextmanager
def reading(
    wiring: App, views: Sequence[str], time: Time, access: Access | None = None
) -> Iterator[PagedReader]:
    """Yield a reader of these views, as far as they have followed. Raises Problem for an unknown time."""
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        end = known_end(connection, wiring.book, views)
        try:
            with places("as_of"):
                position = position_as_of(connection, wiring.book, time.as_of, end)
        except UsageError as error:
            raise Problem("INVALID", str(error)) from error
        except NothingKnown as error:
            raise Problem("NOTHING_KNOWN", str(error)) from error
        opening = None
        if access is not None:
            opening = Opening(wiring.pool, wiring.store.subject_keys, wiring.book, access)
        yield PagedReader(connection, wiring.book, position, time.on, opening, as_of=time.as_of)


async def _caught_up(request: Request, caller: Caller, views: Sequence[str], time: Time) -> None:
    """Wait until the views have folded what the caller must see. Raises Problem after some seconds."""
    wanted = await _wanted_position(request, caller, time)
    if wanted is None:
        return
    wiring, loop = wiring_of(request), asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    while (reached := await run_in_threadpool(_reached, wiring, views)) < wanted:
        if loop.time() >= until:
            message = f"The views stand at position {reached}, not yet at {wanted}: ask again."
            raise Problem("VIEW_LAGGING", message, headers={"Retry-After": "1"})
        await asyncio.sleep(LOOK_SECONDS)


async def _wanted_position(request: Request, caller: Caller, time: Time) -> int | None:
    wiring = wiring_of(request)
    at_least = None if time.min_position is None else time.min_position.position
    if time.min_position is not None:
        await run_in_threadpool(_check_position, wiring, time.min_position)
    if time.min_command is None:
        return at_least
    first = await run_in_threadpool(wiring.store.answer_of, wiring.book, caller.sender, time.min_command)
    if first is None:
        message = "min_command: you have sent no command under this id."
        raise Problem("INVALID", message)
    events = kept_answer(time.min_command, first.answer).events
    if not events:
        return at_least  # It was refused: there is nothing of it to be seen.
    last = events[-1]
    where = stream_id(wiring.book, stream_ref(last.stream))
    position: int | None = await request.app.state.seals.position_of(where, last.version, PATIENCE_SECONDS)
    if position is None:
        message = "The command is recorded, and not sealed yet: ask again."
        raise Problem("VIEW_LAGGING", message, headers={"Retry-After": "1"})
    return position if at_least is None else max(position, at_least)


def _reached(wiring: App, views: Sequence[str]) -> int:
    with wiring.pool.connection() as connection:
        return known_end(connection, wiring.book, views)


def _check_position(wiring: App, cursor: Cursor) -> None:
    with places("min_position"), wiring.pool.connection() as connection:
        check_position(connection, wiring.book, cursor)


def no_such(reader: Reader, kind: str, number: str) -> Problem:
    """Return the problem that there is no such contract, claim or complaint at the time asked for."""
    on = "" if reader.on is None else f" on {reader.on}"
    message = (
        f"There is no {kind} {number!r}{on} at position {reader.position}: see /v1/{reader.book}/{kind}s."
    )
    return Problem("NOT_FOUND", message)


PAGE_ROWS: Final = 1_000

Ask = Callable[[Reader, Listing, Filters], list[dict[str, object]]]


def download(listing: Listing, end: str, rows: Rows, position: Cursor) -> StreamingResponse:
    """Send a whole list as a file, its rows as they stand at a position.

    A workbook is made before its first byte is sent. Raises Problem where it cannot be made.
    """
    way = SENT_FORMATS[end]
    try:
        content = way.write(rows, listing.sheet)
    except Rejected as error:
        raise Problem("INVALID", str(error)) from error
    stands = str(position).replace(":", "-")
    headers = {
        "Content-Disposition": f'attachment; filename="{listing.name}-{stands}.{end}"',
        POSITION: str(position),
    }
    return StreamingResponse(content, media_type=way.media_type, headers=headers)


def rows_by_pages(
    wiring: App, listing: Listing, filters: Filters, time: Time, position: Cursor, ask: Ask
) -> Iterator[Row]:
    """Yield all rows of a list as they stand at a position, read page by page."""
    after, time = None, replace(time, as_of=position)
    while True:
        with reading(wiring, listing.views, time) as reader:
            reader.listing, reader.after, reader.limit = listing, after, PAGE_ROWS
            rows = ask(reader, listing, filters)
            paged = reader.paged
        yield from rows
        if paged is None or len(rows) < PAGE_ROWS:
            return
        after = paged.places[-1]
