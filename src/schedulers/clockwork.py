"""The only user of APScheduler: a ticker without a job store. The diary is the truth, not the ticker."""

import logging
from collections.abc import Callable
from threading import Event as StopEvent

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # ships none

from ledger.clock import machine_now

# It logs each tick that comes while the last one still runs: here that is as it should be.
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)

LOOK_SECONDS = 0.5
"""Between two looks at whether to stop."""


def tick(every_seconds: float, what: Callable[[], object], stop: StopEvent) -> None:
    """Do something at once and then every so many seconds, one run at a time, until `stop` is set.

    A tick that comes while the last one still runs is left out. Raises what a tick raises: the ticking ends.
    """
    failures: list[Exception] = []
    failed = StopEvent()

    def once() -> None:
        if failed.is_set() or stop.is_set():
            return
        try:
            what()
        except Exception as error:  # noqa: BLE001  # raised below, in the thread that ticks
            failures.append(error)
            failed.set()

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        once,
        "interval",
        seconds=every_seconds,
        next_run_time=machine_now(),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        while not stop.is_set() and not failed.wait(min(every_seconds, LOOK_SECONDS)):
            pass
    finally:
        scheduler.shutdown(wait=True)
    if failures:
        raise failures[0]
