"""The views of a book against a second reading of its raw events: every row, with its whole history."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from ledger.feed.reader import FeedEvent
from ledger.store.pool import Connection
from projections.maintenance.checks import Version
from projections.queries.reader import Reader
from projections.queries.reports import by_guarantee
from projections.runner.view import Row, View
from projections.views.directory import all_entries
from projections.views.registry import VIEWS
from recomputed.book import NAMED_BY, Recomputed
from recomputed.raw import RawEvent
from recomputed.reports import directory, guarantees

Versions = Callable[[View[Any]], Iterable[Version]]


def agree(versions_of: Versions, book: Recomputed) -> int:
    """Assert that each view shows what the raw events add up to, and ever showed; number of row versions.

    So a view as of any position is what the raw events up to there add up to: what stands at a position is
    what came by then and had not gone.
    """
    assert NAMED_BY.keys() == VIEWS.keys()
    compared = 0
    for name, view in VIEWS.items():
        shown = Counter(versions_of(view))
        added_up = Counter(
            (one.from_position, one.to_position, as_row(view, one.row)) for one in book.versions(name)
        )
        apart = sorted(((shown - added_up) + (added_up - shown)), key=lambda version: version[0])
        assert not apart, f"{name}: {len(apart)} row versions are on one side only, first {apart[:2]}"
        compared += sum(added_up.values())
    return compared


def agree_as_of(reader: Reader, book: Recomputed, until: date) -> None:
    """Assert that each view as of a position, as questions find it, is what a book that ends there holds.

    `until`: the last day that gives exposure in the counts by guarantee.
    """
    for name, view in VIEWS.items():
        found = rows_found(reader, view)
        assert Counter(found) == Counter(as_row(view, row) for row in book.rows(name)), name
    counted = guarantees(book, until)
    told = {(row["incident_year"], row["guarantee"]): row for row in by_guarantee(reader, until)}
    assert told.keys() == counted.keys()
    for place, row in told.items():
        assert row == _place(place) | dict.fromkeys(row.keys() - _place(place).keys(), 0) | counted[place]  # type: ignore[arg-type]  # a year and a guarantee


def agree_on_the_directory(connection: Connection, book: str, events: Iterable[RawEvent]) -> int:
    """Assert that in the directory stand those whom events name, and nobody who was erased; how many."""
    kept = all_entries(connection, book)
    assert kept.keys() == directory(events)
    assert all(entry.box and entry.word_hmacs for entry in kept.values())
    return len(kept)


def rows_found(reader: Reader, view: View[Any]) -> list[Row]:
    """Give a view's rows as the reader's questions find them."""
    found, parameters = reader.source(view).found(view.table)
    with reader.connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(view.table.columns)} from ({found}) as found", parameters)
        return cursor.fetchall()


def as_row(view: View[Any], row: dict[str, object]) -> Row:
    """Give a row in the order of the view's columns, which it has all of and no other."""
    assert row.keys() == set(view.table.columns)
    return tuple(row[column] for column in view.table.columns)


def raw_of(event: FeedEvent) -> RawEvent:
    """Give the JSON of an event that lies in no database."""
    return RawEvent(
        event.position,
        event.stream.kind,
        event.stream.number,
        event.version,
        event.type.partition(".")[2],
        event.effective_on,
        event.at,
        event.actor,
        event.event.model_dump(mode="json"),
    )


def _place(place: tuple[int, str]) -> dict[str, object]:
    return {"incident_year": place[0], "guarantee": place[1]}
