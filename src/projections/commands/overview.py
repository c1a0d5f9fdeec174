"""`coverledger report overview`."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import cast

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import note, print_json
from projections.commands.options import time_options
from projections.commands.reading import reading
from projections.commands.tables import amount, number, plain, show_rows, words
from projections.commands.tables import as_json as plain_json

Rows = Sequence[Mapping[str, object]]

BY_MONTH = (
    plain("month", "month"),
    words("guarantee", "guarantee"),
    number("claims", "number"),
    amount("approved", "approved_cents"),
)
BY_GUARANTEE = (
    words("guarantee", "guarantee"),
    number("opened", "opened"),
    number("accepted", "accepted"),
    number("rejected", "rejected"),
    number("not decided", "undecided"),
    amount("approved", "approved_cents"),
    amount("refunded", "refunded_cents"),
    amount("recovered", "recovered_cents"),
)
BY_DAYS = (number("days", "days"), number("refunds", "number"), number("late", "late"))


@click.command()
@time_options
@book_option
@json_option
@examples("coverledger report overview", "coverledger report overview --as-of 2025-12-31 --json")
def overview(*, on: date | None, as_of: str | None, book: str, as_json: bool) -> None:
    """Show consumption by month of the incident, claims by guarantee, refunds by the days that they took.

    The site's page of reports draws the same figures.
    """
    from projections.web.told.overview import VIEWS_OF_OVERVIEW  # noqa: PLC0415  # loaded when it runs
    from projections.web.told.overview import overview as figures_of  # noqa: PLC0415  # as above

    with reading(book, VIEWS_OF_OVERVIEW, as_of=as_of, on=on) as reader:
        figures = figures_of(reader)
    if as_json:
        print_json(plain_json(figures))
        return
    for title, name, columns in (
        ("Consumption by month of the incident", "consumed_by_month", BY_MONTH),
        ("Claims by guarantee", "claims_by_guarantee", BY_GUARANTEE),
        ("Refunds by days taken", "refunds_by_days", BY_DAYS),
    ):
        show_rows(cast("Rows", figures[name]), columns, title=title, empty=f"{title}: nothing yet.")
    waiting = cast("Mapping[str, int]", figures["refunds_waiting"])
    note(f"{waiting['open']} refunds are open in time, {waiting['missed']} are late and not paid in full.")
