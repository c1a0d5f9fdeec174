"""What a request finds in the application: the wiring that is served, whether the server is about to stop."""

from threading import Event as StopEvent

from fastapi import FastAPI, Request

from ledger.wiring import Wiring


def drain(app: FastAPI) -> None:
    """Let whatever would go on for ever come to its end: the server is about to stop."""
    app.state.draining.set()


def is_draining(request: Request) -> bool:
    """Say whether the server is about to stop."""
    draining: StopEvent = request.app.state.draining
    return draining.is_set()


def wiring_of(request: Request) -> Wiring:
    """Give the wiring that the application serves."""
    wiring: Wiring = request.app.state.wiring
    return wiring
