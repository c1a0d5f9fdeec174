"""The only user of APScheduler: a ticker without a job store. The diary is the truth, not the ticker."""

import logging
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta
from threading import Event as StopEvent
from time import monotonic

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # ships none

from ledger.clock import machine_now
from ledger.supervision import moved, will_rest

# It logs each tick that comes while the last one still runs: here that is as it should be.
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)

LOOK_SECONDS = 0.5
"""Between two looks at whether to stop, or to wake the ticker."""

SHORTEST_SECONDS = 0.05
"""Between the end of a tick and one that was woken early."""


def _never() -> None:
    """Wake for nothing before the next tick."""


def tick(
    every_seconds: float,
    what: Callable[[], object],
    stop: StopEvent,
    *,
    wake_in: Callable[[], float | None] = _never,
) -> None:
    """Do something at once and then every so many seconds, one run at a time, until `stop` is set.

    `wake_in` is asked after each tick in how many seconds the next one is needed; None, or later than the
    regular one, changes nothing. A tick that comes while the last one still runs is left out. Whatever is
    done to the machine's clock meanwhile, no tick comes more than a second late: its pauses are measured as
    durations. Raises what a tick raises: the ticking ends. Within a service it shows that it moves by its
    ticks, and that it rests between them.
    """
    service = copy_context()
    failures: list[Exception] = []
    early: list[float | None] = []
    ticked = StopEvent()

    def once() -> None:
        if failures or stop.is_set():
            return
        try:
            moved()
            what()
            early.append(wake_in())
            will_rest(every_seconds)
        except Exception as error:  # noqa: BLE001  # raised below, in the thread that ticks
            failures.append(error)
        ticked.set()

    scheduler = BackgroundScheduler(timezone="UTC")
    job = scheduler.add_job(
        lambda: service.run(once),
        "interval",
        seconds=every_seconds,
        next_run_time=machine_now(),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        expected = monotonic() + every_seconds
        while not stop.is_set() and not failures:
            pause: float | None = None
            if ticked.wait(min(every_seconds, LOOK_SECONDS)):
                ticked.clear()
                pause = _pause(every_seconds, early)
                expected = monotonic() + (every_seconds if pause is None else pause)
            elif monotonic() > expected + LOOK_SECONDS:
                # The ticker reads the machine's clock: set back, it would sleep for as long.
                pause, expected = 0.0, monotonic() + every_seconds
            if pause is not None and not failures:
                job.modify(next_run_time=machine_now() + timedelta(seconds=pause))
    finally:
        scheduler.shutdown(wait=True)
    if failures:
        raise failures[0]


def _pause(every_seconds: float, early: list[float | None]) -> float | None:
    """Say after how many seconds the ticker is to be woken; None: it comes by itself early enough."""
    wanted = early.pop() if early else None
    early.clear()
    if wanted is None or wanted >= every_seconds:
        return None
    return max(wanted, SHORTEST_SECONDS)
