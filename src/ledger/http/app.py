"""The HTTP application: one frame, into which every package puts its routes.

Each brings a router whose paths are whole (`ledger.registry`).
"""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from threading import Event as StopEvent
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from ledger.app import App
from ledger.auth.oidc import JwtReader
from ledger.auth.tokens import Tokens
from ledger.http.callers import Admission
from ledger.http.commands import lane
from ledger.http.feed_cache import FeedCache
from ledger.http.health import Watch
from ledger.http.metrics import Counts, measured
from ledger.http.middleware import Lane, RequestMiddleware
from ledger.http.openapi import describe
from ledger.http.parameters import PresentEpoch, refuse_unknown
from ledger.http.position_waiter import PositionWaiter
from ledger.http.problems import answer_problem

THREADS: Final = 12
"""Requests that read the database at the same time; the pool has more connections."""
WRITERS: Final = 8
"""Commands that are decided at the same time, in threads of their own: no reader is waited for."""


class _App(FastAPI):
    """The application, which serves some requests past the framework's layers and routers."""

    frame: RequestMiddleware
    lane: Lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or whatever else the server says."""
        served = self.lane(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if served is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await self.frame.serve(served, scope, receive, send)


def create_app(wiring: App) -> FastAPI:
    """Put the application of one book together. Opens nothing. Raises UsageError for settings.

    `app.state` holds `wiring`, `admission` (who is let in), `watch` (over what it stands on), `counts` (for
    Prometheus) and `draining`.
    """
    app = _App(
        title="Claims ledger",
        version=version("coverledger"),
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        dependencies=[Depends(refuse_unknown)],
        exception_handlers={HTTPException: answer_problem, RequestValidationError: answer_problem},
    )
    app.state.wiring = wiring
    app.state.admission = Admission(
        Tokens(wiring.pool, wiring.book), JwtReader.from_settings(wiring.settings)
    )
    app.state.watch = Watch(wiring)
    app.state.counts = Counts(measured(wiring, app.state.watch))
    app.state.draining = StopEvent()
    for _, routes in sorted(wiring.serving.routes.items()):
        router = routes(wiring)
        if router is not None:
            app.include_router(router)
    app.add_middleware(RequestMiddleware, counts=app.state.counts)
    app.frame, app.lane = RequestMiddleware(app, app.state.counts), lane(wiring.book)
    describe(app, wiring.book, lambda: wiring.event_type_prefix)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    wiring: App = app.state.wiring
    app.state.seals = PositionWaiter(wiring.pool, wiring.book, is_told=wiring.settings.sealer_enabled)
    app.state.window = FeedCache(wiring.pool, wiring.book, lambda: wiring.event_type_prefix)
    app.state.epochs = PresentEpoch(wiring.pool, wiring.book)
    _ = wiring.ledger  # Made once, here: threads that make it at the same time would each make their own.
    current_default_thread_limiter().total_tokens = THREADS
    app.state.writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="commands")
    end = wiring.sealer.listen(app.state.seals.tell) if wiring.settings.sealer_enabled else None
    yield
    app.state.writers.shutdown(wait=False)
    app.state.watch.close()
    if end is not None:
        end()
