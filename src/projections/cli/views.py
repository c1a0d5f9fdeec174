"""`coverledger projections list/rebuild/diff/drop/parked/replay-parked`."""

from dataclasses import asdict

import click

from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json
from ledger.errors import Rejected, UsageError
from ledger.store.feed import feed_end
from projections.cli.output import progress
from projections.cli.tables import (
    TableColumn,
    alarming,
    instant,
    number,
    plain,
    show,
    show_rows,
    status,
    text,
)
from projections.maintenance.checks import compare
from projections.maintenance.rebuild import drop_kept, rebuild_together
from projections.maintenance.status import parked_rows, view_statuses
from projections.queries.reader import plain_json
from projections.views.registry import VIEWS

DIRECTORY = "directory"
"""It lies in the vault and has no history: it is kept anew in its place, not beside itself."""

COLUMNS: tuple[TableColumn, ...] = (
    plain("view", "view"),
    status("status", "status"),
    number("position", "position"),
    number("feed", "feed_position"),
    number("lag", "lag"),
    number("lag (s)", "lag_seconds").spared(3),
    alarming("parked", "parked"),
    number("generation", "generation").spared(1),
    plain("kept", "kept").spared(2),
    instant("moved (Brussels)", "moved_at"),
)
DIFFERENCE_COLUMNS: tuple[TableColumn, ...] = (
    plain("view", "view"),
    text("where", "where"),
    number("from", "from_position"),
    number("to", "to_position"),
    text("event", "event"),
    text("row", "row"),
)
PARKED_COLUMNS: tuple[TableColumn, ...] = (
    plain("view", "view"),
    number("position", "position"),
    plain("stream", "stream"),
    number("version", "version").spared(1),
    plain("event", "type"),
    number("tries", "attempts").spared(2),
    text("error", "error"),
    instant("parked (Brussels)", "parked_at").spared(3),
)


names_argument = click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(tuple(VIEWS)))
names_or_directory = click.argument(
    "names", metavar="[NAME]...", nargs=-1, type=click.Choice((*VIEWS, DIRECTORY))
)


@click.command()
@book_option
@json_option
@examples("coverledger projections list")
def list_all(book: str, *, as_json: bool) -> None:
    """List the views: where each stands, how far it lags behind the feed, what it had to park."""
    with opened(book) as wiring, wiring.pool.connection() as connection:
        rows = view_statuses(connection, book)
    if not as_json:
        rows = [
            row
            | {
                "lag_seconds": round(float(str(row["lag_seconds"]))),
                "kept": ", ".join(map(str, row["kept"])) if isinstance(row["kept"], list) else None,
            }
            for row in rows
        ]
    show(rows, COLUMNS, title="Views", empty="There are no views.", json=as_json)


@click.command()
@names_or_directory
@click.option("--all", "every", is_flag=True, help="All views, and the directory.")
@book_option
@json_option
@examples(
    "coverledger projections rebuild limits",
    "coverledger projections rebuild --all",
)
def rebuild(names: tuple[str, ...], book: str, *, every: bool, as_json: bool) -> None:
    """Fold the feed anew beside the view that is read, compare both, and switch in one transaction.

    Reading goes on all the while. A rebuild that is broken off goes on where it stood. The old rows are kept
    until `projections drop`. The directory alone is kept anew in its place: until that is done, not everybody
    is found.
    """
    if every == bool(names):
        message = "Name the views to rebuild, or say --all: coverledger projections rebuild limits due."
        raise UsageError(message)
    chosen = list(dict.fromkeys((*VIEWS, DIRECTORY) if every else names))
    views = [name for name in chosen if name != DIRECTORY]
    with opened(book) as wiring:
        wiring.seal()
        with wiring.pool.connection() as connection:
            end = feed_end(connection, book)
        with progress(f"Rebuilding {', '.join(chosen)}", end + 1) as report:
            built = rebuild_together(wiring.pool, book, [VIEWS[name] for name in views], report)
        if DIRECTORY in chosen:
            wiring.runner(DIRECTORY).start_over()
            wiring.catch_up(DIRECTORY)
    if as_json:
        told = [row._asdict() | {"first": _rows(row.first)} for row in built]
        if DIRECTORY in chosen:
            told.append({"view": DIRECTORY, "positions": end + 1})
        print_json(plain_json(told))
        return
    for row in built:
        note(
            f"Rebuilt {row.view} from {row.positions:,} positions. Generation {row.generation} is read now;"
            f" the switch took {row.switch_seconds:.2f} s. {_compared(row.differing)}"
        )
        for first in row.first:
            note(f"  generation {first.generation}, from {first.from_position}: {first.row}")
    if DIRECTORY in chosen:
        note(f"Kept the directory anew from {end + 1:,} positions.")


