"""HTTP within `up`: its port is bound before anything starts; its connections keep to limits.

What is beyond that is answered here, before the application hears of it: 400 for what is no HTTP, 408 for a
head that does not come, 431 for one that is too large, 503 when no more connections are taken.
"""

import errno
import json
import logging
import resource
import socket
from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Event as StopEvent
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from ledger.app import App
from ledger.auth.tokens import LINK_LASTS, Tokens
from ledger.errors import UsageError
from ledger.http.app import create_app
from ledger.http.problems import MEDIA_TYPE, Problem
from ledger.http.state import drain
from ledger.supervision import moved

HEAD_SECONDS: Final = 10.0
"""Within so long the whole head of a request must be there, and so must the first one of a connection."""
LARGEST_HEAD_BYTES: Final = 65_536
"""Address and headers together."""
STALL_SECONDS: Final = 60.0
"""So long a client may leave what it is sent without taking any of it."""
LINGER_SECONDS: Final = 5.0
"""So long what a refused client still sends is read and thrown away, or it would not get to read why."""

MOST_CONNECTIONS: Final = 4_000
SPARE_FILES: Final = 200
"""Files that the program keeps open beside its connections: the database's, logs, keys."""
WANTED_FILES: Final = MOST_CONNECTIONS + SPARE_FILES

_log = structlog.get_logger("ledger.http")


