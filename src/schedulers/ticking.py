"""Ticking in spite of a database that goes away: what a tick missed is done at the next one."""

from collections.abc import Callable
from threading import Event as StopEvent

import structlog

from ledger.store.errors import OutcomeUnknown
from ledger.store.patience import is_transient
from schedulers.clockwork import tick

AGAIN_SECONDS = 1.0
"""After a tick that the database was away for."""

_log = structlog.get_logger(__name__)


def patiently(
    act: Callable[[], object],
    stop: StopEvent,
    *,
    every_seconds: float,
    wake_in: Callable[[], float | None] = lambda: None,
) -> None:
    """Tick, and after a tick that failed for what passes by itself tick again soon."""
    was_away = False

    def once() -> None:
        nonlocal was_away
        try:
            act()
        except Exception as error:
            if not (is_transient(error) or isinstance(error, OutcomeUnknown)):
                raise
            was_away = True
            _log.warning("tick_delayed", error=" ".join(str(error).split()))
        else:
            was_away = False

    def soon() -> float | None:
        if was_away:
            return AGAIN_SECONDS
        try:
            return wake_in()
        except Exception as error:
            if not is_transient(error):
                raise
            return AGAIN_SECONDS

    tick(every_seconds, once, stop, wake_in=soon)
