"""`coverledger report bordereau/refunds/payments/recoveries/guarantees/timeline`."""

from datetime import date
from typing import Final

import click

from ledger.cli.options import DAY, examples
from projections.cli.lists import ListTarget, list_command, list_options
from projections.cli.output import write_out
from projections.cli.query_options import reading
from projections.cli.tables import columns_of, show
from projections.listing import Filters
from projections.queries.reader import read_as_of
from projections.queries.reports import by_guarantee, reported_until
from projections.views.registry import LISTINGS

refunds = list_command(
    LISTINGS["refunds"],
    "Show refunds with the days taken against the 15 (R7), those that are not settled too.\n\n"
    "One row for each time that the days began to run on a claim.",
    "coverledger report refunds --status missed",
    "coverledger report refunds --as-of 2025-12-31 --out refunds.xlsx",
    title="Refunds",
    empty="No refund matches.",
)
payments = list_command(
    LISTINGS["payments"],
    "Show every movement of money on claims: refunds, failed and reversed ones, recoveries.",
    "coverledger report payments --since 2026-02-01 --before 2026-03-01",
    "coverledger report payments --claim CL-1 --json",
    title="Payments",
    empty="No money moved.",
)
recoveries = list_command(
    LISTINGS["recoveries"],
    "Show reserves and recoveries: what each claim may still cost, has cost, and what came back.",
    "coverledger report recoveries --guarantee data",
    "coverledger report recoveries --on 2025-12-31 --out reserves.csv",
    title="Reserves and recoveries",
    empty="No claim matches.",
)
timeline = list_command(
    LISTINGS["timeline"],
    "Show the steps of claims: notify, identify, advise, refund, and what lies between.",
    "coverledger report timeline --claim CL-1",
    "coverledger report timeline --out steps.parquet",
    title="Timeline",
    empty="No step matches.",
)
bordereau = list_command(
    LISTINGS["bordereau"],
    "Show a month's claims: paid in the month, paid before, outstanding, status at the month's end.\n\n"
    "What was recorded later and counts in the month is in it, unless --as-of says what was known then.",
    "coverledger report bordereau 2026-02",
    "coverledger report bordereau 2025-12 --as-of 2025-12-31 --out bordereau-2025-12.xlsx",
    title="Bordereau of {month:%Y-%m}",
    empty="No claim matches.",
)

GUARANTEES: Final = LISTINGS["guarantees"]


@click.command()
@list_options(
    GUARANTEES,
    click.option(
        "--until",
        type=DAY,
        metavar="DATE",
        help="The last day that gives exposure.  [default: that of --on or --as-of, else the present]",
    ),
)
@examples(
    "coverledger report guarantees",
    "coverledger report guarantees --year 2025 --as-of 2025-12-31 --json",
)
def guarantees(asked: Filters, target: ListTarget, *, until: date | None) -> None:
    """Show counts and losses by calendar year of the incident and guarantee, beside the days of cover.

    The product has no premium on record, so that there is no loss ratio to it: the last figure is what a
    contract cost in a year of cover.
    """
    as_of = None if target.as_of is None else read_as_of(target.as_of)
    with reading(target.book, GUARANTEES.views, as_of=target.as_of, on=target.on) as reader:
        rows = by_guarantee(reader, until or reported_until(reader, as_of), asked.guarantee, asked.year)
    if target.out is not None:
        write_out(rows, GUARANTEES.sheet, target.out)
        return
    empty = "No contract and no claim yet."
    show(rows, columns_of(GUARANTEES), title="By guarantee", empty=empty, json=target.as_json)
