"""Whether the program lives, whether it can serve, and its metrics."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from ledger.http.callers import needs
from ledger.http.served import wiring_of
from ledger.migrate import pending
from ledger.rights.caller import Caller
from ledger.store.errors import MigrationRefused, Unreachable
from ledger.store.examining import examine_feed
from ledger.wiring import Wiring

MOST_LAG_POSITIONS: Final = 10_000
"""A follower that is further behind makes the ledger not ready: its answers would be of long ago."""

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Readiness(BaseModel):
    """Whether the ledger can serve; what is not `well` says why."""

    ready: bool
    database: Literal["well", "away"]
    migrations: Literal["well", "pending", "unknown"]
    lag: dict[str, int] = {}
    """Follower → positions that it is behind the feed's end."""
    unsealed: int = 0
    """Commits that wait for their position."""


def routes(_wiring: Wiring) -> APIRouter:
    """Give the routes that watch over the program (group `claims_ledger.routes`)."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", summary="Does the program live?", response_model=None)
    async def live() -> Response:
        """Answer as long as requests are served at all; asks no database. Open to all."""
        return JSONResponse({"live": True})

    @router.get(
        "/readyz",
        summary="Can it serve?",
        response_model=None,
        responses={200: {"model": Readiness}, 503: {"model": Readiness, "description": "Not ready"}},
    )
    async def ready(request: Request) -> Response:
        """Say whether the database answers, its schema is up to date, the followers keep up. Open to all."""
        found = await run_in_threadpool(readiness, wiring_of(request))
        return JSONResponse(found.model_dump(), 200 if found.ready else 503)

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_model=None,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics(request: Request, _caller: Annotated[Caller, needs("metrics")]) -> Response:
        """Give counts and latencies of requests and commands, the feed's end, and each follower's lag."""
        text: bytes = await run_in_threadpool(request.app.state.counts.text)
        return Response(text, media_type=TEXT_FORMAT)

    return router


def readiness(wiring: Wiring) -> Readiness:
    """Find out whether the ledger can serve."""
    try:
        with wiring.pool.connection() as connection:
            feed = examine_feed(connection, wiring.book)
    except Unreachable:
        return Readiness(ready=False, database="away", migrations="unknown")
    migrations = _migrations(wiring)
    lag = {name: feed.end - position for name, position in feed.followers.items()}
    keeps_up = all(behind <= MOST_LAG_POSITIONS for behind in lag.values())
    return Readiness(
        ready=migrations == "well" and keeps_up,
        database="well",
        migrations=migrations,
        lag=lag,
        unsealed=feed.unsealed,
    )


def _migrations(wiring: Wiring) -> Literal["well", "pending", "unknown"]:
    try:
        return "pending" if pending(wiring.ways.migrate) else "well"
    except (MigrationRefused, Unreachable):
        return "unknown"
