"""The supervisor of all that `up` runs: an error of any kind ends a round, never a service.

A service is a callable that serves until its stop event is set. What it raises is told and it is started
again, with growing pauses, for as long as `up` lives; so nothing in a service need catch an error only to
stay alive. A halt that must not be guessed away (LogForked, GapFound) is raised as well: nothing is written,
and it is looked again whether its cause is gone. A service says by `moved` that it is at work, and by
`rest` that it waits; one that says neither for long is stuck, which is told and not mended: every wait
of a service has a limit of its own.
"""

import math
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Event as StopEvent
from threading import Lock, Thread
from time import monotonic
from typing import Final, Literal, Self

import structlog
from pydantic import TypeAdapter

from ledger.clock import machine_now
from ledger.store.retry import described

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 15.0
"""Between two tries of a service: short enough that all work again well within a minute of a cause's end."""
CALM_SECONDS: Final = 60.0
"""A service that moved for so long begins again with the shortest pause."""
STILL_SECONDS: Final = 30.0
"""A service that has not moved for so long, and does not rest, is stuck."""
TOLD_AGAIN_SECONDS: Final = 600.0
"""After which the log tells again of a service that still waits for the same reason."""
LONGEST_ERROR: Final = 300

StateName = Literal["starting", "running", "idle", "halted", "waiting", "stuck", "stopped"]
_STATE_NAME: Final[TypeAdapter[StateName]] = TypeAdapter(StateName)
WELL: Final = frozenset({"starting", "running", "idle"})

_SOURCE: Final = str(Path(__file__).parents[1])
_log = structlog.get_logger(__name__)


