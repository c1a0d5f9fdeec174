"""The only user of APScheduler: a ticker without a job store. The diary is the truth, not the ticker."""

from collections.abc import Callable
from threading import Event as StopEvent

from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]  # ships none

from ledger.clock import machine_now


def tick(every_seconds: float, what: Callable[[], object], stop: StopEvent) -> None:
    """Do something at once and then every so many seconds, one run at a time, until `stop` is set.

    A tick that comes while the last one still runs is left out. A tick that fails is reported by
    APScheduler's log; the next one tries again.
    """
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        what,
        "interval",
        seconds=every_seconds,
        next_run_time=machine_now(),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)
