"""`coverledger replay`, `events` and `archive`, and histories as tables."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import cast

import click
from rich.text import Text

from ledger.app import App
from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import console, note, print_json, print_json_line
from ledger.domain.identifiers import StreamRef
from ledger.domain.registry import EVENT_TYPES
from ledger.errors import UsageError
from ledger.feed.reader import position_after, read_feed
from ledger.privacy.access import Access
from ledger.store.feed import feed_end
from projections.cli.output import progress
from projections.cli.query_options import names_options, reading, time_options
from projections.cli.tables import TableColumn, euros, in_brussels, instant, number, plain, show_rows
from projections.exports.archive import archive as write
from projections.queries.reader import plain_json
from projections.queries.replay import Json, changes, history, told_with_payloads
from projections.queries.replay import replay as told

BELONGING = ("claims", "complaints")
"""The views that say which streams belong to a contract."""

HISTORY_COLUMNS: tuple[TableColumn, ...] = (
    number("position", "position"),
    plain("stream", "stream"),
    number("version", "version").spared(2),
    plain("event", "type"),
    plain("effective", "effective_on").spared(1),
    instant("at (Brussels)", "at"),
    instant("recorded", "recorded_at").spared(4),
    plain("actor", "actor").spared(3),
    plain("command", "command_id").spared(5),
)


def history_of(  # noqa: PLR0913  # a stream, a book, both times, and whether alone
    kind: str, number: str, *, book: str, as_of: str | None, on: date | None, own: bool = False
) -> list[dict[str, object]]:
    """Return a stream's events as rows. Raises `Rejected` when nothing of it was recorded by then."""
    with reading(book, BELONGING, as_of=as_of, on=on) as reader:
        return history(reader, stream(kind, number), own=own)


def stream(kind: str, number: str) -> StreamRef:
    """Return a stream."""
    return StreamRef(kind, number)  # type: ignore[arg-type]  # callers name one of the three kinds


UNSHOWN = "-"
CENTS = "_cents"


@click.command()
@click.argument("number", metavar="NUMBER")
@click.option("--claim", "kind", flag_value="claim", help="NUMBER is a claim's.")
@click.option("--complaint", "kind", flag_value="complaint", help="NUMBER is a complaint's.")
@click.option(
    "--contract", "kind", flag_value="contract", default="contract", help="NUMBER is a contract's (default)."
)
@click.option("--own", is_flag=True, help="A contract's events only, without its claims' and complaints'.")
@time_options
@names_options("replay")
@book_option
@json_option
@examples(
    "coverledger replay CC-1",
    "coverledger replay CC-1 --names --reason 'complaint of 2026-03-01' --json",
    "coverledger replay CC-1 --own --as-of 4711",
    "coverledger replay CL-1 --claim --json",
)
def replay(  # noqa: PLR0913  # one parameter an option
    *,
    number: str,
    kind: str,
    on: date | None,
    as_of: str | None,
    access: Access | None,
    book: str,
    own: bool,
    as_json: bool,
) -> None:
    """Tell a history event by event: when, by whom, by which command, and what it changed.

    A contract's history holds its own events and those of its claims and complaints, merged in the order
    of the feed; with --own only its own, which include what its claims did to its limits.
    """
    with reading(book, BELONGING, as_of=as_of, on=on, access=access) as reader:
        events = told(reader, stream(kind, number), own=own)
    if as_json:
        print_json(plain_json(events))
        return
    for event in events:
        _tell(event)


def _tell(event: Mapping[str, object]) -> None:
    """Print one event: a head line, its times, and one line for each change."""
    out = console()
    head = Text.assemble(
        (f"{event['position']:>6}  ", "dim"),
        (str(event["type"]), "bold"),
        (f"  {event['stream']} v{event['version']}", "cyan"),
    )
    out.print(head)
    at, recorded_at = in_brussels(event["at"]), in_brussels(event["recorded_at"])
    said = f"effective {event['effective_on']} · at {at} · recorded {recorded_at}"
    out.print(Text(f"        {said} · {event['actor']} · {event['command_id']}", style="dim"))
    for path, value in cast("Mapping[str, str]", event.get("personal", {})).items():
        out.print(Text.assemble(f"        {path}  ", (value, "magenta")))
    for path, (recorded, understood) in _upcast(event).items():
        out.print(
            Text.assemble(f"        {path}  recorded as ", (recorded, "yellow"), ", read as ", understood)
        )
    shown = cast("Mapping[str, Sequence[object]]", event["changes"])
    for path, (before, after) in shown.items():
        # That a figure begins at nothing need not be read; --json says it.
        if before is not None or after:
            was, becomes = (_value(path, value) for value in (before, after))
            named = path.removesuffix(CENTS)
            out.print(Text.assemble(f"        {named}  ", (was, "red"), " → ", (becomes, "green")))


def _upcast(event: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return what an older schema recorded otherwise than it is read today, path by path."""
    if "original" not in event:
        return {}
    original, payload = cast("Json", event["original"]), cast("Json", event["payload"])
    return {
        path: (_value(path, was), _value(path, understood))
        for path, (was, understood) in changes(original, payload).items()
    }


def _value(path: str, value: object) -> str:
    """Write one value of the state; cents as an amount, `5,000.00 EUR`."""
    shown = euros(value) if path.endswith(CENTS) else value
    return UNSHOWN if shown is None else str(shown)


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

    for name in types:
        if name not in EVENT_TYPES:
            near = get_close_matches(name, EVENT_TYPES, n=1, cutoff=0.0)
            message = f"There is no event type {name!r}; did you mean {near[0]}?"
            raise UsageError(message)


def _read(wiring: App, after: int, types: tuple[str, ...]) -> Iterator[Told]:
    """Read what is sealed now, from after a position to the feed's end."""
    epoch = wiring.book_row().epoch
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
        while after < end:
            found = read_feed(connection, wiring.book, after, min(BATCH, end - after), types or None)
            for event in told_with_payloads(connection, wiring.book, found):
                yield event | {"epoch": epoch, "cursor": f"{epoch}:{event['position']}"}
            after += min(BATCH, end - after)


def _follow(wiring: App, after: int, types: tuple[str, ...], *, as_json: bool) -> None:
    """Print events as they are sealed, until the keyboard stops it."""
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


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@book_option
@json_option
@examples("coverledger archive ./cyber-care-feed", "coverledger archive ./cyber-care-feed --json")
def archive(folder: Path, book: str, *, as_json: bool) -> None:
    """Write the feed to DIR as Parquet, one file a range of 100,000 positions, the signed head beside each.

    Done again, it goes on where it stood. DuckDB, pandas and Spark read the files as they are, and
    docs/reporting.md has a query that recomputes the limits from them. Personal values stand in them as
    ciphertext alone.
    """
    with opened(book) as wiring:
        wiring.seal()
        wiring.finish()
        with wiring.pool.connection() as connection:
            total = feed_end(connection, book) + 1
        with progress("Archiving", total) as report:
            archived = write(wiring.pool, book, folder, report)
    if as_json:
        print_json({"book": book, "folder": str(folder)} | archived._asdict())
        return
    if not total:
        note(f"Book {book!r} is empty: nothing has been recorded in it yet, and nothing was written.")
        return
    if not archived.files:
        note(f"{folder} holds all {archived.end + 1:,} events already.")
        return
    head = "no head is signed yet" if archived.head_size is None else f"head of {archived.head_size:,} events"
    note(
        f"Wrote {archived.events:,} events to {folder}, up to position {archived.end:,}"
        f" (files: {len(archived.files):,}); {head}."
    )
