"""The ticker: it ticks at once, goes on, survives a failing tick, and stops when it is told to."""

import logging
from threading import Event as StopEvent
from threading import Thread

import pytest

from schedulers.clockwork import tick


def test_it_ticks_at_once_and_again_until_it_is_stopped() -> None:
    stop, ticked = StopEvent(), []

    def what() -> None:
        ticked.append(1)
        if len(ticked) == 3:
            stop.set()

    ticking = Thread(target=tick, args=(0.02, what, stop))
    ticking.start()
    ticking.join(timeout=10)
    assert not ticking.is_alive()
    assert len(ticked) >= 3


def test_a_tick_that_fails_does_not_end_the_ticking(caplog: pytest.LogCaptureFixture) -> None:
    stop, ticked = StopEvent(), []

    def what() -> None:
        ticked.append(1)
        if len(ticked) > 1:
            stop.set()
            return
        message = "the first tick fails"
        raise RuntimeError(message)

    with caplog.at_level(logging.ERROR, logger="apscheduler"):
        tick(0.02, what, stop)
    assert len(ticked) >= 2
    assert "raised an exception" in caplog.text
