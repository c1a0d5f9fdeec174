"""What every request passes, whatever its route: its id, limits, headers, a line in the log, a count."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from re import compile as pattern
from secrets import token_hex
from time import perf_counter
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders, State
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.command_envelope import LARGEST_BYTES
from ledger.errors import CliError
from ledger.http.callers import recheck
from ledger.http.metrics import Counts
from ledger.http.problems import Problem, problem_response
from ledger.http.state import with_whole_numbers
from ledger.store.retry import has_no_room, passes_by_itself

LARGEST_BODY_BYTES: Final = LARGEST_BYTES
"""A body is at most as large as a command."""
DIGITS_OF_LENGTH: Final = 12
"""Longer lengths of bodies are not even read."""
BODY_SECONDS: Final = 30.0
"""Within so long the whole body of a request must be there."""
RECHECK_SECONDS: Final = 10.0
"""So often it is looked whether the credential is still in force by which a long answer is given."""
END_SECONDS: Final = 1.0
"""Given to a client to take the end of its stream."""
GONE: Final = 499
"""Said in the log of a request whose client was gone before it was answered; nobody is sent it."""

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Set on every answer that does not say otherwise itself."""

EVENT_STREAM: Final = "text/event-stream"

REQUEST_ID: Final = "X-Request-Id"
AGAIN_SECONDS: Final = "1"
"""After which a caller may try again what was not to be had."""
ROOM_SECONDS: Final = "10"
"""After which a caller may try again what there was no room for."""

Lane = Callable[[str, str], ASGIApp | None]
"""(method, path) → what serves it directly; None: the routers do."""

_AN_ID: Final = pattern(r"[A-Za-z0-9._-]{1,64}")

_log = structlog.get_logger("ledger.http")


