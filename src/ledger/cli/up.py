"""`up` at work: services in threads of two processes, supervised, ended together by Ctrl-C or SIGTERM.

The companion says once a second how its services are, a line of JSON on its output. One that dies or says
nothing ends the service that keeps it, which the supervisor starts again, and with it a new companion.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from threading import Event as StopEvent
from threading import Thread
from time import monotonic, sleep
from types import FrameType
from typing import IO, Final

import click
import structlog

from ledger.app import App, Composition, Service, opened
from ledger.cli.import_run import load_demo
from ledger.cli.options import book_option, composed
from ledger.cli.output import note
from ledger.clock import machine_now
from ledger.config import Settings
from ledger.errors import Rejected, Unavailable
from ledger.logging import log_to_stderr
from ledger.running_file import told_where
from ledger.store.pool import SERVING
from ledger.supervision import ServiceState, States, Supervised, Supervisor, lost, moved

WORKER_MODULE: Final = "coverledger.worker"
WORKER_LOOK_SECONDS: Final = 0.1
"""Between two looks whether it is still there, and whether to end it."""
SILENT_SECONDS: Final = 10.0
"""After which it is shown that it says nothing any more."""
GIVEN_UP_SECONDS: Final = 30.0
"""After which one that says nothing any more is ended by force."""
FIRST_WORD_SECONDS: Final = 120.0
"""Given to it to begin, on a machine that has much else to do."""
WORKER_END_SECONDS: Final = 7.0
"""Given to it to end by itself; `up` waits a little longer."""
LONGEST_LINE: Final = 100_000


class CompanionEnded(Exception):
    """The companion is not there any more; with it all its services stopped."""

    may_be_told = True


def accompany(wiring: App, stop: StopEvent, *, names: Mapping[str, bool]) -> None:
    """Keep a companion at work until `stop` is set. `names`: of its services, and whether they matter.

    Raises CompanionEnded when it died, or said nothing for long and was ended.
    """
    hearing = WorkerReports(wiring.states, names)
    with _started(wiring) as companion:
        Thread(target=hearing.hear, args=(companion.stdout,), name="companion", daemon=True).start()
        ended = _until_it_ends(companion, hearing, stop)
    if ended is not None:
        hearing.ended(f"companion: {ended}")
        raise CompanionEnded(ended)


def _until_it_ends(
    companion: "subprocess.Popen[bytes]", hearing: "WorkerReports", stop: StopEvent
) -> str | None:
    """Wait until `stop` is set or the companion has ended; why it ended."""
    while companion.poll() is None and not stop.wait(WORKER_LOOK_SECONDS):
        if hearing.is_given_up:
            companion.kill()
            return f"it said nothing for {hearing.silent_for:.0f} s and was ended"
        hearing.look()
    return None if stop.is_set() else f"exit code {companion.poll()}"


class WorkerReports:
    """What is heard of a companion, from its first word to its last."""

    def __init__(self, states: States, names: Mapping[str, bool]) -> None:
        """Report to `states`. What earlier companions had to restart counts on."""
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
def _started(wiring: App) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a companion while the block runs."""
    words = [sys.executable, "-m", WORKER_MODULE]
    # Its settings are those of our environment. What it is told beside them stands in no list of processes.
    with _without_ctrl_c():
        started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with started as companion:
        try:
            _tell_worker(companion, {"book": wiring.book, "address": wiring.address})
            yield companion
        finally:
            _end(companion)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Block SIGINT for what this thread starts: it could come before `main` has its say."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tell_worker(companion: "subprocess.Popen[bytes]", told: dict[str, str | None]) -> None:
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
        companion.wait(WORKER_END_SECONDS)
    except subprocess.TimeoutExpired:
        companion.kill()


LOOK_SECONDS: Final = 1.0
"""Between two looks whether what all of it stands on is still there."""
LOST_LOOKS: Final = 3
"""Looks in a row that find it gone before `up` ends for it."""
HURRY_SECONDS: Final = 3.0
"""Given to each statement once all is to end."""
JOIN_SECONDS: Final = 10.0
"""Given to the services to end once they are told to."""
END_SECONDS: Final = 14.0
"""After the first signal to the end of the program, whatever still keeps it busy."""

IN_FRONT: Final = frozenset({"http", "figures"})
"""Services that callers wait for, and who counts ahead of their pages in the memory that these read: with the
sealer in `up`'s own process. The others are its companion's."""

MATTERS: Final = frozenset({"sealer", "http", "companion", "views", "diary", "clockwork"})
"""Services that callers depend on: while one of them is not well the ledger is not ready. What the others do,
such as letters, mails and deliveries, is done later, and callers lack nothing."""


_log = structlog.get_logger(__name__)


class Stopped(BaseException):
    """Ctrl-C or SIGTERM while the ledger was still getting ready."""


