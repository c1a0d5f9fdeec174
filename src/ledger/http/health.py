"""Whether the program lives, whether it can serve, and its metrics.

However many ask, and whatever hangs, one thread looks: who asks meanwhile waits for its word for
`ANSWER_SECONDS` at most, and is told that the database does not answer.
"""

import errno
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Annotated, Final, Literal, NamedTuple

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from ledger.app import App
from ledger.attempts import FailingItem, failing
from ledger.auth.roles import Caller
from ledger.http.callers import needs
from ledger.http.state import wiring_of
from ledger.migrate import pending
from ledger.store.diagnostics import FeedFound, examine_feed, has_room, takes_writes
from ledger.store.errors import DatabaseUnavailable, MigrationRefused
from ledger.store.retry import has_no_room, is_away
from ledger.supervision import StateName
from ledger.webhooks.problems import SubscriptionProblem, subscription_problems
from ledger.webhooks.subscriptions import SubscriptionStatus, subscription_statuses

ANSWER_SECONDS: Final = 5.0
ROOM_SECONDS: Final = 10.0
"""Between two looks whether there is room on the disks; sooner while there is none."""
PROBE_BYTES: Final = 65_536

Database = Literal["well", "away", "slow", "full", "read_only"]
Migrations = Literal["well", "pending", "unknown"]
Home = Literal["well", "full", "read_only", "gone"]

_HOMES: Final[dict[int, Home]] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.ENOENT: "gone",
    errno.ENOTDIR: "gone",
}


class Found(NamedTuple):
    """What the ledger stands on, as it was found."""

    database: Database
    migrations: Migrations = "unknown"
    home: Home = "well"
    feed: FeedFound | None = None
    failing: Sequence[FailingItem] = ()
    subscribers: Sequence[SubscriptionStatus] = ()
    troubles: Sequence[SubscriptionProblem] = ()


class Watch:
    """Looks at the database and the home of one book."""

    def __init__(self, wiring: App) -> None:
        """Look at nothing before somebody asks."""
        self._wiring = wiring
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._newest: Future[Found] | None = None
        self._begun_at = 0.0
        self._room_at = 0.0
        self._database: Database = "well"
        self._lock = Lock()

    def found(self) -> Found:
        """Return how it is. Waits `ANSWER_SECONDS` at most, less where somebody waits already."""
        with self._lock:
            newest = self._newest
            if newest is None or newest.done():
                newest = self._newest = self._looking.submit(self._look)
                self._begun_at = monotonic()
            patience = self._begun_at + ANSWER_SECONDS - monotonic()
        try:
            return newest.result(max(0.0, patience))
        except TimeoutError:
            return Found("slow", home=self._home())

    def close(self) -> None:
        """Look no more."""
        self._looking.shutdown(wait=False)

    def _look(self) -> Found:
        wiring, home = self._wiring, self._home()
        try:
            with wiring.pool.connection() as connection:
                feed, items = examine_feed(connection, wiring.book), failing(connection, wiring.book)
                subscribers = subscription_statuses(connection, wiring.book)
                troubled = subscription_problems(connection, wiring.book)
            return Found(self._room(), self._migrations(), home, feed, items, subscribers, troubled)
        except Exception as error:
            if has_no_room(error):
                return Found("full", home=home)
            if is_away(error):
                return Found("away", home=home)
            raise

    def _room(self) -> Database:
        """Look whether the database takes what is recorded: seldom, for it costs something."""
        if self._database == "well" and monotonic() < self._room_at + ROOM_SECONDS:
            return "well"
        self._room_at = monotonic()
        with self._wiring.pool.transaction() as connection:
            if not takes_writes(connection):
                self._database = "read_only"
            else:
                self._database = "well" if has_room(connection) else "full"
        return self._database

    def _migrations(self) -> Migrations:
        try:
            return "pending" if pending(self._wiring.ways.migrate) else "well"
        except (MigrationRefused, DatabaseUnavailable):
            return "unknown"

    def _home(self) -> Home:
        for folder in self._folders():
            try:
                with tempfile.TemporaryFile(dir=folder) as probe:
                    probe.write(b"\0" * PROBE_BYTES)
                    probe.flush()
            except OSError as error:
                return _HOMES.get(error.errno or 0, "read_only")
        return "well"

    def _folders(self) -> Iterator[Path]:
        """Yield the folders that must take files: the home, and where each signed head is kept."""
        settings = self._wiring.settings
        if settings.is_embedded or settings.home.is_dir():
            yield settings.home
        if settings.sealer_enabled:
            yield settings.signing_key_path(self._wiring.book).parent


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


def routes(_wiring: App) -> APIRouter:
    """Return the routes that watch over the program."""
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


def readiness(wiring: App, watch: Watch) -> Readiness:
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
