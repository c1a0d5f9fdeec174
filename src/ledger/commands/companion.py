"""The companion of `up`: a process of its own for all that follows, so that who calls need not wait for it.

One Python program computes on one core at a time. In `up`'s own process are the sealer and HTTP; views,
diary, letters, deliveries and the other services are here. The companion ends when its input does: whatever
ends `up`, a `kill -9` too, ends it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event as StopEvent
from threading import Thread
from typing import TYPE_CHECKING, Final

from ledger.endings import Unreachable

if TYPE_CHECKING:
    from ledger.wiring import Wiring

LOOK_SECONDS: Final = 0.1
"""Between two looks whether it is still there, and whether to end it."""
END_SECONDS: Final = 8.0
"""Given to it to end by itself; `up` waits a little longer."""
ORPHAN_SECONDS: Final = 15.0
"""After which one whose `up` has gone ends, whatever still keeps it busy."""
ENDED_CALMLY: Final = 0


def accompany(wiring: "Wiring", stop: StopEvent) -> None:
    """Keep a companion at work until `stop` is set; one that died is started again.

    Raises ledger.store.errors.Unreachable when it could not reach the database for long.
    """
    import structlog  # noqa: PLC0415  # the companion itself begins by what it needs first

    from ledger.store.errors import Unreachable as DatabaseAway  # noqa: PLC0415  # as above
    from ledger.store.patience import Backoff  # noqa: PLC0415  # as above

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
def _started(wiring: "Wiring") -> Iterator["subprocess.Popen[bytes]"]:
    """Run a companion while the block runs."""
    words = [sys.executable, "-m", __name__]
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


def main() -> int:
    """Run all services but those of `up` itself, until input ends or SIGTERM comes; its exit code."""
    # Ctrl-C in a terminal goes to every process of the group: `up` takes it, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    stop = StopEvent()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    line = sys.stdin.buffer.readline()
    if not line:
        return ENDED_CALMLY  # `up` has ended already.
    begun = StopEvent()
    Thread(target=_until_the_input_ends, args=(stop, begun), daemon=True).start()
    return _run(json.loads(line), stop, begun)


def _run(told: dict[str, str | None], stop: StopEvent, begun: StopEvent) -> int:
    from ledger.commands.running import Running, apart  # noqa: PLC0415  # what takes its time, after the signals
    from ledger.logs import log_to_stderr  # noqa: PLC0415  # as above
    from ledger.settings import Settings  # noqa: PLC0415  # as above
    from ledger.wiring import opened  # noqa: PLC0415  # as above

    settings = Settings.load()
    log_to_stderr(quiet=False, as_json=settings.log_format == "json")
    try:
        with opened(str(told["book"]), settings) as wiring:
            wiring.address = told["address"]
            begun.set()
            Running(wiring, stop, apart(wiring)).until_stopped()
    except Unreachable:
        return Unreachable.exit_code  # `up` says so, in one line.
    return ENDED_CALMLY


def _until_the_input_ends(stop: StopEvent, begun: StopEvent) -> None:
    while sys.stdin.buffer.read(1):
        pass
    if begun.is_set():
        stop.set()
        time.sleep(ORPHAN_SECONDS)
    # Nothing is under way yet, or something that does not end: what was not committed comes again.
    os._exit(ENDED_CALMLY)


if __name__ == "__main__":
    sys.exit(main())