class RequestMiddleware:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        """Wrap `app`; count in `counts`."""
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the routers of the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self.serve(self._app, with_whole_numbers(scope), receive, send)

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by `app`, in this frame."""
        await _Exchange(app, self._counts, scope, receive, send).run()


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, counts: Counts, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._counts = counts
        self._scope = scope
        self._receive_theirs = receive
        self._send_theirs = send
        self._method: str = scope["method"]
        if self._method == "HEAD":
            # What GET would answer, without its body: no route need know of it.
            self._scope = {**scope, "method": "GET"}
        self._status = 0
        self._received = 0
        self._is_received = False
        self._is_revoked = False
        self._is_stream = False
        given = Headers(scope=scope).get(REQUEST_ID, "")
        self._id = given if _AN_ID.fullmatch(given) else token_hex(8)

    async def run(self) -> None:
        begun = perf_counter()
        # Each request is a task with a context of its own: nothing need be put back.
        structlog.contextvars.bind_contextvars(request_id=self._id)
        loop = asyncio.get_running_loop()
        self._body_until = loop.time() + BODY_SECONDS
        task, watching = asyncio.current_task(), _Watching()
        assert task is not None  # noqa: S101  # a coroutine that runs is one's
        watch = loop.call_later(RECHECK_SECONDS, watching.begin, self._watch, task)
        try:
            self._refuse_a_large_body()
            await self._app(self._scope, self._receive, self._send)
        except ClientDisconnect:
            self._status = self._status or GONE
        except asyncio.CancelledError:
            if not self._is_revoked:
                raise
            task.uncancel()
            await self._break_off()
        except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets an answer and the log a line
            await self._fail(error)
        finally:
            watch.cancel()
            watching.end()
        self._tell(perf_counter() - begun)

    async def _watch(self, task: "asyncio.Task[None]") -> None:
        """End an answer that takes long as soon as whoever it is for may not have it any more."""
        state = State(self._scope.get("state", {}))
        while not self._is_revoked:
            try:
                await recheck(state)
            except Exception as error:  # noqa: BLE001  # who cannot be let in again is not served on
                # While the database is away, nothing new is read for anybody: it is looked at again.
                if not passes_by_itself(error):
                    self._is_revoked = True
                    task.cancel()
            await asyncio.sleep(RECHECK_SECONDS)

    async def _break_off(self) -> None:
        if not self._status:
            message = "The credential is not in force any more: get a new one."
            await self._answer(Problem("UNAUTHENTICATED", message))
        elif self._is_stream:
            await self._end_stream()
        # Of any other answer that has begun the end is missing: the server closes the connection.

    async def _end_stream(self) -> None:
        """End a stream as one ends: its client comes again, and is refused then."""
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._send_theirs({"type": "http.response.body", "body": b""})
        except TimeoutError:
            return  # It takes nothing: it is cut off.

    def _refuse_a_large_body(self) -> None:
        said = Headers(scope=self._scope).get("content-length", "0")
        is_length = said.isascii() and said.isdigit() and len(said) <= DIGITS_OF_LENGTH
        if not is_length or int(said) > LARGEST_BODY_BYTES:
            raise _too_large()

    async def _receive(self) -> Message:
        if self._is_received:
            return await self._receive_theirs()
        try:
            async with asyncio.timeout_at(self._body_until):
                message = await self._receive_theirs()
        except TimeoutError as error:
            why = f"The body did not come within {BODY_SECONDS:.0f} seconds: send it in one go."
            raise Problem("SLOW", why) from error
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            self._is_received = not message.get("more_body", False)
            if self._received > LARGEST_BODY_BYTES:
                raise _too_large()
        return message

    async def _send(self, message: Message) -> None:
        is_start = message["type"] == "http.response.start"
        if self._method == "HEAD" and not is_start:
            # What GET would send is thrown away, to its end: whoever makes it may hold files.
            message = {**message, "body": b""}
            if self._is_stream or message.get("more_body", False):
                return
        if is_start:
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            self._is_stream = headers.get("content-type", "").startswith(EVENT_STREAM)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if self._scope.get("scheme") == "https":
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            headers[REQUEST_ID] = self._id
        await self._send_theirs(message)
        if is_start and self._is_stream and self._method == "HEAD":
            await self._send_theirs({"type": "http.response.body", "body": b""})

    async def _fail(self, error: Exception) -> None:
        problem = _problem_of(error)
        if problem.code == "INTERNAL_ERROR":
            _log.error("http_defect", route=self._route, method=self._method, exc_info=error)
        if self._status:  # The answer has begun: all that is left is to break it off.
            raise error
        await self._answer(problem)

    async def _answer(self, problem: Problem) -> None:
        await problem_response(problem)(self._scope, self._receive_theirs, self._send)

    @property
    def _route(self) -> str:
        """The route's pattern: a path itself may hold what is nobody's business."""
        route: Any = self._scope.get("route")
        return getattr(route, "path", "no route")

    def _tell(self, seconds: float) -> None:
        caller = self._scope.get("state", {}).get("caller")
        if not self._is_stream:  # How long a client listens says nothing of how soon it is served.
            self._counts.request(self._method, self._route, self._status, seconds)
        _log.info(
            "http_request",
            method=self._method,
            route=self._route,
            status=self._status,
            ms=round(seconds * 1000, 1),
            actor=None if caller is None else caller.actor,
        )


class _Watching:
    """The task that watches over one request, once it takes long."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def begin(
        self,
        watch: Callable[["asyncio.Task[None]"], Coroutine[Any, Any, None]],
        watched: "asyncio.Task[None]",
    ) -> None:
        self._task = asyncio.get_running_loop().create_task(watch(watched))

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _too_large() -> Problem:
    message = f"The body is larger than {LARGEST_BODY_BYTES:,} bytes, the most that a command may have."
    return Problem("TOO_LARGE", message)


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case CliError():
            return Problem("UNAVAILABLE", str(error), headers={"Retry-After": AGAIN_SECONDS})
        case _ if has_no_room(error):
            message = "The ledger's disk is full: try again later, a command under the same Idempotency-Key."
            return Problem("NO_ROOM", message, headers={"Retry-After": ROOM_SECONDS})
        case _ if passes_by_itself(error):
            message = "The ledger's database is away: try again, a command under the same Idempotency-Key."
            return Problem("UNAVAILABLE", message, headers={"Retry-After": AGAIN_SECONDS})
        case _:
            return Problem(
                "INTERNAL_ERROR", "The ledger failed at this; its log says more under the request's id."
            )
