"""Which position a question stands for: the last one sealed by an instant, none that may still change."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.desk import contract, send
from ledger.app import App
from ledger.errors import UsageError
from ledger.feed.reader import Cursor
from ledger.sealing.sealer import Sealer
from projections.queries.reader import NOTHING, NothingKnown, known_end, position_as_of, read_as_of

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def hourly(simulated: App) -> App:
    """A book whose ten events were sealed an hour apart, the last two at once."""
    for number in range(9):
        sealed_at = FIRST + number * HOUR
        send(simulated, "StartContract", contract(f"CC-{number}", "2026-01-01"), "2026-01-01T09:00:00+01:00")
        if number == 8:
            send(simulated, "StartContract", contract("CC-9", "2026-01-01"), "2026-01-01T09:00:00+01:00")
        Sealer(simulated.sealer_pool, simulated.book, now=clock(sealed_at).__next__).seal_all()
    return simulated


def clock(instant: datetime) -> Iterator[datetime]:
    while True:
        yield instant


def asked(wiring: App, when: int | datetime | None, *, empty_ok: bool = False) -> int:
    asked_for = Cursor(1, when) if isinstance(when, int) else when
    with wiring.pool.connection() as connection:
        end = known_end(connection, wiring.book, ())
        return position_as_of(connection, wiring.book, asked_for, end, empty_ok=empty_ok)


def test_an_instant_stands_for_the_last_position_sealed_by_then(hourly: App) -> None:
    moment = timedelta(microseconds=1)
    assert asked(hourly, FIRST - moment, empty_ok=True) == NOTHING
    for number in range(8):
        assert asked(hourly, FIRST + number * HOUR) == number
        assert asked(hourly, FIRST + (number + 1) * HOUR - moment) == number
    assert asked(hourly, FIRST + 8 * HOUR) == 9
    assert asked(hourly, FIRST + 800 * HOUR) == 9
    assert asked(hourly, None) == 9


def test_a_position_that_the_feed_has_not_reached_is_refused(hourly: App) -> None:
    assert asked(hourly, 9) == 9
    with pytest.raises(UsageError, match="ends at position 9"):
        asked(hourly, 10)


def test_a_question_stands_for_no_position_that_one_of_its_views_has_not_folded(hourly: App) -> None:
    hourly.catch_up("limits")
    send(hourly, "StartContract", contract("CC-10", "2026-01-01"), "2026-01-01T09:00:00+01:00")
    hourly.catch_up("due")
    with hourly.pool.connection() as connection:
        assert known_end(connection, hourly.book, ("due",)) == 10
        assert known_end(connection, hourly.book, ("limits", "due")) == 9
        assert known_end(connection, hourly.book, ("limits", "claims")) == NOTHING


def test_an_empty_feed_stands_at_nothing(simulated: App) -> None:
    assert asked(simulated, None) == NOTHING
    assert asked(simulated, FIRST, empty_ok=True) == NOTHING
    with pytest.raises(NothingKnown, match="has no record"):
        asked(simulated, FIRST)
    with pytest.raises(UsageError, match="is empty"):
        asked(simulated, 0)


def test_what_is_said_is_a_position_an_instant_or_a_day_until_its_end() -> None:
    assert read_as_of("4711") == Cursor(1, 4711)
    assert read_as_of("2:4711") == Cursor(2, 4711)
    assert read_as_of("2026-03-01T09:00:00+01:00") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    # 2026-03-29 ends an hour early: its clocks go forward.
    assert read_as_of("2026-03-29") == datetime(2026, 3, 29, 21, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["", "-1", "soon", "2026-02-30", "2026-03-01T09:00:00", "9999-12-31", "\u0661"]
)
def test_anything_else_is_refused_with_what_to_write_instead(said: str) -> None:
    with pytest.raises(UsageError, match="write one of these"):
        read_as_of(said)