def raise_file_limit() -> int:
    """Allow the process as many open files as it may need; return how many connections that makes at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(1, min(MOST_CONNECTIONS, soft - SPARE_FILES))


def connections(most: int) -> Callable[..., "BoundedConnection"]:
    """Make what serves each connection of a server: `most` at once."""
    return partial(BoundedConnection, IdleConnections(most))


class IdleConnections:
    """The connections of a server on which no request is under way: the one that has waited longest first."""

    def __init__(self, most: int) -> None:
        """`most`: connections of any kind at once."""
        self.most = most
        self._waiting: dict[BoundedConnection, None] = {}

    def add(self, connection: "BoundedConnection") -> None:
        """Note that a connection waits for its next request."""
        self._waiting.pop(connection, None)
        self._waiting[connection] = None

    def remove(self, connection: "BoundedConnection") -> None:
        """Note that a request is under way on it, or that it is gone."""
        self._waiting.pop(connection, None)

    def make_room(self, but: "BoundedConnection") -> bool:
        """Close the one that has waited longest; False where a request is under way on every other one."""
        for connection in self._waiting:
            if connection is not but:
                connection.give_way()
                return True
        return False


class BoundedConnection(HttpToolsProtocol):
    """One connection, within its limits."""

    def __init__(
        self,
        waiting: IdleConnections,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        """Serve a connection as uvicorn does; `waiting`: its fellows of this server."""
        super().__init__(config, server_state, app_state, _loop)
        self._waiting = waiting
        self._limit: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._head_bytes = 0
        self._is_in_head = False
        self._is_in_body = False
        self._is_refused = False

    @property
    def _is_busy(self) -> bool:
        """Whether a request is under way."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take a connection; one too many closes the one that has waited longest, or is refused."""
        super().connection_made(transport)
        if len(self.connections) > self._waiting.most and not self._waiting.make_room(self):
            message = "More connections are open than are served at once: try again."
            self._refuse(Problem("BUSY", message, headers={"Retry-After": "1"}))
            return
        self._waiting.add(self)
        self._limit_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._waiting.remove(self)
        self._end_limit()
        self._end_stall()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what comes after a refusal is thrown away."""
        if self._is_refused:
            return
        if self._limit is None and not self._is_busy:
            self._limit_time()
        if not self._is_in_body:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > LARGEST_HEAD_BYTES:
            self._refuse(_too_large())

    def on_message_begin(self) -> None:
        """Wait for the rest of a request's head."""
        super().on_message_begin()
        if self._is_refused:
            return
        self._is_in_head = True
        if self._limit is None:
            self._limit_time()

    def on_headers_complete(self) -> None:
        """Begin with a request; how long its body may take is the application's to say."""
        if self._is_refused:
            return
        self._is_in_head, self._is_in_body, self._head_bytes = False, True, 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD_BYTES:
            self._refuse(_too_large())
            return
        self._end_limit()
        self._waiting.remove(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand on a part of a request's body."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request is there as a whole."""
        if self._is_refused:
            return
        self._is_in_body = False
        self._end_limit()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request; what is left of this one's body is read for a moment more."""
        super().on_response_complete()
        if self.transport.is_closing() or self._is_busy:
            return
        self._waiting.add(self)
        if self._is_in_body:
            self._limit_time(LINGER_SECONDS)

    def pause_writing(self) -> None:
        """Note that the client does not take what it is sent."""
        super().pause_writing()
        self._end_stall()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it does again."""
        super().resume_writing()
        self._end_stall()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(Problem("BAD_REQUEST", msg))

    def give_way(self) -> None:
        """Close a connection on which no request is under way: another one is there."""
        self._waiting.remove(self)
        self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, and close. Where an answer has begun, it is broken off."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._waiting.remove(self)
        self._end_limit()
        self._unset_keepalive_if_required()
        _log.warning("http_refused", status=problem.status_code, code=problem.code)
        if self._is_busy and (self.cycle.response_started or self.pipeline):
            self.transport.abort()
            return
        if self._is_busy:
            self._leave()
        self.transport.write(_written(problem, self.server_state.default_headers))
        self.transport.write_eof()
        self.transport.resume_reading()
        self._limit = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _leave(self) -> None:
        """Report to the application that whoever asked is gone: the answer is given here."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    def _limit_time(self, seconds: float | None = None) -> None:
        self._end_limit()
        self._limit = self.loop.call_later(HEAD_SECONDS if seconds is None else seconds, self._time_is_over)

    def _time_is_over(self) -> None:
        self._limit = None
        if self._is_busy:
            self._limit_time()  # A next request has begun to come while this one is answered.
        elif self._is_in_head:
            message = f"The request did not come within {HEAD_SECONDS:.0f} seconds: send it in one go."
            self._refuse(Problem("SLOW", message))
        else:
            self.transport.close()

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _end_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


def _too_large() -> Problem:
    message = f"Address and headers are larger than {LARGEST_HEAD_BYTES:,} bytes together: send less."
    return Problem("HEAD_TOO_LARGE", message)


def _written(problem: Problem, always: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write a problem down as an answer; `always`: headers of every answer, such as the date."""
    body = json.dumps(problem.body).encode()
    headers = dict(problem.headers or {}) | {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "BoundedConnection": "close",
    }
    lines = [b"%s: %s\r\n" % pair for pair in always]
    lines += [f"{name}: {value}\r\n".encode() for name, value in headers.items()]
    return STATUS_LINE[problem.status_code] + b"".join(lines) + b"\r\n" + body


# Of what callers do wrong the ledger says itself what there is to say.
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

FIRST_PORT: Final = 8080
PORTS_TRIED: Final = 20

BACKLOG: Final = 2_048
DRAIN_SECONDS: Final = 4
"""Given to requests under way at the end; streams of events end at once and are taken up again elsewhere."""

LOCAL_ACTOR: Final = "local"
"""Whoever starts the ledger on its own machine, unless COVERLEDGER_ACTOR names them."""


class _Server(uvicorn.Server):
    """Ends when the stop event is set."""

    def __init__(self, config: uvicorn.Config, stop: StopEvent, app: FastAPI) -> None:
        super().__init__(config)
        self._stop = stop
        self._served = app

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether it is time to end."""
        if self._stop.is_set():
            drain(self._served)
            return True
        moved()
        return await super().on_tick(counter)


def listen(wiring: App) -> Sequence[tuple[str, str]]:
    """Bind the port before `up` starts anything; gives the address and a link to sign in with, once.

    Raises UsageError when the port that was asked for is in use, or none is free.
    """
    host = wiring.settings.http_host
    wiring.listening = _bound(host, wiring.port)
    port = wiring.listening.getsockname()[1]
    wiring.local_address = f"http://{_spoken(host)}:{port}"
    address = wiring.address = wiring.settings.http_url or wiring.local_address
    elsewhere = "" if port in {wiring.port, FIRST_PORT} else f"  ({FIRST_PORT} is in use)"
    _, link = Tokens(wiring.pool, wiring.book).create(
        "link",
        role="admin",
        name=wiring.settings.actor or LOCAL_ACTOR,
        created_by="up",
        lasts=LINK_LASTS,
    )
    minutes = int(LINK_LASTS.total_seconds() // 60)
    return [
        ("HTTP", f"{address}{elsewhere}"),
        ("Sign in", f"{address}/sign-in?code={link}  (once, within {minutes} minutes)"),
    ]


def serve(wiring: App, stop: StopEvent) -> None:
    """Serve until `stop` is set."""
    if wiring.listening is None:
        listen(wiring)
    assert wiring.listening is not None  # noqa: S101  # listen has just bound it
    app = create_app(wiring)
    config = uvicorn.Config(
        app,
        log_config=None,  # The frame tells of every request, and of what fails.
        access_log=False,
        server_header=False,
        http=connections(raise_file_limit()),  # type: ignore[arg-type]  # called as a class would be
        ws="none",
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    # The server closes what it listens on; a service that is started again needs it once more.
    _Server(config, stop, app).run(sockets=[wiring.listening.dup()])


def _bound(host: str, asked: int | None) -> socket.socket:
    tried = [asked] if asked is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in tried:
        try:
            return _listening(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                message = (
                    f"HTTP cannot be served on {host}:{port} ({error.strerror}): set COVERLEDGER_HTTP_HOST "
                    "to an address of this machine, and --port to one that you may use."
                )
                raise UsageError(message) from error
    if asked is not None:
        message = f"Port {asked} on {host} is in use: give another --port, or none to take the next free one."
    else:
        message = (
            f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} on {host} are in use: give a free --port."
        )
    raise UsageError(message)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def _spoken(host: str) -> str:
    """Write an address as people type it: one that listens everywhere is reached on this machine."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104  # compared with, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
