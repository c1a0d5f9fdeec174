"""The companion of `up`: a process of its own for all that follows, so that who calls need not wait for it.

One Python program computes on one core at a time. In `up`'s own process are the sealer and HTTP; views,
diary, letters, deliveries and the other services are here. The companion ends when its input does: whatever
ends `up`, a `kill -9` too, ends it.
"""

import json
import os
import signal
import sys
import time
from threading import Event as StopEvent
from threading import Thread
from typing import Final

from ledger.endings import Unreachable

ORPHAN_SECONDS: Final = 15.0
"""After which one whose `up` has gone ends, whatever still keeps it busy."""
ENDED_CALMLY: Final = 0


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
        with opened(str(told["book"]), settings, creates=False) as wiring:
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
