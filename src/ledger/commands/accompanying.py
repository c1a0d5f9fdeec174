"""Who keeps the companion of `up`: starts it, starts it again when it dies, and ends it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event as StopEvent
from typing import Final

import structlog

from ledger.endings import Unreachable
from ledger.store.errors import Unreachable as DatabaseAway
from ledger.store.patience import Backoff
from ledger.wiring import Wiring

COMPANION: Final = "ledger.commands.companion"
LOOK_SECONDS: Final = 0.1
"""Between two looks whether it is still there, and whether to end it."""
END_SECONDS: Final = 8.0
"""Given to it to end by itself; `up` waits a little longer."""


def accompany(wiring: Wiring, stop: StopEvent) -> None:
    """Keep a companion at work until `stop` is set; one that died is started again.

    Raises ledger.store.errors.Unreachable when it could not reach the database for long.
    """
    backoff = Backoff()
    while not stop.is_set():
        with _started(wiring) as companion:
            while companion.poll() is None and not stop.wait(LOOK_SECONDS):
                pass
            code = companion.poll()
        if code is None or stop.is_set():
            return
        if code == Unreachable.exit_code:
            message = "the companion could not reach the ledger's database for long"
            raise DatabaseAway(message)
        structlog.get_logger(__name__).error("companion_ended", book=wiring.book, code=code)
        backoff.wait(stop)


@contextmanager
def _started(wiring: Wiring) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a companion while the block runs."""
    words = [sys.executable, "-m", COMPANION]
    # Its settings are those of our environment. What it is told beside them stands in no list of processes.
    with _without_ctrl_c():
        started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with started as companion:
        try:
            _tell(companion, {"book": wiring.book, "address": wiring.address})
            yield companion
        finally:
            _end(companion)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Let what this thread starts be born with SIGINT blocked: it could come before `main` has its say."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tell(companion: "subprocess.Popen[bytes]", told: dict[str, str | None]) -> None:
    assert companion.stdin is not None  # noqa: S101  # a pipe was asked for
    try:
        companion.stdin.write(json.dumps(told).encode() + b"\n")
        companion.stdin.flush()
    except BrokenPipeError:
        return  # It died already: whoever started it looks for that.


def _end(companion: "subprocess.Popen[bytes]") -> None:
    assert companion.stdin is not None  # noqa: S101  # as above
    with suppress(BrokenPipeError):  # It died before it read what it was told.
        companion.stdin.close()
    try:
        companion.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        companion.kill()
