"""HTTP within `up`: its port is bound before anything starts; what is under way at the end is finished."""

import errno
import logging
import socket
from collections.abc import Sequence
from threading import Event as StopEvent
from typing import Final

import uvicorn
from fastapi import FastAPI

from ledger.endings import UsedWrongly
from ledger.http.app import create_app
from ledger.http.connections import connections, raise_file_limit
from ledger.http.served import drain
from ledger.rights.tokens import LINK_LASTS, Tokens
from ledger.supervision import moved
from ledger.wiring import Wiring

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


def listen(wiring: Wiring) -> Sequence[tuple[str, str]]:
    """Bind the port before `up` starts anything; gives the address and a link to sign in with, once.

    Raises UsedWrongly when the port that was asked for is in use, or none is free.
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


def serve(wiring: Wiring, stop: StopEvent) -> None:
    """Serve until `stop` is set (group `coverledger.services`)."""
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
                raise UsedWrongly(message) from error
    if asked is not None:
        message = f"Port {asked} on {host} is in use: give another --port, or none to take the next free one."
    else:
        message = (
            f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} on {host} are in use: give a free --port."
        )
    raise UsedWrongly(message)


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
