"""The ticker: it ticks at once, goes on, wakes early, stops when told to, and says when a tick fails."""

from datetime import UTC, datetime, timedelta, tzinfo
from threading import Event as StopEvent
from threading import Thread
from time import monotonic

import pytest
from apscheduler.schedulers import base as apscheduler

from schedulers import ticker
from schedulers.ticker import tick


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


def test_it_wakes_early_for_what_falls_due_before_the_next_tick() -> None:
    stop, ticked = StopEvent(), []
    begun = monotonic()

    def what() -> None:
        ticked.append(monotonic() - begun)
        if len(ticked) == 3:
            stop.set()

    tick(60, what, stop, wake_in=lambda: 0.2)
    assert len(ticked) == 3
    assert ticked[1] >= 0.2


def test_what_falls_due_after_the_next_tick_is_left_to_it() -> None:
    stop, ticked = StopEvent(), []

    def what() -> None:
        ticked.append(1)
        if len(ticked) == 3:
            stop.set()

    tick(0.05, what, stop, wake_in=lambda: 3600.0)
    assert len(ticked) == 3


class Wandering:
    """A machine's clock that somebody sets."""

    ahead = timedelta()

    @classmethod
    def now(cls, zone: tzinfo | None = UTC) -> datetime:
        return datetime.now(zone) + cls.ahead


# A tick is a tenth here: an hour ahead skips as many as twenty-five days of ticks of a minute do.
@pytest.mark.parametrize("set_by", [timedelta(days=-1), timedelta(hours=1), timedelta(minutes=-10)])
def test_it_goes_on_ticking_when_somebody_sets_the_machines_clock(
    set_by: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wandering, "ahead", timedelta())
    monkeypatch.setattr(apscheduler, "datetime", Wandering)
    monkeypatch.setattr(ticker, "machine_now", lambda: Wandering.now(UTC))
    stop, ticked = StopEvent(), []

    def what() -> None:
        ticked.append(1)
        if len(ticked) == 2:
            monkeypatch.setattr(Wandering, "ahead", set_by)
        if len(ticked) == 4:
            stop.set()

    ticking = Thread(target=tick, args=(0.1, what, stop))
    ticking.start()
    ticking.join(timeout=10)
    late = ticking.is_alive()
    stop.set()
    ticking.join()
    assert not late
