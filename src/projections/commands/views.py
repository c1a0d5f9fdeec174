"""`claims-ledger projections list/rebuild/diff`."""

import click

from ledger.commands.options import book_option, examples, json_option, opened
from ledger.commands.output import note, print_json
from ledger.endings import Refused, UsedWrongly
from projections.commands.progress import progress
from projections.commands.tables import Column, alarming, instant, number, plain, show, show_rows, text
from projections.commands.tables import as_json as plain_json

NAMES = ("limits", "due", "contracts", "claims", "complaints")

COLUMNS: tuple[Column, ...] = (
    plain("view", "view"),
    number("position", "position"),
    number("feed", "feed_position"),
    number("lag", "lag"),
    alarming("parked", "parked"),
    instant("moved (Brussels)", "moved_at"),
)
DIFFERENCE_COLUMNS: tuple[Column, ...] = (
    plain("view", "view"),
    text("where", "where"),
    number("from", "from_position"),
    number("to", "to_position"),
    text("row", "row"),
)


@click.command()
@book_option
@json_option
@examples("claims-ledger projections list")
def list_all(book: str, *, as_json: bool) -> None:
    """List the views: where each stands, how far it lags behind the feed, what it had to park."""
    from projections.upkeep.standing import standings  # noqa: PLC0415  # loaded when it runs

    with opened(book) as wiring, wiring.pool.connection() as connection:
        rows = standings(connection, book)
    show(rows, COLUMNS, title="Views", empty="There are no views.", json=as_json)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(NAMES))
@click.option("--all", "every", is_flag=True, help="All views.")
@book_option
@json_option
@examples(
    "claims-ledger projections rebuild limits",
    "claims-ledger projections rebuild --all",
)
def rebuild(names: tuple[str, ...], book: str, *, every: bool, as_json: bool) -> None:
    """Drop a view's rows and fold the feed again from its start. Answers are the same before and after."""
    from ledger.store.feed_rows import feed_end  # noqa: PLC0415  # loaded when it runs
    from projections.asking.views import VIEWS  # noqa: PLC0415  # as above
    from projections.upkeep.rebuild import rebuild as build_anew  # noqa: PLC0415  # as above

    if every == bool(names):
        message = "Name the views to rebuild, or say --all: claims-ledger projections rebuild limits due."
        raise UsedWrongly(message)
    built = []
    with opened(book) as wiring:
        wiring.seal()
        with wiring.pool.connection() as connection:
            end = feed_end(connection, book)
        for name in NAMES if every else names:
            with progress(f"Rebuilding {name}", end + 1) as report:
                folded = build_anew(wiring.pool, book, VIEWS[name], report)
            built.append({"view": name, "positions": folded})
    if as_json:
        print_json(built)
    else:
        for row in built:
            note(f"Rebuilt {row['view']} from {row['positions']:,} positions.")


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(NAMES))
@book_option
@json_option
@examples("claims-ledger projections diff limits due")
def diff(names: tuple[str, ...], book: str, *, as_json: bool) -> None:
    """Compare views with a fresh fold of the feed, row by row with their history. None named: all.

    Exit code 1 when a row differs; `projections rebuild` puts it right.
    """
    from dataclasses import asdict  # noqa: PLC0415  # loaded when it runs

    from projections.asking.views import VIEWS  # noqa: PLC0415  # as above
    from projections.upkeep.difference import compare  # noqa: PLC0415  # as above

    chosen = names or NAMES
    found: list[dict[str, object]] = []
    with opened(book) as wiring:
        wiring.catch_up(*chosen)
        for name in chosen:
            found.extend(asdict(difference) for difference in compare(wiring.pool, book, VIEWS[name]))
    if as_json:
        print_json(plain_json(found))
    else:
        show_rows(found, DIFFERENCE_COLUMNS, title="Differences", empty="Every row is as the feed says.")
    if found:
        first = found[0]
        message = (
            f"{len(found)} row versions differ, the first in {first['view']}"
            f" at position {first['from_position']}: find out who changed it;"
            " claims-ledger projections rebuild puts it right."
        )
        raise Refused(message)
