"""`up` at work: services in threads of two processes, ended together by Ctrl-C or SIGTERM."""

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event as StopEvent
from threading import Thread
from time import monotonic
from types import FrameType
from typing import Final

import structlog

from ledger.commands.accompanying import accompany
from ledger.commands.demo import load_demo
from ledger.commands.output import note
from ledger.endings import Ending, Refused, Unreachable
from ledger.logs import log_to_stderr
from ledger.settings import Settings
from ledger.store.errors import OutcomeUnknown
from ledger.store.errors import Unreachable as DatabaseAway
from ledger.wiring import Serve, Wiring, opened

AGAIN_SECONDS = 1.0
"""Between two tries of a service whose database is away."""

PATIENCE_TRIES = 30
"""Tries in a row after which a database that is away ends the program."""

CALM_SECONDS = 10.0
"""A service that ran for so long before its database went away starts counting anew."""

JOIN_SECONDS = 10.0
"""Given to a service to end once it is told to."""


IN_FRONT: Final = frozenset({"http", "figures"})
"""Services that callers wait for, and who counts ahead of their pages in the memory that these read: with the
sealer in `up`'s own process. The others are its companion's."""


_log = structlog.get_logger(__name__)


class Stopped(BaseException):
    """Ctrl-C or SIGTERM while the ledger was still getting ready."""


def run(book: str, *, demo: bool, port: int | None, one_process: bool = False) -> int:
    """Run the whole ledger until it is told to stop; gives the exit code.

    `one_process`: without a companion, all services in this process.
    """
    settings = Settings.load()
    log_to_stderr(quiet=False, as_json=settings.log_format == "json")
    stop = StopEvent()
    with stopped_by_signals(stop) as signals:
        try:
            with opened(book, settings, kind="simulated" if demo else "real") as wiring:
                wiring.port = port
                if demo:
                    _refuse_real(wiring)
                    load_demo(wiring)
                signals.ready()
                running = Running(wiring, stop, in_front(wiring, one_process=one_process))
                _tell(wiring, one_process=one_process)
                running.until_stopped()
        except Stopped:
            pass  # by Ctrl-C or SIGTERM while it was getting ready
        _say_stopped(settings)
        return 0


def _refuse_real(wiring: Wiring) -> None:
    if wiring.book_row().kind == "real":
        message = (
            f"Book {wiring.book!r} in {wiring.settings.home} is real, and a real ledger takes no demo: "
            "set CLAIMS_LEDGER_HOME to a new folder, or give another --book."
        )
        raise Refused(message)


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
def stopped_by_signals(stop: StopEvent) -> Iterator[Signals]:
    """Take Ctrl-C and SIGTERM for the length of the block."""
    signals = Signals(stop)
    before = {number: signal.signal(number, signals.came) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_front(wiring: Wiring, *, one_process: bool) -> Mapping[str, Serve]:
    """Give what `up` runs in its own process, by name: sealer, HTTP, and who keeps the companion."""
    sealer: Mapping[str, Serve] = {"sealer": _seal} if wiring.settings.seals else {}
    if one_process:
        return {**sealer, **wiring.services}
    own = {name: serve for name, serve in wiring.services.items() if name in IN_FRONT}
    return {**sealer, **own, "companion": accompany}


def apart(wiring: Wiring) -> Mapping[str, Serve]:
    """Give what the companion runs, by name."""
    return {name: serve for name, serve in wiring.services.items() if name not in IN_FRONT}


class Running:
    """Services of one book, each in a thread of its own."""

    def __init__(self, wiring: Wiring, stop: StopEvent, services: Mapping[str, Serve]) -> None:
        """Run these until `stop` is set."""
        self._wiring = wiring
        self._stop = stop
        self._services = services
        self._gone: Ending | None = None

    def until_stopped(self) -> None:
        """Start the services and wait until they have ended.

        Raises:
            Unreachable: the database went away and did not come back.

        """
        # Made here once: threads that make them at the same time would each make their own.
        _ = self._wiring.store, self._wiring.sealer, self._wiring.ledger, self._wiring.followers
        threads = [
            Thread(target=self._serve, args=(name, serve), name=name)
            for name, serve in self._services.items()
        ]
        for thread in threads:
            thread.start()
        try:
            self._stop.wait()
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(JOIN_SECONDS)
        slow = [thread.name for thread in threads if thread.is_alive()]
        if slow:
            note(f"Still busy and left behind: {', '.join(slow)}.")
        if self._gone is not None:
            raise self._gone

    def _serve(self, name: str, serve: Serve) -> None:
        """Run one service; a database that is away is waited for, anything else is an alarm."""
        failures = 0
        while not self._stop.is_set():
            begun = monotonic()
            try:
                serve(self._wiring, self._stop)
            except (DatabaseAway, OutcomeUnknown) as error:
                failures = 1 if monotonic() - begun > CALM_SECONDS else failures + 1
                if failures == PATIENCE_TRIES:
                    self._gone = Unreachable(
                        f"The database is away ({error}): start it, then start the ledger again."
                    )
                    self._stop.set()
                self._stop.wait(AGAIN_SECONDS)
            except Exception as error:  # noqa: BLE001  # told as an alarm; the other services go on
                _alarm(self._wiring, name, error)
                return
            else:
                return


def _tell(wiring: Wiring, *, one_process: bool) -> None:
    """Let the services take what they need first, and say what runs where."""
    opened_at = wiring.prepare_services()
    row = wiring.book_row()
    where = (
        "the database of CLAIMS_LEDGER_DSN" if wiring.settings.dsn else f"embedded, in {wiring.settings.home}"
    )
    running = [*(["sealer"] if wiring.settings.seals else []), *wiring.services]
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


def _alarm(wiring: Wiring, name: str, error: Exception) -> None:
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if wiring.settings.log_format == "json":
        _log.critical("service_stopped", service=name, book=wiring.book, error=said)
    else:
        note(f"ALARM: {name} has stopped: {said}")


def _seal(wiring: Wiring, stop: StopEvent) -> None:
    wiring.sealer.run(stop)
