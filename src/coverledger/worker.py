"""The companion of `up`, a process of its own: views, diary, letters, deliveries and the other services.

One Python program computes on one core at a time. In `up`'s own process are the sealer and HTTP. The
companion says once a second how its services are. It ends when its input does: whatever ends `up`, a
`kill -9` too, ends it.
"""

import json
import os
import signal
import sys
import time
from threading import Event as StopEvent
from threading import Thread
from typing import Final

import structlog

from coverledger.composition import opened
from ledger.cli.up import Running, apart
from ledger.config import Settings
from ledger.errors import Unavailable
from ledger.logging import log_to_stderr
from ledger.store.errors import StoreError
from ledger.store.retry import described
from ledger.supervision import States, place_of

TELL_SECONDS: Final = 1.0
"""Between two lines that say how the services are."""
ORPHAN_SECONDS: Final = 6.0
"""After which one whose `up` has gone, or ends, ends too, whatever still keeps it busy."""
ENDED_CALMLY: Final = 0

_log = structlog.get_logger(__name__)


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
    settings = Settings.load()
    log_to_stderr(quiet=False, as_json=settings.log_format == "json")
    states = States()
    Thread(target=_tell, args=(states, os.dup(1)), daemon=True).start()
    os.dup2(2, 1)  # What a library may print is no word to `up`.
    try:
        with opened(str(told["book"]), settings, creates=False) as wiring:
            wiring.address = told["address"]
            wiring.states = states
            begun.set()
            busy = Running(wiring, stop, apart(wiring)).until_stopped()
    except (Unavailable, StoreError):
        return Unavailable.exit_code  # `up` says that it ended, and starts another.
    except Exception as error:  # noqa: BLE001  # whatever it is, a line says it, and another is started
        _log.error("companion_ended", error=described(error), at=place_of(error))
        return Unavailable.exit_code
    if busy:
        _end(ENDED_CALMLY)  # Python itself would wait for them.
    return ENDED_CALMLY


def _tell(states: States, to: int) -> None:
    """Report how the services are, again and again; nobody who hears it is `up` gone."""
    with os.fdopen(to, "wb", buffering=0) as told:
        while True:
            line = json.dumps({state.name: state.as_json() for state in states.all()}).encode() + b"\n"
            try:
                told.write(line)
            except BrokenPipeError:
                return
            time.sleep(TELL_SECONDS)


def _until_the_input_ends(stop: StopEvent, begun: StopEvent) -> None:
    # Not by `sys.stdin`, whose lock this thread would hold while the interpreter ends.
    while os.read(0, 1):
        pass
    if begun.is_set():
        stop.set()
        time.sleep(ORPHAN_SECONDS)
    # Nothing is under way yet, or something that does not end: what was not committed comes again.
    _end(ENDED_CALMLY)


def _end(exit_code: int) -> None:
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    sys.exit(main())
