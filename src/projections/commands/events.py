"""`coverledger events`."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_json_line
from ledger.errors import UsageError
from projections.commands.history import HISTORY_COLUMNS
from projections.commands.tables import as_json as plain_json
from projections.commands.tables import show_rows

if TYPE_CHECKING:
    from ledger.app import App

Told = dict[str, object]

BATCH = 500
"""Positions read at once."""
PAUSE_SECONDS = 0.5
"""Between two looks at a feed that has nothing new."""


@click.command()
@click.option(
    "--since",
    default="-1",
    show_default=True,
    metavar="CURSOR",
    help="Events after this position, or cursor (EPOCH:POSITION); -1: from the start.",
)
@click.option("--type", "types", multiple=True, metavar="T", help="Only this type; may be repeated.")
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C; with --json one object a line.")
@book_option
@json_option
@examples(
    "coverledger events --since 4711",
    "coverledger events --since 1:4711",
    "coverledger events --type claim.RefundIssued --type claim.RefundFailed --json",
    "coverledger events --since 4711 --follow",
)
def events(since: str, types: tuple[str, ...], book: str, *, follow: bool, as_json: bool) -> None:
    """Show the feed: every sealed event in the order of its position. Personal values stand as [sealed].

    A cursor is refused (exit 1) where the log was put back since and parts before it: the message says from
    where to read again. A bare position is a cursor of the first epoch.
    """
    from ledger.feed.reader import position_after  # noqa: PLC0415  # loaded when it runs

    _check(types)
    with opened(book) as wiring:
        wiring.seal()
        with wiring.pool.connection() as connection:
            after = position_after(connection, book, since)
        if follow:
            _follow(wiring, after, types, as_json=as_json)
            return
        told = list(_read(wiring, after, types))
    if as_json:
        print_json(plain_json(told))
    else:
        show_rows(told, HISTORY_COLUMNS, title="Feed", empty=f"No event after position {since}.")


def _check(types: tuple[str, ...]) -> None:
    from difflib import get_close_matches  # noqa: PLC0415  # loaded when it runs

    from ledger.domain.registry import EVENT_TYPES  # noqa: PLC0415  # as above

    for name in types:
        if name not in EVENT_TYPES:
            near = get_close_matches(name, EVENT_TYPES, n=1, cutoff=0.0)
            message = f"There is no event type {name!r}; did you mean {near[0]}?"
            raise UsageError(message)


def _read(wiring: "App", after: int, types: tuple[str, ...]) -> Iterator[Told]:
    """Read what is sealed now, from after a position to the feed's end."""
    from ledger.feed.reader import read_feed  # noqa: PLC0415  # loaded when it runs
    from ledger.store.feed import feed_end  # noqa: PLC0415  # as above
    from projections.replay.feed_rows import told_with_payloads  # noqa: PLC0415  # as above

    epoch = wiring.book_row().epoch
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
        while after < end:
            found = read_feed(connection, wiring.book, after, min(BATCH, end - after), types or None)
            for event in told_with_payloads(connection, wiring.book, found):
                yield event | {"epoch": epoch, "cursor": f"{epoch}:{event['position']}"}
            after += min(BATCH, end - after)


def _follow(wiring: "App", after: int, types: tuple[str, ...], *, as_json: bool) -> None:
    """Print events as they are sealed, until the keyboard stops it."""
    from ledger.store.feed import feed_end  # noqa: PLC0415  # loaded when it runs

    note("Following the feed; Ctrl-C ends it.")
    while True:
        wiring.seal()
        with wiring.pool.connection() as connection:
            end = feed_end(connection, wiring.book)
        for event in _read(wiring, after, types):
            if as_json:
                print_json_line(plain_json(event))  # type: ignore[arg-type]  # an object stays an object
            else:
                click.echo(f"{event['position']:>8}  {event['at']}  {event['stream']}  {event['type']}")
            after = int(str(event["position"]))
        after = max(after, end)
        time.sleep(PAUSE_SECONDS)
