"""`coverledger due`, `limits`, `today` and `report overview`."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import note, print_json
from projections.cli.output import out_option, rows_or_file, show_unless_written
from projections.cli.query_options import (
    as_of_option,
    before_option,
    claim_option,
    contract_option,
    from_option,
    guarantee_option,
    reading,
    status_option,
    time_options,
)
from projections.cli.tables import (
    TableColumn,
    amount,
    euros,
    left_of,
    number,
    of_limit,
    plain,
    show_rows,
    words,
)
from projections.cli.tables import status as status_column
from projections.queries.figures import VIEWS_OF_OVERVIEW, VIEWS_OF_TODAY, today_figures
from projections.queries.figures import overview as figures_of
from projections.queries.filters import CONTRACT_STATUSES, DUE_KINDS, DUE_STATUSES
from projections.queries.questions import Filters
from projections.queries.reader import plain_json
from projections.queries.reports import reported_until

DUE_COLUMNS: tuple[TableColumn, ...] = (
    plain("subject", "subject"),
    words("what", "kind"),
    plain("rule", "rule").spared(1),
    plain("raw date", "raw_due_on").spared(3),
    plain("due", "due_on"),
    plain("alert", "alert_on").spared(2),
    status_column("status", "status"),
    plain("met", "met_on"),
)


@click.command()
@contract_option("Only this contract's, its claims' and its complaints'.")
@claim_option("Only this claim's.")
@guarantee_option("Only of claims under this guarantee.")
@from_option("Only what is due on this date or later.")
@before_option("Only what is due before this date.")
@status_option(DUE_STATUSES, "Only rows with this status.")
@click.option(
    "--kind",
    type=click.Choice(DUE_KINDS),
    help="Only rows of this kind; `retention` stands in no other list.",
)
@time_options
@out_option
@book_option
@json_option
@examples(
    "coverledger due --status open --before 2026-04-01",
    "coverledger due --contract CC-1",
    "coverledger due --status missed --as-of 2026-03-01 --json",
    "coverledger due --kind retention --before 2036-01-01",
)
def due(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    guarantee: str | None,
    from_on: date | None,
    before: date | None,
    status: str | None,
    kind: str | None,
    on: date | None,
    as_of: str | None,
    out: Path | None,
    book: str,
    as_json: bool,
) -> None:
    """Show what is due when, by due date, and what was met, missed or cancelled."""
    asked = Filters(contract, claim, guarantee, before, status, kind, from_on)
    with reading(book, ("due",), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "due", asked, out)
    show_unless_written(rows, DUE_COLUMNS, title="Due", empty="Nothing is due that matches.", json=as_json)


LIMIT_COLUMNS: tuple[TableColumn, ...] = (
    plain("contract", "contract"),
    number("year", "insurance_year"),
    plain("from", "from_on").spared(2),
    plain("to", "to_on").spared(3),
    words("guarantee", "guarantee"),
    of_limit("amount consumed", "amount_consumed_cents", "amount_limit_cents", euros),
    amount("amount reserved", "amount_reserved_cents").spared(4),
    left_of("amount left", "amount_remaining_cents", euros),
    of_limit("claims counted", "count_consumed", "count_limit", str),
    number("claims reserved", "count_reserved").spared(5),
    left_of("claims left", "count_remaining", str).spared(1),
)


@click.command()
@contract_option("Only this contract's.")
@claim_option("Only those that this claim draws on: its contract, guarantee and insurance year.")
@guarantee_option("Only this guarantee's.")
@before_option("Only insurance years that begin before this date.")
@status_option(CONTRACT_STATUSES, "Only of contracts with this status.")
@time_options
@out_option
@book_option
@json_option
@examples(
    "coverledger limits --contract CC-1",
    "coverledger limits --guarantee payment --status active",
    "coverledger limits --contract CC-1 --as-of 2026-03-01T09:00:00+01:00 --json",
)
def limits(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    guarantee: str | None,
    before: date | None,
    status: str | None,
    on: date | None,
    as_of: str | None,
    out: Path | None,
    book: str,
    as_json: bool,
) -> None:
    """Show what is consumed and what is left of each limit.

    One row for each guarantee of each insurance year begun.
    """
    asked = Filters(contract, claim, guarantee, before, status)
    with reading(book, ("limits", "claims", "contracts"), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "limits", asked, out)
    show_unless_written(rows, LIMIT_COLUMNS, title="Limits", empty="No limits match.", json=as_json)


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
    show_rows(told["late"], DUE_COLUMNS, title="Late", empty="Nothing is late.")
    show_rows(
        told["due_soon"],
        DUE_COLUMNS,
        title=f"Due by {told['until']}",
        empty=f"Nothing is due by {told['until']}.",
    )
    show_rows(
        told["limits_nearly_used"],
        LIMIT_COLUMNS,
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
