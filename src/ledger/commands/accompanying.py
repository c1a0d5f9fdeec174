"""Who keeps the companion of `up`: starts it, hears how its services are, and ends it.

The companion says so once a second, a line of JSON on its output. One that dies or says nothing ends this
service of `up`, which the supervisor starts again, and with it a new companion.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event as StopEvent
from threading import Thread
from time import monotonic
from typing import IO, Final

from ledger.clock import machine_now
from ledger.supervision import ServiceState, States, lost, moved
from ledger.wiring import Wiring

COMPANION: Final = "ledger.commands.companion"
LOOK_SECONDS: Final = 0.1
"""Between two looks whether it is still there, and whether to end it."""
SILENT_SECONDS: Final = 10.0
"""After which it is shown that it says nothing any more."""
GIVEN_UP_SECONDS: Final = 30.0
"""After which one that says nothing any more is ended by force."""
FIRST_WORD_SECONDS: Final = 120.0
"""Given to it to begin, on a machine that has much else to do."""
END_SECONDS: Final = 7.0
"""Given to it to end by itself; `up` waits a little longer."""
LONGEST_LINE: Final = 100_000


class CompanionEnded(Exception):
    """The companion is not there any more; with it all its services stopped."""

    may_be_told = True


def accompany(wiring: Wiring, stop: StopEvent, *, names: Mapping[str, bool]) -> None:
    """Keep a companion at work until `stop` is set. `names`: of its services, and whether they matter.

    Raises CompanionEnded when it died, or said nothing for long and was ended.
    """
    hearing = Hearing(wiring.states, names)
    with _started(wiring) as companion:
        Thread(target=hearing.hear, args=(companion.stdout,), name="companion", daemon=True).start()
        ended = _until_it_ends(companion, hearing, stop)
    if ended is not None:
        hearing.ended(f"companion: {ended}")
        raise CompanionEnded(ended)


def _until_it_ends(companion: "subprocess.Popen[bytes]", hearing: "Hearing", stop: StopEvent) -> str | None:
    """Wait until `stop` is set or the companion has ended; why it ended."""
    while companion.poll() is None and not stop.wait(LOOK_SECONDS):
        if hearing.is_given_up:
            companion.kill()
            return f"it said nothing for {hearing.silent_for:.0f} s and was ended"
        hearing.look()
    return None if stop.is_set() else f"exit code {companion.poll()}"


class Hearing:
    """What is heard of a companion, from its first word to its last."""

    def __init__(self, states: States, names: Mapping[str, bool]) -> None:
        """Tell `states` of it. What earlier companions had to restart counts on."""
        known = {state.name: state for state in states.told()}
        self._states = states
        self._restarts = {name: known[name].restarts + 1 for name in names if name in known}
        self._heard_at, self._has_spoken = monotonic(), False
        self._newest = [
            ServiceState(name, matters, "starting", machine_now(), None, self._restarts.get(name, 0), None)
            for name, matters in names.items()
        ]
        if not known:
            states.tell(self._newest)

    @property
    def silent_for(self) -> float:
        """For how many seconds it has said nothing."""
        return monotonic() - self._heard_at

    @property
    def is_given_up(self) -> bool:
        """Whether it has said nothing for too long."""
        return self.silent_for > (GIVEN_UP_SECONDS if self._has_spoken else FIRST_WORD_SECONDS)

    def hear(self, told: IO[bytes]) -> None:
        """Take what it says, to its end."""
        while line := told.readline(LONGEST_LINE):
            try:
                newest = [ServiceState.from_json(name, one) for name, one in json.loads(line).items()]
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # Cut off at its end, or said by a library: what it says next counts.
            self._heard_at, self._has_spoken = monotonic(), True
            if newest:
                self._newest = [one.restarted(self._restarts.get(one.name, 0)) for one in newest]
                self._states.tell(self._newest)

    def look(self) -> None:
        """Show that it is heard, or that its services are as silent as itself."""
        if self.silent_for <= SILENT_SECONDS or not self._has_spoken:
            moved()
        else:
            self._states.tell(lost(self._states.told(), "companion: it says nothing", state="stuck"))

    def ended(self, error: str) -> None:
        """Show that all of it stopped."""
        self._states.tell(lost(self._states.told(), error))


@contextmanager
def _started(wiring: Wiring) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a companion while the block runs."""
    words = [sys.executable, "-m", COMPANION]
    # Its settings are those of our environment. What it is told beside them stands in no list of processes.
    with _without_ctrl_c():
        started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
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
