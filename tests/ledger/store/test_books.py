"""A book's row: created once, its clock moved on and never back, one import open at a time."""

from datetime import timedelta

import pytest

from fixtures.commits import NOW
from fixtures.database import BOOK, ORIGIN
from ledger.store.books import Books
from ledger.store.errors import BookUnknown, ImportOpen


def test_a_book_is_created_once_and_stays_as_it_was(books: Books) -> None:
    assert not books.create(BOOK, kind="simulated", origin="another", clock_at=NOW)
    row = books.row(BOOK)
    assert (row.kind, row.origin, row.epoch, row.clock_at, row.held_at) == ("real", ORIGIN, 1, None, None)
    with pytest.raises(BookUnknown, match="coverledger init --book other"):
        books.row("other")


def test_a_simulated_books_clock_stands_still_until_it_is_moved_on(books: Books) -> None:
    books.create("demo", kind="simulated", origin="ledger.test/demo", clock_at=NOW)
    books.move_clock("demo", NOW + timedelta(days=1))
    books.move_clock("demo", NOW)
    assert books.row("demo").clock_at == NOW + timedelta(days=1)
    books.move_clock(BOOK, NOW)
    assert books.row(BOOK).clock_at is None


def test_an_import_is_gone_on_with_by_its_digest_and_no_other_may_open(books: Books) -> None:
    first = books.open_import(BOOK, b"one")
    assert books.open_import(BOOK, b"one") == first
    with pytest.raises(ImportOpen):
        books.open_import(BOOK, b"other")
    assert books.finish_import(BOOK, first.import_id)
    assert not books.finish_import(BOOK, first.import_id)
    assert books.row(BOOK).open_import is None
    again = books.open_import(BOOK, b"one")
    assert again.import_id != first.import_id
    with pytest.raises(BookUnknown):
        books.open_import("other", b"one")


def test_an_abandoned_import_frees_the_book(books: Books) -> None:
    opened = books.open_import(BOOK, b"one")
    assert books.abandon_import(BOOK, opened.import_id)
    assert not books.abandon_import(BOOK, opened.import_id)
    assert books.open_import(BOOK, b"other").clock_at is None


def test_a_hold_lasts_until_it_is_let_go(books: Books) -> None:
    books.hold(BOOK, NOW)
    assert books.row(BOOK).held_at == NOW
    books.hold(BOOK, None)
    assert books.row(BOOK).held_at is None
