"""The views of a large random book, grown, rebuilt, and added up anew from raw events, are the same.

In full a book of 2,000 contracts; and as of any position a ledger that ends there.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from faults.desks_histories import Line, import_all, instant, of_desks
from ledger.app import App
from ledger.command_envelope import submission
from ledger.feed.reader import FeedEvent, read_feed
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures
from ledger.store.feed import feed_end
from projections.maintenance.checks import Version, check_view, live_generation, rows_of
from projections.maintenance.rebuild import rebuild_together
from projections.queries.reader import Reader
from projections.runner.view import Folding, View
from projections.views.registry import VIEWS
from recomputed.book import Recomputed
from recomputed.raw import RawEvent, read_raw

sys.path.insert(0, str(Path(__file__).parents[1] / "projections"))

from views_against_raw import agree, agree_as_of, agree_on_the_directory, rows_found

HISTORIES_SHORT, HISTORIES_FULL = 4, 200
HISTORIES_OF_A_FILE = 20
POSITIONS_SHORT, POSITIONS_FULL = 12, 40
ERASED_SHORT, ERASED_FULL = 5, 100
FOLLOWED = (*VIEWS, "directory")
ACCESS = Access("desk-1", "subject erase", "asked for it")
LAST_DAY = date(2034, 12, 31)


@dataclass
class RandomBook:
    """A book of random histories, recorded one by one or by the file, with persons erased on the way."""

    wiring: App
    chance: Random

    def record(self, histories: int, erased: int) -> None:
        """Record the first ones command by command, the others merged into files, and follow at times."""
        alone = list(range(min(histories, HISTORIES_SHORT)))
        rest = range(len(alone), histories)
        files = [
            rest[begin : begin + HISTORIES_OF_A_FILE] for begin in range(0, len(rest), HISTORIES_OF_A_FILE)
        ]
        for seeds in (*([seed] for seed in alone), *files):
            lines = of_desks(seeds)
            if len(seeds) == 1:
                self.submit(lines)
            else:
                import_all(self.wiring, lines, self.chance.randbytes(32))
            if self.chance.random() < 0.5:  # a coin
                # Followed in whatever batches come of it; so some are erased who stood in the directory.
                self.wiring.catch_up(*FOLLOWED)
            self.erase(-(-erased // (len(alone) + len(files))))
        self.wiring.catch_up(*FOLLOWED)

    def submit(self, lines: list[Line]) -> None:
        for line in lines:
            taken = submission(
                line["command_id"], line["command"], line["data"], at=instant(line), may_backdate=True
            )
            self.wiring.ledger.submit(taken)
        self.wiring.seal()

    def erase(self, count: int) -> None:
        with self.wiring.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(
                "select person from vault.subjects where book = %s order by 1", (self.wiring.book,)
            )
            persons = [person for (person,) in cursor]
        erasures = Erasures(self.wiring.ledger)
        for person in self.chance.sample(persons, min(count, len(persons) // 4)):
            erasures.erase(person, ACCESS)

    def events(self) -> tuple[list[FeedEvent], list[RawEvent]]:
        """Read the whole feed, as events and as raw ones."""
        with self.wiring.pool.connection() as connection, connection.cursor() as cursor:
            end = feed_end(connection, self.wiring.book)
            events = read_feed(connection, self.wiring.book, -1, end + 1)
            return events, read_raw(cursor, self.wiring.book)

    def versions(self, view: View[Any]) -> list[Version]:
        with self.wiring.pool.connection() as connection:
            generation = live_generation(connection, self.wiring.book, view.name)
            return list(rows_of(connection, self.wiring.book, generation, view))


@pytest.mark.test_all
def test_views_grown_rebuilt_and_added_up_from_raw_events_are_the_same(simulated: App, *, full: bool) -> None:
    chance = Random(11)  # noqa: S311  # chance that can be repeated
    book, histories = RandomBook(simulated, chance), HISTORIES_FULL if full else HISTORIES_SHORT
    book.record(histories, ERASED_FULL if full else ERASED_SHORT)
    events, raw = book.events()
    assert len({event.stream for event in events if event.stream.kind == "contract"}) >= 8 * histories
    grown = {name: book.versions(view) for name, view in VIEWS.items()}
    for view in VIEWS.values():
        check_view(simulated, view, lambda _done, _total: None)

    rebuilt = rebuild_together(simulated.pool, simulated.book, list(VIEWS.values()))
    assert {one.view: one.differing for one in rebuilt} == dict.fromkeys(VIEWS, 0)
    for name, view in VIEWS.items():
        assert Counter(book.versions(view)) == Counter(grown[name])

    positions = chance.sample(range(len(events)), POSITIONS_FULL if full else POSITIONS_SHORT)
    recomputed = as_of_each_position(simulated, events, raw, sorted(positions))
    assert agree(lambda view: grown[view.name], recomputed) > 2 * len(events)
    with simulated.pool.connection() as connection:
        assert agree_on_the_directory(connection, simulated.book, raw) > histories


def as_of_each_position(
    wiring: App, events: list[FeedEvent], raw: list[RawEvent], positions: list[int]
) -> Recomputed:
    """As of a position each view is the one that a ledger which ends there holds; the whole book at last."""
    recomputed, begun = Recomputed(), 0
    foldings = {name: Folding(view) for name, view in VIEWS.items()}
    for end in (*positions, len(events) - 1):
        recomputed.take_all(raw[begun : end + 1])
        for event in events[begun : end + 1]:
            for name, view in VIEWS.items():
                if view.types is None or event.type in view.types:
                    foldings[name].take(event)
        begun = end + 1
        with wiring.pool.connection() as connection:
            reader = Reader(connection, wiring.book, end)
            agree_as_of(reader, recomputed, LAST_DAY)
            for name, view in VIEWS.items():
                assert Counter(rows_found(reader, view)) == Counter(foldings[name].standing())
    return recomputed
