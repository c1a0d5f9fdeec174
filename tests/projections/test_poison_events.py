"""An event that one view cannot fold: the others go on; it is parked, shown, and replayed after the mend."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from recorded_book import RecordedBook

from fixtures.program import settings_of
from ledger.feed.follower_group import FollowerGroup
from ledger.feed.followers import FollowerRunner
from projections.maintenance.status import parked_rows, view_statuses
from projections.runner.follower import ViewFollower
from projections.runner.view import View
from projections.views.registry import VIEWS

__all__ = ["settings_of"]


class Poison:
    """Makes the fold of one view raise at some positions, until it is mended."""

    def __init__(self, view: View[Any], positions: set[int]) -> None:
        self.positions = positions
        self.view = replace(view, fold=self._fold)
        self._sound = view

    def _fold(self, memory: Any, event: Any, since: Any) -> Any:  # noqa: ANN401  # the view's own
        if event.position in self.positions:
            message = f"no rule for position {event.position}"
            raise ArithmeticError(message)
        return self._sound.fold(memory, event, since)


@pytest.fixture
def first_of_streams(recorded: RecordedBook) -> Iterator[dict[str, list[int]]]:
    """A book with a history, not followed yet: the positions of each stream's events."""
    recorded.record_history(3, steps=80)
    with recorded.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select stream, array_agg(position order by position) from ledger.history"
            " where book = %s group by stream",
            (recorded.book,),
        )
        yield dict(cursor.fetchall())


@pytest.mark.parametrize("name", ["limits", "due", "claims", "bordereau"])
def test_a_poison_event_stops_nobody_else_and_after_the_mend_the_view_is_what_it_would_have_been(
    recorded: RecordedBook, first_of_streams: dict[str, list[int]], name: str
) -> None:
    kind = "contract/" if name in {"limits", "due"} else "claim/"
    # The first event of the longest stream, and a later one of another: both have events behind them.
    streams = sorted(
        (stream for stream in first_of_streams if stream.startswith(kind)),
        key=lambda stream: -len(first_of_streams[stream]),
    )
    poison = Poison(VIEWS[name], {first_of_streams[streams[0]][0], first_of_streams[streams[1]][1]})
    runners = {
        view.name: FollowerRunner(
            recorded.pool,
            recorded.book,
            ViewFollower(poison.view if view.name == name else view, recorded.book),
        )
        for view in VIEWS.values()
    }
    FollowerGroup(recorded.pool, recorded.book, list(runners.values()), batch=13).catch_up()
    with recorded.pool.connection() as connection:
        stood = {
            str(row["view"]): row for row in view_statuses(connection, recorded.book) if row["view"] in VIEWS
        }
        shown = parked_rows(connection, recorded.book, [name])
    assert {row["position"] for row in stood.values()} == {recorded.end()}
    assert {view: row["parked"] for view, row in stood.items() if row["parked"]} == {name: len(shown)}
    assert stood[name]["status"] == "parked"
    errors = {row["position"]: row["error"] for row in shown}
    assert all("no rule for position" in str(errors[position]) for position in poison.positions & set(errors))
    others = {view.name: recorded.table(view.name) for view in VIEWS.values() if view.name != name}

    poison.positions.clear()
    assert runners[name].replay_parked() == len(shown)
    after = recorded.table(name)
    assert runners[name].parked() == []
    assert runners[name].start_over()
    recorded.runner(name).catch_up()
    assert after == recorded.table(name)
    assert {view: recorded.table(view) for view in others} == others


def test_events_that_come_while_one_is_parked_wait_for_it_in_their_stream_alone(
    recorded: RecordedBook,
) -> None:
    recorded.record_history(92, steps=40)
    poison = Poison(VIEWS["contracts"], {0})
    runner = FollowerRunner(recorded.pool, recorded.book, ViewFollower(poison.view, recorded.book), batch=5)
    runner.catch_up()
    recorded.record_history(93, steps=40)
    runner.catch_up()
    parked = runner.parked()
    assert parked[0].position == 0
    assert {one.stream for one in parked} == {parked[0].stream}
    poison.positions.clear()
    runner.replay_parked()
    after = recorded.table("contracts")
    assert runner.start_over()
    recorded.runner("contracts").catch_up()
    assert after == recorded.table("contracts")