class EndedByItself(Exception):
    """A service returned though nobody had told it to end."""

    may_be_told = True


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How one service is.

    starting: it has not come through its first round yet · running · idle: it has nothing to do here ·
    halted: it runs, and a part of it does not go on · waiting: it failed, and is tried again · stuck: it has
    not moved for long · stopped: it does not run.
    """

    name: str
    matters: bool
    """Whether callers depend on it: the ledger is not ready while it is not well."""
    state: StateName
    since: datetime
    error: str | None
    """What ended it last, or halts a part of it: a type and what may be told to anybody."""
    restarts: int
    moved: float | None
    """Seconds since it last showed that it moves; None: never yet, or it has nothing to do."""

    @property
    def is_well(self) -> bool:
        """Whether nobody need look after it."""
        return self.state in WELL

    def restarted(self, times: int) -> Self:
        """Return it with so many restarts more."""
        return replace(self, restarts=self.restarts + times)

    def as_json(self) -> dict[str, object]:
        """Return what `readyz` tells of it."""
        return {
            "state": self.state,
            "since": self.since.isoformat(),
            "error": self.error,
            "restarts": self.restarts,
            "moved": None if self.moved is None else round(self.moved, 1),
            "matters": self.matters,
        }

    @classmethod
    def from_json(cls, name: str, told: Mapping[str, object]) -> Self:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        moved, error = told["moved"], told["error"]
        return cls(
            name,
            matters=bool(told["matters"]),
            state=_STATE_NAME.validate_python(told["state"]),
            since=datetime.fromisoformat(str(told["since"])),
            error=None if error is None else str(error),
            restarts=int(str(told["restarts"])),
            moved=None if moved is None else float(str(moved)),
        )


class Pulse:
    """What one service shows of itself, from whichever of its threads."""

    def __init__(self, name: str, *, matters: bool, still_seconds: float = STILL_SECONDS) -> None:
        """Begin as `starting`. `still_seconds`: how long it may show nothing before it counts as stuck."""
        self.name = name
        self._matters = matters
        self._still_seconds = still_seconds
        self._state: StateName = "starting"
        self._since = machine_now()
        self._error: str | None = None
        self._halts: dict[str, str] = {}
        self._restarts = 0
        self._moved_at: float | None = None
        self._due_at = monotonic() + still_seconds
        self._stuck_since: datetime | None = None
        self._lock = Lock()

    def moved(self, rests_for: float = 0.0) -> None:
        """Show that it moves, and that it may show nothing for so many seconds besides."""
        with self._lock:
            self._moved_at = monotonic()
            self._due_at = self._moved_at + rests_for + self._still_seconds
            self._become("idle" if rests_for == math.inf else "halted" if self._halts else "running")

    def halts(self, part: str, error: str | None) -> None:
        """Show that a part of it does not go on, or (None) that it does again."""
        with self._lock:
            if error is None:
                self._halts.pop(part, None)
            else:
                self._halts[part] = error

    def failed(self, error: str) -> None:
        """Show that it ended, and is tried again."""
        with self._lock:
            self._error = error
            self._restarts += 1
            self._halts.clear()
            self._become("waiting")

    def tries(self) -> None:
        """Show that it is started: until it has moved it is what it was, and may take twice its time."""
        with self._lock:
            self._due_at = monotonic() + 2 * self._still_seconds

    def stopped(self) -> None:
        """Show that it has ended for good."""
        with self._lock:
            self._become("stopped")

    def shown(self) -> ServiceState:
        """Return how it is now."""
        with self._lock:
            state, since, now = self._state, self._since, monotonic()
            is_still = state in {"starting", "running", "halted"} and now > self._due_at
            if is_still:
                self._stuck_since = self._stuck_since or machine_now()
                state, since = "stuck", self._stuck_since
            else:
                self._stuck_since = None
            halts = "; ".join(f"{part}: {error}" for part, error in sorted(self._halts.items()))
            moved = None if self._moved_at is None or state == "idle" else now - self._moved_at
            error = (halts or self._error) if state != "idle" else self._error
            return ServiceState(self.name, self._matters, state, since, error, self._restarts, moved)

    def _become(self, state: StateName) -> None:
        if state != self._state:
            self._state, self._since = state, machine_now()


_PULSE: ContextVar[Pulse | None] = ContextVar("pulse", default=None)
"""Of the service that this thread serves; None in any other program."""


def moved() -> None:
    """Show that the service which is served here moves; of no effect in any other program."""
    if (pulse := _PULSE.get()) is not None:
        pulse.moved()


def halts(part: str, error: Exception | None) -> None:
    """Show that a part of the service which is served here does not go on, or (None) that it does again."""
    if (pulse := _PULSE.get()) is not None:
        pulse.halts(part, None if error is None else told_of(error))


def rest(stop: StopEvent, seconds: float | None = None) -> bool:
    """Wait until `stop` is set, so many seconds at most (None: for ever), and show it; whether it is set."""
    will_rest(math.inf if seconds is None else seconds)
    ended = stop.wait(seconds)
    if not ended:
        moved()
    return ended


def will_rest(seconds: float) -> None:
    """Show that the service which is served here moves and then waits for so many seconds."""
    if (pulse := _PULSE.get()) is not None:
        pulse.moved(seconds)


class States:
    """How all services of one `up` are: its own, and those that its companion tells of."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._pulses: list[Pulse] = []
        self._told: Mapping[str, ServiceState] = {}

    def watch(self, pulses: Iterable[Pulse]) -> None:
        """Show these as well."""
        self._pulses += pulses

    def tell(self, told: Iterable[ServiceState]) -> None:
        """Take what another process tells of its services, in place of what it told before."""
        self._told = {state.name: state for state in told}

    def told(self) -> list[ServiceState]:
        """Return what another process told last."""
        return list(self._told.values())

    def all(self) -> list[ServiceState]:
        """Return them all, by name."""
        own = {pulse.name: pulse.shown() for pulse in self._pulses}
        return [state for _, state in sorted({**self._told, **own}.items())]

    def unwell(self) -> list[ServiceState]:
        """Return those that somebody has to look after."""
        return [state for state in self.all() if not state.is_well]


