"""A view is rebuilt beside the one that is read: no answer is missing or wrong, before, while and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as StopEvent
from threading import Thread
from typing import Any

import pytest
from recorded_book import RecordedBook, reports
from typed import Typed

from fixtures.database import Database, execute
from fixtures.desk import contract, send
from ledger.app import App
from ledger.feed.followers import FollowerRunner
from ledger.store.diagnostics import examine_feed
from ledger.store.feed import checkpoint
from oracle.histories import history
from projections import services
from projections.listing import Filters
from projections.maintenance import rebuild as rebuilding
from projections.maintenance import status
from projections.maintenance.rebuild import (
    KeptView,
    compare_generations,
    drop_kept,
    rebuild,
    rebuild_together,
)
from projections.maintenance.status import view_statuses
from projections.queries.questions import list_limits
from projections.queries.reader import SNAPSHOT, Reader, known_end
from projections.runner import generations
from projections.runner.follower import FoldChanged, ViewFollower
from projections.runner.view import View
from projections.views.registry import VIEWS

LIMITS = VIEWS["limits"]


@pytest.fixture
def grown(recorded: RecordedBook) -> RecordedBook:
    recorded.record_history(14)
    recorded.catch_up()
    return recorded


@contextmanager
def reader_of(recorded: RecordedBook, position: int | None = None) -> Iterator[Reader]:
    with recorded.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        end = known_end(connection, recorded.book, tuple(VIEWS))
        yield Reader(connection, recorded.book, end if position is None else position)


def states(recorded: RecordedBook, view: str = "limits") -> list[tuple[int, str, int]]:
    with recorded.pool.connection() as connection:
        found = generations.generations(connection, recorded.book)
    return [(one.generation, one.state, one.fold_version) for one in found if one.view == view]


def test_the_old_rows_are_kept_until_they_are_dropped(grown: RecordedBook) -> None:
    before = grown.table("limits")
    rebuilt = rebuild(grown.pool, grown.book, LIMITS)
    assert (rebuilt.differing, rebuilt.generation, rebuilt.positions) == (0, 2, grown.end() + 1)
    assert states(grown) == [(1, "kept", LIMITS.version), (2, "live", LIMITS.version)]
    assert grown.table("limits") == before
    assert rebuild(grown.pool, grown.book, LIMITS).generation == 3
    gone: list[int] = []
    assert drop_kept(grown.pool, grown.book, LIMITS, gone.append) == [1, 2]
    assert sum(gone) > 0
    assert states(grown) == [(3, "live", LIMITS.version)]
    assert grown.table("limits") == before
    with grown.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from projections.limits where generation <> 3")
        assert cursor.fetchone() == (0,)


def test_a_row_that_somebody_changed_is_told_as_differing_and_put_right(
    grown: RecordedBook, database: Database
) -> None:
    before = grown.table("limits")
    execute(
        database.superuser_dsn,
        "update projections.limits set count_consumed = 7 where guarantee = 'data' and insurance_year = 1",
    )
    rebuilt = rebuild(grown.pool, grown.book, LIMITS)
    assert rebuilt.differing >= 2
    assert {one.generation for one in rebuilt.first} == {1, 2}
    assert all(one.row[2] == "data" for one in rebuilt.first)
    assert grown.table("limits") == before


def test_reading_goes_on_while_a_view_is_rebuilt_and_never_sees_both(
    grown: RecordedBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    write = rebuilding.FollowerRunner.pass_read

    with reader_of(grown) as reader:
        first = list_limits(reader, Filters())

    def and_read(runner: FollowerRunner, *given: Any) -> int:  # noqa: ANN401  # passed on
        with reader_of(grown) as reader:
            asked.append(list_limits(reader, Filters()) == first)
        return write(runner, *given)

    monkeypatch.setattr(FollowerRunner, "pass_read", and_read)
    with reader_of(grown) as held:
        assert list_limits(held, Filters()) == first
        rebuild(grown.pool, grown.book, LIMITS)
        # A question that was begun before the switch goes on with what it began with.
        assert list_limits(held, Filters()) == first
    assert asked
    assert all(asked)


def test_a_rebuild_that_was_broken_off_goes_on_where_it_stood(
    grown: RecordedBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "_finish", broken_off)
    with pytest.raises(KeyboardInterrupt):
        rebuild(grown.pool, grown.book, LIMITS)
    monkeypatch.undo()
    assert states(grown) == [(1, "live", LIMITS.version), (2, "building", LIMITS.version)]
    with grown.pool.connection() as connection:
        [shown] = [row for row in view_statuses(connection, grown.book) if row["view"] == "limits"]
        assert checkpoint(connection, grown.book, "limits@2") == grown.end()
        # What is being built is behind, and the ledger is as ready as it was.
        assert "limits@2" not in examine_feed(connection, grown.book).followers
    assert shown["status"] == "building"
    rebuilt = rebuild(grown.pool, grown.book, LIMITS)
    assert (rebuilt.positions, rebuilt.generation, rebuilt.differing) == (0, 2, 0)
    assert states(grown) == [(1, "kept", LIMITS.version), (2, "live", LIMITS.version)]


def broken_off(*_: object) -> object:
    raise KeyboardInterrupt


def test_what_was_half_built_by_another_fold_is_begun_anew(
    grown: RecordedBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "_finish", broken_off)
    with pytest.raises(KeyboardInterrupt):
        rebuild(grown.pool, grown.book, replace(LIMITS, version=7))
    monkeypatch.undo()
    rebuilt = rebuild(grown.pool, grown.book, LIMITS)
    assert (rebuilt.positions, rebuilt.differing) == (grown.end() + 1, 0)
    assert states(grown) == [(1, "kept", LIMITS.version), (2, "live", LIMITS.version)]


def begin_contract(recorded: RecordedBook) -> None:
    """Record a further contract, under a command's id that no history has."""
    fields, at = contract("CC-new"), "2026-01-02T10:00:00+01:00"
    assert send(recorded.wiring, "StartContract", fields, at, command_id="new").status == "recorded"


