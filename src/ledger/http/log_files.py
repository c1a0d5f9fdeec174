"""The log as files for any C2SP client: its signed head, open to all, and its tiles, for auditors.

A client takes `/v1/{book}/` for the log's prefix: `checkpoint` and `tile/…` lie below it (C2SP tlog-tiles).
"""

from typing import Annotated, Final, NoReturn

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from ledger.app import App
from ledger.auth.roles import Caller
from ledger.http.callers import needs
from ledger.http.openapi_responses import described
from ledger.http.parameters import tagged
from ledger.http.problems import Problem
from ledger.http.state import PREFIX, Book, wiring_of
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.proofs.tiles import (
    TILE_WIDTH,
    Entries,
    Tile,
    join_entries,
    parse_entries_path,
    parse_tile_path,
    width_at,
)
from ledger.store.log import newest_checkpoint, select_leaves, select_nodes
from ledger.store.pool import Connection

PLAIN: Final = "text/plain; charset=utf-8"
OCTETS: Final = "application/octet-stream"

KEPT: Final = {"Cache-Control": "private, max-age=3600"}
"""A tile never changes within an epoch of the log; a later epoch may part from it."""


def routes(_wiring: App) -> APIRouter:
    """Return the routes of the log."""
    router = APIRouter(prefix=PREFIX, tags=["log"])
    router.get(
        "/checkpoint",
        summary="The log's signed head",
        operation_id="checkpoint",
        response_model=None,
        responses=described({200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}, 404, 503),
    )(checkpoint)
    router.get(
        "/tile/{path:path}",
        summary="A tile of the log, or a bundle of its entries",
        operation_id="tile",
        response_model=None,
        responses=described(
            {200: {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}}, 404, 422, 503
        ),
    )(tile)
    return router


async def checkpoint(request: Request, book: Book) -> Response:
    """Give the newest signed head (C2SP tlog-checkpoint). Open to all, so that anybody may keep it."""

    def read() -> str | None:
        with wiring_of(request).pool.connection() as connection:
            return newest_checkpoint(connection, book)

    note = await run_in_threadpool(read)
    if note is None:
        message = "No head is signed yet: nothing is recorded."
        raise Problem("NOT_FOUND", message)
    return tagged(request, Response(note, media_type=PLAIN))


async def tile(
    request: Request,
    book: Book,
    _caller: Annotated[Caller, needs("proofs")],
    path: Annotated[
        str,
        Path(
            max_length=64,
            description="`<L>/<N>[.p/<W>]`, or `entries/<N>[.p/<W>]`, N in groups of three digits.",
            examples=["0/000.p/17", "entries/x001/234"],
        ),
    ],
) -> Response:
    """Give a tile of hashes, or the entries (leaves) of one, as far as the newest head covers it."""
    found: Tile | Entries | None = parse_tile_path(f"tile/{path}") or parse_entries_path(f"tile/{path}")
    if found is None:
        message = f"There is no tile of this name: write it as {Tile(0, 0, 17).path[5:]} (C2SP tlog-tiles)."
        raise Problem("NOT_FOUND", message)

    def read() -> bytes:
        with wiring_of(request).pool.connection() as connection:
            note = newest_checkpoint(connection, book)
            size = 0 if note is None else peek_checkpoint(note).size
            if isinstance(found, Tile):
                return _hashes(connection, book, found, size)
            return _entries(connection, book, found, size)

    return tagged(request, Response(await run_in_threadpool(read), media_type=OCTETS, headers=KEPT))


def _hashes(connection: Connection, book: str, tile: Tile, size: int) -> bytes:
    if tile.width > width_at(tile.level, tile.number, size):
        _beyond(size)
    return b"".join(select_nodes(connection, book, tile.nodes))


def _entries(connection: Connection, book: str, entries: Entries, size: int) -> bytes:
    first = entries.number * TILE_WIDTH
    if first + entries.width > size:
        _beyond(size)
    return join_entries(select_leaves(connection, book, first, first + entries.width))


def _beyond(size: int) -> NoReturn:
    message = f"The newest head covers {size} entries, and this tile holds more: read the head again."
    raise Problem("NOT_FOUND", message)
