"""The clock watch: an alarm when the machine's clock and the database's part, or the database's leaps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from ledger.app import App
from schedulers import ticker
from schedulers.ticker import ClockWatch, read_clocks

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


class Times:
    """Three clocks that a test sets."""

    def __init__(self) -> None:
        self.database, self.machine, self.elapsed = NOON, NOON, 0.0

    def pass_by(self, seconds: float) -> None:
        self.database += timedelta(seconds=seconds)
        self.machine += timedelta(seconds=seconds)
        self.elapsed += seconds


@pytest.fixture
def times(wiring: App, monkeypatch: pytest.MonkeyPatch) -> Times:
    times = Times()
    monkeypatch.setattr(wiring, "now", lambda: times.database)
    monkeypatch.setattr(ticker, "machine_now", lambda: times.machine)
    monkeypatch.setattr(ticker, "monotonic", lambda: times.elapsed)
    return times


def alarms(watch: ClockWatch) -> list[dict[str, Any]]:
    with capture_logs() as lines:
        watch.look()
    return [dict(line) for line in lines]


def test_the_clocks_of_one_machine_agree(wiring: App) -> None:
    assert read_clocks(wiring).agrees


@pytest.mark.parametrize("minutes", [-1440, -10, 10, 1440])
def test_clocks_apart_are_an_alarm_once_and_again_each_hour(wiring: App, times: Times, minutes: int) -> None:
    clock, watch = times, ClockWatch(wiring)
    assert alarms(watch) == []
    clock.machine += timedelta(minutes=minutes)

    [alarm] = alarms(watch)
    assert (alarm["event"], alarm["log_level"]) == ("clocks_apart", "error")
    assert alarm["machine_ahead_seconds"] == minutes * 60
    clock.pass_by(60)
    assert alarms(watch) == []
    clock.pass_by(3600)
    assert [line["event"] for line in alarms(watch)] == ["clocks_apart"]

    clock.machine = clock.database
    assert [line["event"] for line in alarms(watch)] == ["clocks_agree_again"]


@pytest.mark.parametrize(
    ("hours", "event"), [(-1, "database_clock_went_back"), (24, "database_clock_leapt_ahead")]
)
def test_a_database_clock_that_is_set_is_an_alarm(wiring: App, times: Times, hours: int, event: str) -> None:
    clock, watch = times, ClockWatch(wiring)
    watch.look()
    clock.pass_by(15)
    clock.database += timedelta(hours=hours)
    clock.machine = clock.database

    assert [(line["event"], line["seconds"]) for line in alarms(watch)] == [(event, abs(hours) * 3600)]