def changed(view: View[Any]) -> View[Any]:
    """The same view by a fold of the next version, which shows each row's order one higher."""

    def fold(*given: Any) -> Any:  # noqa: ANN401  # whatever the view's own fold takes and gives
        folded = view.fold(*given)
        if folded is None:
            return None
        return folded._replace(rows=[row._replace(guarantee_order=9) for row in folded.rows])

    return replace(view, fold=fold, version=view.version + 1)


def test_a_changed_fold_halts_the_view_and_nothing_is_parked(grown: RecordedBook) -> None:
    begin_contract(grown)
    grown.wiring.seal()
    runner = FollowerRunner(grown.pool, grown.book, ViewFollower(changed(LIMITS), grown.book))
    with pytest.raises(FoldChanged, match="projections rebuild limits"):
        runner.catch_up()
    assert runner.parked() == []
    assert runner.position() < grown.end()


def test_a_changed_fold_rebuilds_the_view_before_it_answers(
    grown: RecordedBook, wiring_of_changed: App
) -> None:
    begin_contract(grown)
    wiring_of_changed.catch_up("limits", "due")
    assert states(grown) == [(1, "kept", LIMITS.version), (2, "live", LIMITS.version + 1)]
    assert states(grown, "due") == [(1, "live", 1)]
    with reader_of(grown, grown.end()) as reader, reader.connection.cursor() as cursor:
        cursor.execute("select distinct guarantee_order from projections.limits where generation = 2")
        assert cursor.fetchall() == [(9,)]
        assert any(row["contract"] == "CC-new" for row in list_limits(reader, Filters()))


def test_within_up_a_changed_fold_is_built_anew_while_the_others_go_on(
    grown: RecordedBook, wiring_of_changed: App
) -> None:
    stop = StopEvent()
    serving = [
        Thread(target=serve, args=(wiring_of_changed, stop), daemon=True)
        for serve in (services.keep_views, services.rebuild_views)
    ]
    for service in serving:
        service.start()
    try:
        begin_contract(grown)
        grown.wiring.seal()
        wait_until(lambda: all(row["lag"] == 0 for row in told(grown)))
    finally:
        stop.set()
        for service in serving:
            service.join(20)
    assert not any(service.is_alive() for service in serving)
    assert states(grown) == [(1, "kept", LIMITS.version), (2, "live", LIMITS.version + 1)]


