"""Whether the program lives, whether it can serve, and its metrics."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from ledger.http.callers import needs
from ledger.http.served import wiring_of
from ledger.http.watch import Database, Home, Migrations, Watch
from ledger.rights.caller import Caller
from ledger.supervision import StateName
from ledger.wiring import Wiring

MOST_LAG_POSITIONS: Final = 10_000
"""A follower that is further behind makes the ledger not ready: its answers would be of long ago."""

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


class ServiceReadiness(BaseModel):
    """How one service of `up` is."""

    state: StateName
    """It is well while starting, running or idle."""
    since: datetime
    error: str | None
    """What ended it last, or halts a part of it."""
    restarts: int
    moved: float | None
    """Seconds since it last showed that it moves; null: never yet, or it has nothing to do."""
    matters: bool
    """Whether the ledger is ready only while it is well."""


class Readiness(BaseModel):
    """Whether the ledger can serve; what is not `well` says why."""

    ready: bool
    database: Database
    """`slow`: no answer in time. `full`: no room on its disk. `read_only`: it takes no writes."""
    migrations: Migrations
    home: Home
    """Whether files can be written where the home and the kept heads are."""
    lag: dict[str, int] = {}
    """Follower → positions that it is behind the feed's end."""
    unsealed: int = 0
    """Commits that wait for their position."""
    services: dict[str, ServiceReadiness] = {}
    """Each service of `up`; none where nothing but HTTP runs."""


def routes(_wiring: Wiring) -> APIRouter:
    """Give the routes that watch over the program (group `coverledger.routes`)."""
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
        """Say whether the database answers and has room, followers keep up, services run. Open to all."""
        found = await run_in_threadpool(readiness, wiring_of(request), request.app.state.watch)
        return JSONResponse(found.model_dump(mode="json"), 200 if found.ready else 503)

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_model=None,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics(request: Request, _caller: Annotated[Caller, needs("metrics")]) -> Response:
        """Give counts and latencies of requests and commands, feed's end, followers' lag, services."""
        text: bytes = await run_in_threadpool(request.app.state.counts.text)
        return Response(text, media_type=TEXT_FORMAT)

    return router


def readiness(wiring: Wiring, watch: Watch) -> Readiness:
    """Find out whether the ledger can serve."""
    found, states = watch.found(), wiring.states.all()
    feed = found.feed
    lag = {} if feed is None else {name: feed.end - position for name, position in feed.followers.items()}
    ready = (
        (found.database, found.migrations, found.home) == ("well", "well", "well")
        and all(behind <= MOST_LAG_POSITIONS for behind in lag.values())
        and all(state.is_well for state in states if state.matters)
    )
    return Readiness(
        ready=ready,
        database=found.database,
        migrations=found.migrations,
        home=found.home,
        lag=lag,
        unsealed=0 if feed is None else feed.unsealed,
        services={state.name: ServiceReadiness.model_validate(state.as_json()) for state in states},
    )
