"""`coverledger today`."""

from collections.abc import Mapping, Sequence
from typing import cast

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import note, print_json
from projections.commands import due, limits
from projections.commands.options import as_of_option
from projections.commands.reading import reading
from projections.commands.tables import as_json as plain_json
from projections.commands.tables import show_rows

Rows = Sequence[Mapping[str, object]]


@click.command()
@as_of_option
@book_option
@json_option
@examples("coverledger today", "coverledger today --json")
def today(*, as_of: str | None, book: str, as_json: bool) -> None:
    """Show how things stand: what is late, what is due in 14 days, limits nearly used, the log's head.

    The site's first page shows the same.
    """
    from projections.asking.reports import reported_until  # noqa: PLC0415  # loaded when it runs
    from projections.web.told.standing import VIEWS_OF_TODAY, standing  # noqa: PLC0415  # as above

    with reading(book, VIEWS_OF_TODAY, as_of=as_of) as reader:
        told = standing(reader, reported_until(reader, None))
    if as_json:
        print_json(plain_json(told))
        return
    show_rows(cast("Rows", told["late"]), due.COLUMNS, title="Late", empty="Nothing is late.")
    show_rows(
        cast("Rows", told["due_soon"]),
        due.COLUMNS,
        title=f"Due by {told['until']}",
        empty=f"Nothing is due by {told['until']}.",
    )
    show_rows(
        cast("Rows", told["limits_nearly_used"]),
        limits.COLUMNS,
        title="Limits nearly used",
        empty="No limit of a running insurance year is nearly used.",
    )
    note(f"{told['late_number']} late in all, {told['due_soon_number']} due by {told['until']}.")