def wait_until(holds: Any) -> None:  # noqa: ANN401  # a question
    for _ in range(400):
        if holds():
            return
        StopEvent().wait(0.05)
    raise AssertionError(holds)


def told(recorded: RecordedBook) -> list[dict[str, object]]:
    with recorded.pool.connection() as connection:
        return view_statuses(connection, recorded.book)


@pytest.fixture
def wiring_of_changed(grown: RecordedBook, monkeypatch: pytest.MonkeyPatch) -> App:
    """The next release of the program, in which the fold of the limits has changed."""
    released = {**VIEWS, "limits": changed(LIMITS)}
    for module in (services, status):
        monkeypatch.setattr(module, "VIEWS", released)
    wiring = App(grown.wiring.settings, grown.book, grown.wiring.ways, grown.wiring.registry)
    followers = dict(wiring.followers)
    followers["limits"] = KeptView(released["limits"], grown.book)
    wiring.__dict__["followers"] = followers
    return wiring


def test_events_that_a_rebuild_cannot_fold_are_parked_for_the_view_and_replayed(
    grown: RecordedBook,
) -> None:
    whole = grown.table("limits")
    poisoned = {"on": True}

    def fold(memory: Any, event: Any, since: Any) -> Any:  # noqa: ANN401  # the view's own
        if poisoned["on"] and event.stream.number.endswith("1"):
            message = "a rule that nobody thought of"
            raise ZeroDivisionError(message)
        return LIMITS.fold(memory, event, since)

    view = replace(LIMITS, fold=fold)
    rebuild(grown.pool, grown.book, view)
    runner = FollowerRunner(grown.pool, grown.book, ViewFollower(view, grown.book))
    assert runner.parked()
    assert grown.table("limits") != whole
    poisoned["on"] = False
    assert runner.replay_parked() > 0
    assert runner.parked() == []
    assert grown.table("limits") == whole


def test_what_the_live_rows_went_through_after_the_switch_is_no_difference(grown: RecordedBook) -> None:
    end = grown.end()
    rebuild_together(grown.pool, grown.book, list(VIEWS.values()))
    grown.record(
        line | {"command_id": f"later-{line['command_id']}"} for line in history(14, contracts=3, steps=120)
    )
    grown.catch_up()
    assert grown.end() > end
    with grown.pool.connection() as connection:
        for view in VIEWS.values():
            for after in range(-1, end + 1, 5):
                found = compare_generations(connection, grown.book, view, 1, 2, end, after)
                assert (view.name, found.found) == (view.name, 0)


def test_many_views_are_rebuilt_over_one_reading(grown: RecordedBook) -> None:
    with reader_of(grown) as reader:
        before = reports(reader)
    passed: list[int] = []
    rebuilt = rebuild_together(grown.pool, grown.book, list(VIEWS.values()), passed.append)
    assert [(one.view, one.differing) for one in rebuilt] == [(name, 0) for name in VIEWS]
    assert sum(passed) == grown.end() + 1
    with reader_of(grown) as reader:
        assert reports(reader) == before


def test_a_rebuild_as_typed_tells_what_it_did_and_drop_what_is_gone(typed: Typed, wiring: App) -> None:
    send(wiring, "StartContract", contract("CC-1"), "2026-01-02T10:00:00+01:00")
    assert typed.run("limits").code == 0
    said = typed.run("projections", "rebuild", "limits", "due")
    assert said.code == 0
    assert "Generation 2 is read now" in said.stderr
    assert "Every row is as it was." in said.stderr
    kept = {row["view"]: row["kept"] for row in typed.rows("projections", "list")}
    assert (kept["limits"], kept["due"], kept["claims"]) == ([1], [1], [])
    assert typed.rows("projections", "drop", "limits") == [{"view": "limits", "generations": [1]}]
    assert "nothing, none was kept" in typed.run("projections", "drop", "limits").stderr
    for words in (("drop",), ("drop", "limits", "--all"), ("rebuild",)):
        assert typed.run("projections", *words).code == 2
