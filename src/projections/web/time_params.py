"""Which time a page was asked for, and the reader that answers for it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from ledger.app import App
from ledger.clock import present
from ledger.domain.calendar import brussels_date
from ledger.domain.command import read_date
from ledger.privacy.access import Access, Opening
from ledger.store.feed import checkpoint
from projections.queries.reader import SNAPSHOT, Reader, position_as_of, read_as_of
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import BadParameter

MOST_DIGITS = 18

ALL = "all"
"""Said for any status, where a page shows those of one unless told otherwise."""

NO_DATE = N_("“%(asked)s” is no date: write it as 2026-03-01.")
NO_PLACE = N_("“%(asked)s” is no place in this list: go by the links of its pages.")
NO_CHOICE = N_("“%(asked)s” is nothing that “%(name)s” can be: choose one of %(choices)s.")
NO_MONTH = N_("“%(asked)s” is no month: write it as 2026-03.")


@dataclass(frozen=True, slots=True)
class AskedTime:
    """The two times in an address, as they stand there; None: now."""

    as_of: str | None = None
    on: date | None = None

    @property
    def is_given(self) -> bool:
        """Whether another time than now is asked for."""
        return self.as_of is not None or self.on is not None

    @property
    def is_past(self) -> bool:
        """Whether what is known now is left aside."""
        return self.as_of is not None

    @property
    def query(self) -> str:
        """The part of an address that keeps to this time: empty, or `?as_of=4711`."""
        given = {"as_of": self.as_of, "on": None if self.on is None else self.on.isoformat()}
        kept = {name: value for name, value in given.items() if value}
        return f"?{urlencode(kept)}" if kept else ""


def read_asked(query: Mapping[str, str]) -> AskedTime:
    """Read `as_of` and `on` from an address. Raises `UsageError` for what says no time."""
    as_of = query.get("as_of", "").strip() or None
    if as_of is not None:
        # "+" of an offset is a blank in an address that somebody typed.
        as_of = as_of.replace(" ", "+")
        read_as_of(as_of)
    on = query.get("on", "").strip()
    return AskedTime(as_of, read_day(on) if on else None)


def read_day(text: str) -> date:
    """Read a date from an address. Raises `UsageError`."""
    try:
        return read_date(text)
    except ValueError as error:
        raise BadParameter(NO_DATE, asked=text[:40]) from error


def read_month(text: str) -> date:
    """Read a month from an address, `2026-03`; gives its first day. Raises `UsageError`."""
    if len(text) == len("2026-03"):
        return read_day(f"{text}-01")
    raise BadParameter(NO_MONTH, asked=text[:20])


def read_whole(text: str) -> int | None:
    """Read a whole number from 0 up; None for what is none, or larger than any position."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def read_position(text: str) -> int | None:
    """Read a position at which a page goes on; None where none is given. Raises `BadParameter`."""
    position = read_whole(text)
    if text and position is None:
        raise BadParameter(NO_PLACE, asked=text[:40])
    return position


def read_choice(query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """Read a filter that takes one of several values; None where none is given. Raises `BadParameter`."""
    given = query.get(name, "")
    if given and given not in choices:
        raise BadParameter(NO_CHOICE, asked=given[:40], name=name, choices=", ".join(choices))
    return given or None


@contextmanager
def looking(
    wiring: App, views: Collection[str], asked: AskedTime, access: Access | None = None
) -> Iterator[Reader]:
    """Yield a reader of these views as far as they have come, or as of the time asked for.

    The views follow the feed by themselves: a page waits for nothing.
    `access`: who opens personal values, and why; None: they stay sealed.

    Raises `UsageError` for a position that is not reached yet.
    """
    wanted = set(views)
    if asked.on is not None:
        wanted |= {"claims", "complaints"}  # They say which streams belong to a contract.
    opening = None if access is None else Opening(wiring.pool, wiring.store.subject_keys, wiring.book, access)
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        folded = {name: checkpoint(connection, wiring.book, name) for name in wanted}
        as_of = None if asked.as_of is None else read_as_of(asked.as_of)
        position = position_as_of(connection, wiring.book, as_of, min(folded.values()))
        yield Reader(connection, wiring.book, position, asked.on, opening, folded)


def today_of(wiring: App) -> date:
    """Return the book's present day, by the calendar of Brussels."""
    return brussels_date(present(wiring.book_row(), wiring.now()))
