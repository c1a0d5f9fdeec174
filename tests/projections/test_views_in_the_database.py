"""Views in a real database say the same whatever the batches, rebuilt or not, and as of any position."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TypeVar

import pytest
from recorded_book import RecordedBook, answers

from ledger.domain.identifiers import StreamRef
from ledger.feed.reader import FeedEvent
from projections.maintenance.checks import compare
from projections.maintenance.rebuild import rebuild
from projections.queries.reader import Reader, read_until
from projections.runner.rows import Given, RowSource
from projections.runner.view import Folding, View
from projections.views.registry import VIEWS

Memory = TypeVar("Memory")

SEEDS = (3, 14, 92)
EACH = [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[1:])]


@pytest.mark.parametrize("seed", EACH)
def test_a_rebuilt_view_is_the_one_that_grew_event_by_event(recorded: RecordedBook, seed: int) -> None:
    recorded.record_history(seed)
    random = Random(seed)  # noqa: S311  # batches are no secrets
    for name in VIEWS:
        while recorded.runner(name, batch=random.randint(1, 7)).catch_up(random.randint(1, 9)):
            pass
    grown = {name: recorded.table(name) for name in VIEWS}
    assert all(grown[name] for name in ("limits", "due", "contracts", "claims"))
    for name, view in VIEWS.items():
        passed: list[int] = []
        rebuilt = rebuild(recorded.pool, recorded.book, view, passed.append)
        assert rebuilt.positions == sum(passed) == recorded.end() + 1
        assert (rebuilt.differing, rebuilt.generation) == (0, 2)
        assert recorded.table(name) == grown[name]
        assert compare(recorded.pool, recorded.book, view) == []


def test_a_row_that_somebody_changed_is_found_with_its_position(recorded: RecordedBook) -> None:
    recorded.record_history(SEEDS[0])
    recorded.catch_up()
    with recorded.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "update projections.limits set count_consumed = 7 where insurance_year = 1 and guarantee = 'data'"
        )
        assert cursor.rowcount
    found = compare(recorded.pool, recorded.book, VIEWS["limits"])
    assert {difference.where for difference in found} == {"view only", "feed only"}
    assert all(difference.row[2] == "data" for difference in found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", EACH)
def test_the_answer_as_of_each_position_is_that_of_a_ledger_which_holds_only_that_prefix(
    recorded: RecordedBook, seed: int
) -> None:
    recorded.record_history(seed)
    recorded.catch_up()
    with recorded.pool.connection() as connection:
        events = list(read_until(connection, recorded.book, recorded.end()))
        for position in range(-1, recorded.end() + 1):
            prefix = Prefix(connection, recorded.book, position, told=events[: position + 1])
            assert answers(Reader(connection, recorded.book, position)) == answers(prefix)


def test_on_a_day_after_everything_the_answer_is_the_one_that_stands(recorded: RecordedBook) -> None:
    recorded.record_history(SEEDS[1])
    recorded.catch_up()
    with recorded.pool.connection() as connection:
        for position in (recorded.end() // 3, recorded.end()):
            on = Reader(connection, recorded.book, position, on=date(2199, 12, 31))
            assert answers(on) == answers(Reader(connection, recorded.book, position))


@pytest.mark.parametrize("seed", EACH)
def test_on_a_day_one_contract_gives_what_the_whole_book_says_of_it(
    recorded: RecordedBook, seed: int
) -> None:
    recorded.record_history(seed)
    recorded.catch_up()
    with recorded.pool.connection() as connection:
        events = list(read_until(connection, recorded.book, recorded.end()))
        for day in sorted({event.effective_on for event in events})[::5]:
            whole = Reader(connection, recorded.book, recorded.end(), on=day)
            everything = answers(whole)
            for contract in {str(row["contract"]) for row in everything["contracts"]}:
                alone = answers(Reader(connection, recorded.book, recorded.end(), on=day), contract)
                assert alone == answers(whole, contract)
                of_it = [row for row in everything["limits"] if row["contract"] == contract]
                assert alone["limits"] == of_it


@dataclass
class Prefix(Reader):
    """A ledger that holds only a prefix: each view folded afresh from it, without any table."""

    told: Sequence[FeedEvent] = ()

    def source(self, view: View[Memory], scope: StreamRef | None = None) -> RowSource:
        assert scope is None
        folding = Folding(view)
        folding.take_all(event for event in self.told if view.types is None or event.type in view.types)
        return Given(folding.standing(), folding.standing_since())
