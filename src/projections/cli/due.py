"""`coverledger due`, `limits`, `today` and `report overview`."""

from datetime import date

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import note, print_json
from projections.cli.lists import list_command
from projections.cli.query_options import as_of_option, reading, time_options
from projections.cli.tables import amount, columns_of, number, plain, show_rows, words
from projections.queries.figures import VIEWS_OF_OVERVIEW, VIEWS_OF_TODAY, today_figures
from projections.queries.figures import overview as figures_of
from projections.queries.reader import plain_json
from projections.queries.reports import reported_until
from projections.views.due import LISTED as DUE
from projections.views.limits import LISTED as LIMITS

due = list_command(
    DUE,
    "Show what is due when, by due date, and what was met, missed or cancelled.",
    "coverledger due --status open --before 2026-04-01",
    "coverledger due --contract CC-1",
    "coverledger due --status missed --as-of 2026-03-01 --json",
    "coverledger due --kind retention --before 2036-01-01",
    title="Due",
    empty="Nothing is due that matches.",
)
limits = list_command(
    LIMITS,
    "Show what is consumed and what is left of each limit.\n\n"
    "One row for each guarantee of each insurance year begun.",
    "coverledger limits --contract CC-1",
    "coverledger limits --guarantee payment --status active",
    "coverledger limits --contract CC-1 --as-of 2026-03-01T09:00:00+01:00 --json",
    title="Limits",
    empty="No limits match.",
)


@click.command()
@as_of_option
@book_option
@json_option
@examples("coverledger today", "coverledger today --json")
def today(*, as_of: str | None, book: str, as_json: bool) -> None:
    """Show how things stand: what is late, what is due in 14 days, limits nearly used, the log's head.

    The site's first page shows the same.
    """
    with reading(book, VIEWS_OF_TODAY, as_of=as_of) as reader:
        told = today_figures(reader, reported_until(reader, None))
    if as_json:
        print_json(plain_json(told))
        return
    show_rows(told["late"], columns_of(DUE), title="Late", empty="Nothing is late.")
    show_rows(
        told["due_soon"],
        columns_of(DUE),
        title=f"Due by {told['until']}",
        empty=f"Nothing is due by {told['until']}.",
    )
    show_rows(
        told["limits_nearly_used"],
        columns_of(LIMITS),
        title="Limits nearly used",
        empty="No limit of a running insurance year is nearly used.",
    )
    note(f"{told['late_number']} late in all, {told['due_soon_number']} due by {told['until']}.")


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
    with reading(book, VIEWS_OF_OVERVIEW, as_of=as_of, on=on) as reader:
        figures = figures_of(reader)
    if as_json:
        print_json(plain_json(figures))
        return
    for title, rows, columns in (
        ("Consumption by month of the incident", figures["consumed_by_month"], BY_MONTH),
        ("Claims by guarantee", figures["claims_by_guarantee"], BY_GUARANTEE),
        ("Refunds by days taken", figures["refunds_by_days"], BY_DAYS),
    ):
        show_rows(rows, columns, title=title, empty=f"{title}: nothing yet.")
    waiting = figures["refunds_waiting"]
    note(f"{waiting['open']} refunds are open in time, {waiting['missed']} are late and not paid in full.")
