"""The way of a command, from the route to INSERT and back, grows no longer: few calls in few modules."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import ledger
from fixtures.desk import Fields
from fixtures.served import serving
from ledger.app import App
from ledger.http import commands

MOST_CALLS = 118
MOST_MODULES = 29
"""All that is entered, validators, properties and lambdas too. Whoever shortens the way lowers both."""

OURS = str(Path(ledger.__file__).parents[1])
BEGINS = commands._send.__code__  # noqa: SLF001  # the route, where the framework hands over
ENDS = commands._refuse.__code__  # noqa: SLF001  # where the answer becomes the problem that is sent
LOOPS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
"""Which Python 3.11 runs as functions."""


class Way:
    """The functions of ours that are entered, in all threads, from the route until the answer is there."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._entered: set[FrameType] = set()
        self._is_on = False

    def note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(OURS):
            return
        if code is BEGINS and frame not in self._entered:
            self.calls.clear()
            self._is_on = True
        # A coroutine or a generator that goes on is the same call.
        if self._is_on and frame not in self._entered and code.co_name not in LOOPS:
            self.calls.append(f"{code.co_filename.removeprefix(OURS)} {code.co_qualname}")
        self._entered.add(frame)
        self._is_on = self._is_on and code is not ENDS

    @property
    def modules(self) -> set[str]:
        return {call.partition(" ")[0] for call in self.calls}


@contextmanager
def followed() -> Iterator[Way]:
    """Follow the threads that are started from now on."""
    way = Way()
    threading.setprofile(way.note)
    try:
        yield way
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]  # as the documentation has it
        sys.setprofile(None)


def test_a_refused_command_takes_few_calls_of_ours_in_few_modules(standing: App) -> None:
    notice: Fields = {"contract": "none", "received_on": "2026-01-01", "channel": "email"}
    with followed() as way, serving(standing) as served:
        for key in ("warm", "measured"):
            assert served.command("GiveNotice", notice, key=key).json()["code"] == "UNKNOWN"

    assert len(way.calls) <= MOST_CALLS, "\n".join(way.calls)
    assert len(way.modules) <= MOST_MODULES, way.modules
    assert "/ledger/store/append.py append_statement" in way.calls
