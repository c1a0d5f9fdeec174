"""The ticker: it ticks at once, goes on, stops when it is told to, and says when a tick fails."""

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


def test_ticks_do_not_overlap_however_long_one_takes() -> None:
    stop, running, ticked = StopEvent(), [], []

    def what() -> None:
        assert not running
        running.append(1)
        StopEvent().wait(0.1)
        running.clear()
        ticked.append(1)
        if len(ticked) == 3:
            stop.set()

    tick(0.01, what, stop)
    assert len(ticked) == 3


def test_a_tick_that_fails_ends_the_ticking_and_is_raised() -> None:
    ticked = []

    def what() -> None:
        ticked.append(1)
        message = "the log is broken"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the log is broken"):
        tick(0.01, what, StopEvent())
    assert ticked == [1]