@click.command(
    "up",
    help=(
        "Run everything in one process group: the embedded Postgres unless COVERLEDGER_DSN names another, "
        "migrations, the sealer, the services of the views and the diary, and "
        "HTTP: it prints the address and a link to sign in with. Ctrl-C ends all of it.\n\n"
        "--demo makes a simulated book in a new home, with a sample of 120 contracts, standing at "
        "2026-03-01.\n\n"
        "\b\nExamples:\n"
        "  coverledger up\n"
        "  coverledger up --demo\n"
        "  coverledger up --port 8443\n"
        "  coverledger up --one-process"
    ),
)
@click.option("--demo", is_flag=True, help="Load the sample book.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to serve HTTP on. [default: 8080, or the next that is free]",
)
@click.option(
    "--one-process",
    is_flag=True,
    help=(
        "Run views, deadlines and deliveries in the process that serves callers: less memory, and fewer "
        "commands a second. [default: in a process of their own]"
    ),
)
@book_option
def up(*, demo: bool, port: int | None, one_process: bool, book: str) -> int:
    """Run the whole ledger."""
    return run(book, composed(), demo=demo, port=port, one_process=one_process)


def run(book: str, registry: Composition, *, demo: bool, port: int | None, one_process: bool = False) -> int:
    """Run the whole ledger until it is told to stop; gives the exit code.

    `one_process`: without a companion, all services in this process.

    Raises:
        Unavailable: what it stands on is gone for good: its home, or the Postgres in it.

    """
    settings = Settings.load()
    log_to_stderr(quiet=False, as_json=settings.log_format == "json")
    stop, end = StopEvent(), End()
    with stopped_by_signals(stop, end) as signals:
        try:
            with opened(book, registry, settings, kind="simulated" if demo else "real") as wiring:
                wiring.port = port
                if demo:
                    _refuse_real(wiring)
                    load_demo(wiring)
                signals.ready()
                running = Running(wiring, stop, in_front(wiring, one_process=one_process), end)
                with ExitStack() as stack:
                    _tell(wiring, stack, one_process=one_process)
                    running.until_stopped()
                end.waits_for("Postgres")
        except Stopped:
            pass  # by Ctrl-C or SIGTERM while it was getting ready
        _say_stopped(settings)
        end.now_if_busy()
        return 0


def _refuse_real(wiring: App) -> None:
    if wiring.book_row().kind == "real":
        message = (
            f"Book {wiring.book!r} in {wiring.settings.home} is real, and a real ledger takes no demo: "
            "set COVERLEDGER_HOME to a new folder, or give another --book."
        )
        raise Rejected(message)


class End:
    """The end of the program: within `END_SECONDS` of the first signal, whatever still keeps it busy.

    What was not committed comes again; the embedded Postgres is stopped by its warden, as after any end.
    """

    def __init__(self) -> None:
        """Nothing ends yet."""
        self._busy: Sequence[str] = ()
        self._waits_for, self._exit_code = "getting ready", 0
        self._hear, self._tell = socket.socketpair()
        self._tell.setblocking(False)  # noqa: FBT003 # the only way to say it

    def watch(self) -> None:
        """Hear of signals also while the program waits in a library that lets no handler of ours run."""
        signal.set_wakeup_fd(self._tell.fileno(), warn_on_full_buffer=False)
        Thread(target=self._await_signal, name="end", daemon=True).start()

    def unwatch(self) -> None:
        """Hear of no further signal."""
        signal.set_wakeup_fd(-1)

    def waits_for(self, what: str) -> None:
        """Note what would be left behind by an end now."""
        self._waits_for = what

    def left(self, services: Sequence[str]) -> None:
        """Note services that have not ended."""
        self._busy = services

    def now_if_busy(self) -> None:
        """End the program if services were left behind, for which Python itself would wait."""
        if self._busy:
            self._end()

    def begins(self, exit_code: int) -> None:
        """End the program in time, though no signal came."""
        self._exit_code = exit_code
        Thread(target=self._count_down, name="end", daemon=True).start()

    def _await_signal(self) -> None:
        while self._hear.recv(1)[0] not in {signal.SIGINT, signal.SIGTERM}:
            pass
        self._count_down()

    def _count_down(self) -> None:
        sleep(END_SECONDS)
        note(f"Left behind after {END_SECONDS:g} s: {self._waits_for}.")
        self._end()

    def _end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self._exit_code)


class Signals:
    """Ctrl-C and SIGTERM: before everything runs they break off, then they let everything end."""

    def __init__(self, stop: StopEvent) -> None:
        """`stop` is set by either signal."""
        self._stop = stop
        self._is_ready = False

    def ready(self) -> None:
        """From now on a signal only sets the stop event. One that came before has broken off already."""
        self._is_ready = True

    def came(self, _number: int, _frame: FrameType | None) -> None:
        """Take a signal. A second one changes nothing: all is ending already."""
        first = not self._stop.is_set()
        self._stop.set()
        if first and not self._is_ready:
            raise Stopped


@contextmanager
def stopped_by_signals(stop: StopEvent, end: End) -> Iterator[Signals]:
    """Take Ctrl-C and SIGTERM for the length of the block."""
    signals = Signals(stop)
    before = {number: signal.signal(number, signals.came) for number in (signal.SIGINT, signal.SIGTERM)}
    end.watch()
    try:
        yield signals
    finally:
        end.unwatch()
        for number, handler in before.items():
            signal.signal(number, handler)


