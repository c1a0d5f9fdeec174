"""The views of a large random book, grown, rebuilt, and added up anew from raw events, are the same.

In full a book of 2,000 contracts; and as of any position a ledger that ends there.
"""

import json
import re
import sys
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger.domain.refusals import Invalid
from ledger.feed.reading import FeedEvent, read_feed
from ledger.store.feed_rows import feed_end
from ledger.submission import submission
from ledger.wiring import Wiring
from oracle.histories import history
from projections.asking.histories import read_until
from projections.asking.views import VIEWS
from projections.folding.versions import Folding
from projections.folding.view import Row, View
from projections.upkeep.checking import check_view
from projections.upkeep.rebuild import rebuild_together
from projections.upkeep.rows import live_generation, rows_of

sys.path.insert(0, str(Path(__file__).parents[1] / "projections"))

from views_against_raw import agree

SHORT_BOOKS, FULL_BOOKS = 4, 200
CONTRACTS_OF_A_BOOK = 10
NUMBER = re.compile(r'"([A-Z]+)-(?=\d)')
"""Where a contract's, a claim's, a complaint's or a person's number begins."""
POSITIONS_SHORT, POSITIONS_FULL = 12, 25


@pytest.mark.test_all
def test_views_grown_rebuilt_and_added_up_from_raw_events_are_the_same(
    simulated: Wiring, *, full: bool
) -> None:
    chance = Random(11)  # noqa: S311  # chance that can be repeated
    for seed in range(FULL_BOOKS if full else SHORT_BOOKS):
        record(simulated, seed)
        if chance.random() < 0.5:  # a coin
            # Followed now and then, in whatever batches come of it.
            simulated.catch_up(*VIEWS)
    simulated.catch_up(*VIEWS)
    with simulated.pool.connection() as connection:
        end = feed_end(connection, simulated.book)
        events = read_feed(connection, simulated.book, -1, end + 1)
    assert len({event.stream for event in events if event.stream.kind == "contract"}) >= 8 * (
        FULL_BOOKS if full else SHORT_BOOKS
    )
    grown = {name: all_rows(simulated, view) for name, view in VIEWS.items()}
    compared = agree(lambda view: standing(grown[view.name], end), events)
    assert compared > 10 * len({event.stream for event in events})
    for view in VIEWS.values():
        check_view(simulated, view, lambda _done, _total: None)

    rebuilt = rebuild_together(simulated.pool, simulated.book, list(VIEWS.values()))
    assert {one.view: one.differing for one in rebuilt} == dict.fromkeys(VIEWS, 0)
    for name, view in VIEWS.items():
        assert sorted(all_rows(simulated, view), key=str) == sorted(grown[name], key=str)

    positions = chance.sample(range(end + 1), POSITIONS_FULL if full else POSITIONS_SHORT)
    for position in positions:
        as_of_each_position(simulated, grown, position)


def as_of_each_position(
    wiring: Wiring, grown: "dict[str, list[tuple[int, int | None, Row]]]", position: int
) -> None:
    """As of a position each view is the one that a ledger which ends there would hold."""
    with wiring.pool.connection() as connection:
        prefix = list(read_until(connection, wiring.book, position))
    for name, view in VIEWS.items():
        folding = Folding(view)
        folding.take_all(event for event in prefix if wanted(view, event))
        assert sorted(standing(grown[name], position), key=str) == sorted(folding.standing(), key=str)


def wanted(view: View[Any], event: FeedEvent) -> bool:
    return view.types is None or event.type in view.types


def standing(rows: "list[tuple[int, int | None, Row]]", position: int) -> list[Row]:
    return [row for begin, end, row in rows if begin <= position and (end is None or end > position)]


def all_rows(wiring: Wiring, view: View[Any]) -> "list[tuple[int, int | None, Row]]":
    with wiring.pool.connection() as connection:
        return list(
            rows_of(connection, wiring.book, live_generation(connection, wiring.book, view.name), view)
        )


def record(wiring: Wiring, seed: int) -> None:
    """Record a desk's history of some contracts; its numbers are its own."""
    for line in history(seed, contracts=CONTRACTS_OF_A_BOOK, steps=20 * CONTRACTS_OF_A_BOOK):
        try:
            taken = submission(
                f"{seed}-{line['command_id']}",
                line["command"],
                json.loads(NUMBER.sub(rf'"\1-{seed}x', json.dumps(line["data"]))),
                at=datetime.fromisoformat(line["at"]),
                may_backdate=True,
            )
        except Invalid:
            continue
        wiring.ledger.submit(taken)
    wiring.seal()
