"""Figures that count a whole book, carried from one position to the next.

A figure as of a position never changes. So what was counted last is kept, and as of another position it is
that, less the rows that went since and plus those that came: as quick as a desk needs in a book in which
something is recorded all the time.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, NamedTuple

from projections.asking.histories import streams_between
from projections.asking.reader import Reader
from projections.folding.generations import live
from projections.folding.moved import Moved, names_of
from projections.folding.selecting import select
from projections.folding.view import View

Rows = list[dict[str, object]]

MOST_POSITIONS: Final = 20_000
"""Positions that a figure is carried over; beyond that it is counted anew."""
MOST_STREAMS: Final = 5_000
"""Streams whose rows are looked up for it."""
MOST_FIGURES: Final = 128
MOST_EARLIER: Final = 16
"""Figures kept as of positions of the past, for whoever goes on looking at one."""

LEFT_OUT: Final = "select count(*) from ledger.parked where book = %s and follower = %s"


@dataclass(frozen=True, slots=True)
class Figure:
    """A query that counts and sums a view's rows by groups, each row by itself."""

    view: View[Any]
    """Its rows are those of their own streams: an event of another stream moves none."""
    sql: str
    by: tuple[str, ...]
    """The columns that name a group; by them the answer is ordered."""
    sums: tuple[str, ...]
    """The columns that add up; the first says how many rows there are: a group without any is left out."""


Groups = dict[tuple[Any, ...], dict[str, object]]
"""A figure's rows by the columns that name their groups, in their order."""


class Known(NamedTuple):
    """A figure as of a position."""

    position: int
    groups: Groups


class KeptFigures:
    """The figures counted last. Threads may share it."""

    def __init__(self) -> None:
        """Nothing was counted yet."""
        self._lock = Lock()
        self._newest: OrderedDict[tuple[object, ...], Known] = OrderedDict()
        self._earlier: OrderedDict[tuple[object, ...], Groups] = OrderedDict()

    def known(self, question: tuple[object, ...], position: int) -> Known | None:
        """Give the figure as of the position, or else as of the newest that it was counted for."""
        with self._lock:
            past = self._earlier.get((*question, position))
            return self._newest.get(question) if past is None else Known(position, past)

    def keep(self, question: tuple[object, ...], position: int, groups: Groups) -> None:
        """Keep the newest; what is asked for as of the past is kept beside it."""
        with self._lock:
            newest = self._newest.get(question)
            if newest is not None and newest.position > position:
                self._earlier[*question, position] = groups
                _shorten(self._earlier, MOST_EARLIER)
                return
            self._newest[question] = Known(position, groups)
            self._newest.move_to_end(question)
            _shorten(self._newest, MOST_FIGURES)

    def clear(self) -> None:
        """Forget all: what is asked next is counted anew."""
        with self._lock:
            self._newest.clear()
            self._earlier.clear()


KEPT: Final = KeptFigures()


def counted(reader: Reader, figure: Figure, asked: Mapping[str, object]) -> Rows:
    """Give a figure as of the reader's time, ordered by its groups. The rows are shared: change none."""
    if reader.on is not None:
        return list(whole(reader, figure, asked).values())
    question = (*_standing(reader, figure.view), figure.sql, repr(sorted(asked.items())))
    known = KEPT.known(question, reader.position)
    groups = None if known is None else _carried(reader, figure, asked, known)
    if groups is None:
        groups = whole(reader, figure, asked)
    KEPT.keep(question, reader.position, groups)
    return list(groups.values())


def whole(reader: Reader, figure: Figure, asked: Mapping[str, object]) -> Groups:
    """Count a figure over the whole book."""
    found = select(reader.connection, figure.sql, figure.view.table, reader.source(figure.view), asked)
    return dict(sorted((_group(figure, row), row) for row in found))


def _standing(reader: Reader, view: View[Any]) -> tuple[object, ...]:
    """Name what the view's rows are: those of one generation, with so many events that it could not take.

    Whatever is rebuilt, or taken later at its old position, is counted anew.
    """
    standing = live(reader.connection, reader.book, view.name)
    generation = None if standing is None else standing.generation
    with reader.connection.cursor() as cursor:
        cursor.execute(LEFT_OUT, (reader.book, view.name))
        [(left_out,)] = cursor.fetchall()
    return (reader.connection.dsn, reader.book, view.name, generation, left_out)


def _carried(reader: Reader, figure: Figure, asked: Mapping[str, object], known: Known) -> Groups | None:
    """Carry a figure to the reader's position; None where that is too far."""
    if known.position == reader.position:
        return known.groups
    first, last = sorted((known.position, reader.position))
    if last - first > MOST_POSITIONS:
        return None
    streams = streams_between(reader.connection, reader.book, first, last, MOST_STREAMS + 1)
    if len(streams) > MOST_STREAMS:
        return None
    names = names_of(figure.view.table, streams)
    if not names:
        return known.groups
    came = Moved(reader.book, names, at=reader.position, not_at=known.position)
    went = Moved(reader.book, names, at=known.position, not_at=reader.position)
    table, sql = figure.view.table, figure.sql
    return added_up(
        figure,
        known.groups,
        came=select(reader.connection, sql, table, came, asked),
        went=select(reader.connection, sql, table, went, asked),
    )


def added_up(figure: Figure, groups: Groups, *, came: Rows, went: Rows) -> Groups:
    """Add to a figure what came, and take from it what went."""
    summed = dict(groups)
    for moved, sign in ((came, 1), (went, -1)):
        for row in moved:
            group = _group(figure, row)
            before = summed.get(group, {})
            sums = {name: _number(before.get(name)) + sign * _number(row[name]) for name in figure.sums}
            summed[group] = row | sums
    for group in [group for group in summed if not summed[group][figure.sums[0]]]:
        del summed[group]
    return summed if summed.keys() == groups.keys() else dict(sorted(summed.items()))


def _group(figure: Figure, row: Mapping[str, object]) -> tuple[Any, ...]:
    return tuple(row[name] for name in figure.by)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _shorten(kept: OrderedDict[tuple[object, ...], Any], most: int) -> None:
    if len(kept) > most:
        kept.popitem(last=False)
