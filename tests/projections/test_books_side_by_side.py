"""Two books in one database are followed side by side: what befalls one does not reach the other.

Both bear the same numbers of contracts and claims, as books of two insurers may.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event as StopEvent
from threading import Thread
from typing import Any

import pytest
from recorded_book import RecordedBook
from views_against_raw import agree

from coverledger.composition import opened
from ledger.app import App
from projections.maintenance.rebuild import drop_kept, rebuild_together
from projections.maintenance.status import view_statuses
from projections.runner.follower import ViewFollower
from projections.services import keep_views
from projections.views.registry import VIEWS
from recomputed.book import Recomputed
from recomputed.raw import read_raw


@dataclass
class Books:
    """A book, and another beside it."""

    one: RecordedBook
    other: RecordedBook


@pytest.fixture
def books(simulated: App) -> Iterator[Books]:
    with opened("second", simulated.settings, kind="simulated") as wiring:
        one, other = RecordedBook(simulated), RecordedBook(wiring)
        one.record_history(3)
        other.record_history(14)
        yield Books(one, other)


def test_two_books_followed_at_the_same_time_each_show_what_their_own_events_add_up_to(books: Books) -> None:
    with followed(books.one), followed(books.other):
        books.one.record_history(92)
        books.other.record_history(15)
        wait_until(lambda: reached_the_end(books.one) and reached_the_end(books.other))
    for book in (books.one, books.other):
        assert agree(lambda view, book=book: book.versions(view.name), recomputed(book)) > book.end()  # type: ignore[misc]  # bound at once


def test_an_event_that_poisons_a_view_of_one_book_parks_nothing_of_the_other(books: Books) -> None:
    poison = Spell(VIEWS["limits"].fold, ArithmeticError("no rule for it"))
    with followed(books.one, limits=poison), followed(books.other):
        wait_until(lambda: reached_the_end(books.one) and reached_the_end(books.other))
    assert {row["view"] for row in told(books.one) if row["parked"]} == {"limits"}
    assert [row for row in told(books.other) if row["parked"]] == []
    agree(lambda view: books.other.versions(view.name), recomputed(books.other))
    assert books.one.runner("limits").replay_parked() > 0
    agree(lambda view: books.one.versions(view.name), recomputed(books.one))


def test_a_book_whose_view_waits_for_ever_keeps_no_other_book_waiting(books: Books) -> None:
    stuck, free = StopEvent(), StopEvent()

    def wait() -> None:
        stuck.set()
        assert free.wait(30)

    with followed(books.one, claims=Spell(VIEWS["claims"].fold, wait)):
        assert stuck.wait(30)
        try:
            with followed(books.other):
                wait_until(lambda: reached_the_end(books.other))
                books.other.record_history(15)
                wait_until(lambda: reached_the_end(books.other))
            assert not reached_the_end(books.one)
        finally:
            free.set()
        wait_until(lambda: reached_the_end(books.one))
    for book in (books.one, books.other):
        agree(lambda view, book=book: book.versions(view.name), recomputed(book))  # type: ignore[misc]  # bound at once


def test_rebuilding_dropping_and_starting_over_one_book_touch_no_row_of_the_other(books: Books) -> None:
    books.one.catch_up()
    books.other.catch_up()
    before = stored(books.other)
    rebuilt = rebuild_together(books.one.pool, books.one.book, list(VIEWS.values()))
    assert {one.differing for one in rebuilt} == {0}
    for view in VIEWS.values():
        assert drop_kept(books.one.pool, books.one.book, view) == [1]
    assert books.one.runner("due").start_over()
    assert stored(books.other) == before
    books.one.catch_up()
    assert stored(books.other) == before
    agree(lambda view: books.one.versions(view.name), recomputed(books.one))


class Spell:
    """A fold upon which something comes at its first event of the feed."""

    def __init__(self, fold: Any, what: Exception | Callable[[], None]) -> None:  # noqa: ANN401  # the view's own
        self._fold = fold
        self._what = what

    def __call__(self, memory: Any, event: Any, since: Any) -> Any:  # noqa: ANN401  # the view's own
        if event.version == 1:
            if isinstance(self._what, Exception):
                raise self._what
            self._what()
        return self._fold(memory, event, since)


@contextmanager
def followed(book: RecordedBook, **spells: Spell) -> Iterator[None]:
    """Follow for all views of one book, as `up` does, while the block runs."""
    wiring = App(book.wiring.settings, book.book, book.wiring.ways, book.wiring.registry)
    cast_on = {name: replace(VIEWS[name], fold=spell) for name, spell in spells.items()}
    wiring.__dict__["followers"] = dict(wiring.followers) | {
        name: ViewFollower(view, book.book) for name, view in cast_on.items()
    }
    stop = StopEvent()
    following = Thread(target=keep_views, args=(wiring, stop), daemon=True)
    following.start()
    try:
        yield
    finally:
        stop.set()
        following.join(40)
        assert not following.is_alive()
        wiring.close()


def told(book: RecordedBook) -> list[dict[str, object]]:
    with book.pool.connection() as connection:
        return view_statuses(connection, book.book)


def reached_the_end(book: RecordedBook) -> bool:
    return all(row["position"] == book.end() for row in told(book))


def recomputed(book: RecordedBook) -> Recomputed:
    with book.pool.connection() as connection, connection.cursor() as cursor:
        return Recomputed().take_all(read_raw(cursor, book.book))


def stored(book: RecordedBook) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the book's views as they are stored: where each lies, and which transaction wrote it."""
    found = {}
    tables = [*(view.table.name for view in VIEWS.values()), "projections.remembered", "ledger.followers"]
    with book.pool.connection() as connection, connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"select ctid, xmin::text, t::text from {table} t where book = %s", (book.book,))
            found[table] = sorted(cursor.fetchall())
    assert sum(map(len, found.values())) > book.end()
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        StopEvent().wait(0.05)
    raise AssertionError(holds)