def in_front(wiring: App, *, one_process: bool) -> Mapping[str, Service]:
    """Return what `up` runs in its own process, by name: sealer, HTTP, and who keeps the companion."""
    sealer: Mapping[str, Service] = {"sealer": _seal} if wiring.settings.sealer_enabled else {}
    if one_process:
        return {**sealer, **wiring.services}
    own = {name: serve for name, serve in wiring.services.items() if name in IN_FRONT}
    names = {name: name in MATTERS for name in apart(wiring)}
    return {**sealer, **own, "companion": partial(accompany, names=names)}


def apart(wiring: App) -> Mapping[str, Service]:
    """Return what the companion runs, by name."""
    return {name: serve for name, serve in wiring.services.items() if name not in IN_FRONT}


class Running:
    """Services of one book, supervised in one process."""

    def __init__(
        self, wiring: App, stop: StopEvent, services: Mapping[str, Service], end: End | None = None
    ) -> None:
        """Run these until `stop` is set. `end`: is told whom an end would leave behind."""
        self._wiring = wiring
        wiring.ways.lost()  # What is there now must stay.
        self._stop = stop
        self._end = end
        supervised = [
            Supervised(name, _bound(serve, wiring), matters=name in MATTERS)
            for name, serve in services.items()
        ]
        self._supervisor = Supervisor(supervised, stop, wiring.states)

    def until_stopped(self) -> Sequence[str]:
        """Start the services and wait until they have ended; those that have not in time.

        Raises:
            Unavailable: what all of it stands on is gone for good.

        """
        # Made here once: threads that make them at the same time would each make their own.
        _ = self._wiring.store, self._wiring.sealer, self._wiring.ledger, self._wiring.followers
        for pool in (self._wiring.pool, self._wiring.sealer_pool):
            pool.limits = SERVING
        self._supervisor.start()
        lost: str | None = None
        busy: Sequence[str] = ()
        try:
            lost = self._await_the_end()
        finally:
            self._stop.set()
            if lost is not None and self._end is not None:
                self._end.begins(Unavailable.exit_code)
            self._wiring.hurry(HURRY_SECONDS)
            if busy := self._left(JOIN_SECONDS):
                note(f"Still busy and left behind: {', '.join(busy)}.")
        if lost is not None:
            raise Unavailable(lost)
        return busy

    def _await_the_end(self) -> str | None:
        """Wait until it is to end; why, unless somebody told it to."""
        looks = 0
        while not self._stop.wait(LOOK_SECONDS):
            lost = self._wiring.ways.lost()
            looks = looks + 1 if lost is not None else 0
            if looks == LOST_LOOKS:
                return lost
        return None

    def _left(self, seconds: float) -> Sequence[str]:
        """Wait for the services; those that have not ended in time."""
        until, busy = monotonic() + seconds, self._supervisor.join(0)
        while busy and monotonic() < until:
            if self._end is not None:
                self._end.waits_for(", ".join(busy))
            busy = self._supervisor.join(0.2)
        if self._end is not None:
            self._end.left(busy)
        return busy


def _bound(serve: Service, wiring: App) -> Callable[[StopEvent], None]:
    return lambda stop: serve(wiring, stop)


def _tell(wiring: App, stack: ExitStack, *, one_process: bool) -> None:
    """Prepare the services, and print what runs where: here, and for other programs."""
    opened_at = wiring.prepare_services()
    if wiring.address is not None and wiring.local_address is not None:
        where_it_is = told_where(
            wiring.settings, wiring.book, address=wiring.address, local=wiring.local_address
        )
        stack.enter_context(where_it_is)
    row = wiring.book_row()
    where = (
        "the database of COVERLEDGER_DSN" if wiring.settings.dsn else f"embedded, in {wiring.settings.home}"
    )
    running = [*(["sealer"] if wiring.settings.sealer_enabled else []), *wiring.services]
    if wiring.settings.log_format == "json":
        # Without the link to sign in: a log is kept, and read by many. `token link` makes one.
        _log.info(
            "ready", postgres=where, book=wiring.book, kind=row.kind, running=running, address=wiring.address
        )
        return
    clock = f", its clock at {row.clock_at.isoformat()}" if row.clock_at else ""
    clock += f", its time held at {row.held_at.isoformat()}" if row.held_at else ""
    note(f"Postgres  {where}")
    note(f"Book      {wiring.book} ({row.kind}{clock})")
    note(f"Running   {', '.join(running)}{' (in one process)' if one_process else ''}")
    for what, place in opened_at:
        note(f"{what:<8}  {place}")
    note("Ready. Other commands may be run beside it; Ctrl-C ends it.")
    sys.stderr.flush()


def _say_stopped(settings: Settings) -> None:
    if settings.log_format == "json":
        _log.info("stopped")
    else:
        note("Stopped.")


def _seal(wiring: App, stop: StopEvent) -> None:
    wiring.sealer.run(stop)
