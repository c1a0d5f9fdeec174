"""`coverledger deadlines sweep`."""

from datetime import date
from typing import TYPE_CHECKING

import click

from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json
from ledger.errors import Rejected

if TYPE_CHECKING:
    from datetime import datetime

    from ledger.app import App


@click.command()
@click.option(
    "--until",
    type=DAY,
    metavar="DATE",
    help="Up to 00:00 Brussels time of that day, inclusive. A simulated book's clock moves there.",
)
@book_option
@json_option
@examples(
    "coverledger deadlines sweep",
    "coverledger deadlines sweep --until 2026-03-01",
)
def sweep(*, until: date | None, book: str, as_json: bool) -> None:
    """Let time act on everything whose time has come: ends, renewals, missed deadlines.

    `up` does this by itself. No result depends on when it runs; run twice, it does nothing twice.
    """
    from ledger.attempts import failing  # noqa: PLC0415  # loaded when it runs
    from ledger.domain.calendar import BRUSSELS  # noqa: PLC0415  # as above
    from schedulers.commands.progress import progress  # noqa: PLC0415  # as above
    from schedulers.sweeping.sweep import WORKER  # noqa: PLC0415  # as above
    from schedulers.sweeping.sweep import sweep as let_time_act  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        instant = _settled(wiring, until)
        with progress("Sweeping") as report:
            recorded = let_time_act(wiring, instant, report=report)
        with wiring.pool.connection() as connection:
            left = [one.item for one in failing(connection, book) if one.worker == WORKER]
    if as_json:
        print_json({"until": instant.isoformat(), "events": recorded})
    else:
        there = instant.astimezone(BRUSSELS)
        note(f"Time has acted up to {there:%Y-%m-%d %H:%M} in Brussels: {recorded:,} events recorded.")
    if left:
        message = (
            f"{len(left):,} streams could not be brought up to date, {left[0]} the first: "
            "coverledger parked list says why."
        )
        raise Rejected(message)


def _settled(wiring: "App", until: date | None) -> "datetime":
    """Settle how far time acts, and move or free the book's clock accordingly.

    Raises `Rejected` while an import is open, and for a future in a real book.
    """
    from ledger.clock import present  # noqa: PLC0415  # loaded when it runs
    from ledger.domain.calendar import brussels_midnight  # noqa: PLC0415  # as above

    book, now = wiring.book_row(), wiring.now()
    if book.open_import is not None:
        message = (
            f"An import is open on book {wiring.book} and holds its clock: run it again to finish it,"
            " or give it up with `coverledger import --abandon`."
        )
        raise Rejected(message)
    if until is None:
        wiring.books.hold(wiring.book, None)
        return present(book, now)
    instant = brussels_midnight(until)
    if book.kind == "simulated":
        # The clock first: a sweep that is broken off after it is finished by the next one.
        wiring.books.move_clock(wiring.book, instant)
        return instant
    if instant > now:
        message = (
            f"{until} lies in the future and book {wiring.book} is real: sweep without --until, or wait."
        )
        raise Rejected(message)
    if book.held_at is not None:
        # The book stays where it is put, until somebody lives in it again.
        wiring.books.hold(wiring.book, max(book.held_at, instant))
    return instant