@click.command()
@names_argument
@book_option
@json_option
@examples("coverledger projections diff limits due")
def diff(names: tuple[str, ...], book: str, *, as_json: bool) -> None:
    """Compare views with a fresh fold of the feed, row by row with their history. None named: all.

    Each row that differs is named with the event behind it. Exit code 1 when one does; `projections rebuild`
    puts it right.
    """
    chosen = names or tuple(VIEWS)
    found: list[dict[str, object]] = []
    with opened(book) as wiring:
        wiring.catch_up(*chosen)
        with progress("Comparing", len(chosen)) as report:
            for name in chosen:
                found.extend(asdict(difference) for difference in compare(wiring.pool, book, VIEWS[name]))
                report(1)
    if as_json:
        print_json(plain_json(found))
    else:
        show_rows(found, DIFFERENCE_COLUMNS, title="Differences", empty="Every row is as the feed says.")
    if found:
        first = found[0]
        message = (
            f"{len(found)} row versions differ, the first in {first['view']}"
            f" at position {first['from_position']} ({first['event'] or 'where no event is'}): find out who"
            " changed it; coverledger projections rebuild puts it right."
        )
        raise Rejected(message)


@click.command()
@names_argument
@click.option("--all", "every", is_flag=True, help="All views.")
@book_option
@json_option
@examples("coverledger projections drop limits", "coverledger projections drop --all")
def drop(names: tuple[str, ...], book: str, *, every: bool, as_json: bool) -> None:
    """Drop the generations of a view that rebuilds kept. The one that is read stays."""
    if every == bool(names):
        message = "Name the views, or say --all: coverledger projections drop limits due."
        raise UsageError(message)
    with opened(book) as wiring:
        dropped = [
            {"view": name, "generations": drop_kept(wiring.pool, book, VIEWS[name])}
            for name in dict.fromkeys(VIEWS if every else names)
        ]
    if as_json:
        print_json(dropped)
        return
    for row in dropped:
        gone = ", ".join(map(str, row["generations"])) if isinstance(row["generations"], list) else ""
        note(f"Dropped of {row['view']}: {f'generation {gone}' if gone else 'nothing, none was kept'}.")


@click.command()
@names_or_directory
@book_option
@json_option
@examples("coverledger projections parked", "coverledger projections parked limits --json")
def parked(names: tuple[str, ...], book: str, *, as_json: bool) -> None:
    """List the events that views could not take, each with its error. None named: all views."""
    with opened(book) as wiring, wiring.pool.connection() as connection:
        rows = parked_rows(connection, book, list(names or (*VIEWS, DIRECTORY)))
    show(rows, PARKED_COLUMNS, title="Parked", empty="No view had to park an event.", json=as_json)


@click.command()
@names_or_directory
@book_option
@json_option
@examples("coverledger projections replay-parked", "coverledger projections replay-parked limits")
def replay_parked(names: tuple[str, ...], book: str, *, as_json: bool) -> None:
    """Fold parked events again, in order, once what was wrong is mended. None named: those of all views.

    Exit code 1 when some are still parked.
    """
    chosen = names or (*VIEWS, DIRECTORY)
    replayed: list[dict[str, object]] = []
    with opened(book) as wiring:
        wiring.catch_up(*chosen)
        for name in chosen:
            runner = wiring.runner(name)
            if runner.parked():
                taken = runner.replay_parked()
                replayed.append({"view": name, "replayed": taken, "parked": len(runner.parked())})
    if as_json:
        print_json(replayed)
    else:
        for row in replayed:
            note(f"{row['view']}: {row['replayed']} events replayed, {row['parked']} still parked.")
        if not replayed:
            note("No view had to park an event.")
    left = sum(int(str(row["parked"])) for row in replayed)
    if left:
        message = f"{left} events are still parked: coverledger projections parked says why."
        raise Rejected(message)


def _compared(differing: int) -> str:
    if not differing:
        return "Every row is as it was."
    return f"{differing:,} row versions are not what was read before, the first of them:"


def _rows(first: object) -> object:
    return [row._asdict() for row in first] if isinstance(first, (list, tuple)) else first