@dataclass(frozen=True, slots=True)
class Supervised:
    """One thing that runs until it is told to end."""

    name: str
    serve: Callable[[StopEvent], None]
    matters: bool


class Supervisor:
    """Runs services, each in a thread of its own, until `stop` is set."""

    def __init__(
        self,
        services: Sequence[Supervised],
        stop: StopEvent,
        states: States,
        *,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
        still_seconds: float = STILL_SECONDS,
    ) -> None:
        """`states`: where it is shown how they are."""
        self._stop = stop
        self._longest_pause = longest_pause
        self._threads: list[Thread] = []
        pulses = []
        for service in services:
            pulse = Pulse(service.name, matters=service.matters, still_seconds=still_seconds)
            pulses.append(pulse)
            # One that does not end must not keep the program from its end.
            keep = Thread(target=self._keep, args=(service, pulse), name=service.name, daemon=True)
            self._threads.append(keep)
        states.watch(pulses)

    def start(self) -> None:
        """Start all."""
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> list[str]:
        """Wait until all have ended, for so long at most; those that have not, and where each is busy."""
        until = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        frames = sys._current_frames()  # noqa: SLF001 # the only way to see what another thread does
        return [
            f"{thread.name} (at {_place(traceback.extract_stack(frames.get(thread.ident or 0)))})"
            for thread in self._threads
            if thread.is_alive()
        ]

    def _keep(self, service: Supervised, pulse: Pulse) -> None:
        """Serve until it is to stop, starting anew whenever it ends."""
        _PULSE.set(pulse)
        pause, told = FIRST_PAUSE_SECONDS, _Telling(service.name)
        while not self._stop.is_set():
            begun = monotonic()
            pulse.tries()
            try:
                service.serve(self._stop)
                if self._stop.is_set():
                    break
                raise EndedByItself  # noqa: TRY301  # as if it had said so
            except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it is, it is told and tried again
                if self._stop.is_set():
                    told.left(error)
                    break
                pulse.failed(told_of(error))
                if monotonic() - begun > CALM_SECONDS:
                    pause = FIRST_PAUSE_SECONDS
                told.failed(error, pause)
            self._stop.wait(pause)
            pause = min(2 * pause, self._longest_pause)
        pulse.stopped()


class _Telling:
    """What the log says of one service: once for each reason, and again after a while."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: str | None = None
        self._again_at = 0.0

    def failed(self, error: BaseException, pause: float) -> None:
        said = told_of(error)
        if said == self._said and monotonic() < self._again_at:
            return
        self._said, self._again_at = said, monotonic() + TOLD_AGAIN_SECONDS
        _log.error(
            "service_waits", service=self._name, error=_for_log(error), at=place_of(error), again=pause
        )

    def left(self, error: BaseException) -> None:
        """Report what failed while all were ending: the next start does it."""
        _log.warning("service_left", service=self._name, error=_for_log(error), at=place_of(error))


def _for_log(error: BaseException) -> str:
    if getattr(error, "may_be_logged", False):
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return described(error)


def told_of(error: BaseException) -> str:
    """Return what may be told of an error to anybody: its type, and its message where that is our own."""
    return described(error)[:LONGEST_ERROR]


def place_of(error: BaseException) -> str | None:
    """Return where in our own code an error came from."""
    return _place(traceback.extract_tb(error.__traceback__))


def _place(frames: traceback.StackSummary) -> str | None:
    ours = [one for one in frames if one.filename.startswith(_SOURCE) and one.filename != __file__]
    return f"{Path(ours[-1].filename).relative_to(_SOURCE)}:{ours[-1].lineno}" if ours else None


def lost(states: Iterable[ServiceState], error: str, *, state: StateName = "stopped") -> list[ServiceState]:
    """Return these states as of a process that is gone or silent."""
    now = machine_now()
    return [
        one
        if one.state == state and one.error == error
        else replace(one, state=state, since=now, error=error)
        for one in states
    ]
