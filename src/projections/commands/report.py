"""`coverledger report bordereau/refunds/payments/recoveries/guarantees/timeline`."""

from datetime import date
from typing import TYPE_CHECKING

import click

from ledger.cli.options import DAY, examples
from projections.asking.filters import CLAIM_STATUSES, DUE_STATUSES, STEPS
from projections.commands.options import (
    as_of_option,
    before_option,
    claim_option,
    contract_option,
    guarantee_option,
    status_option,
    time_options,
)
from projections.commands.report_columns import (
    BORDEREAU_COLUMNS,
    GUARANTEE_COLUMNS,
    PAYMENT_COLUMNS,
    RECOVERY_COLUMNS,
    REFUND_COLUMNS,
    TIMELINE_COLUMNS,
)
from projections.commands.report_ways import Way, narrowed, tell
from projections.commands.tables import show
from projections.commands.writing import write_out

if TYPE_CHECKING:
    from projections.asking.reports import Asked


@click.command()
@narrowed(
    contract_option("Only of this contract."),
    claim_option("Only of this claim."),
    guarantee_option("Only of claims under this guarantee."),
    before_option("Only what was due before this date."),
    status_option(DUE_STATUSES, "Only with this status."),
    time_options,
)
@examples(
    "coverledger report refunds --status missed",
    "coverledger report refunds --as-of 2025-12-31 --out refunds.xlsx",
)
def refunds(asked: "Asked", way: Way) -> None:
    """Show refunds with the days taken against the 15 (R7), those that are not settled too.

    One row for each time that the days began to run on a claim.
    """
    tell("refunds", asked, way, REFUND_COLUMNS, title="Refunds", empty="No refund matches.")


@click.command()
@narrowed(
    contract_option("Only on this contract."),
    claim_option("Only on this claim."),
    guarantee_option("Only on claims under this guarantee."),
    click.option("--since", type=DAY, metavar="DATE", help="Only on this date or later."),
    before_option("Only before this date."),
    time_options,
)
@examples(
    "coverledger report payments --since 2026-02-01 --before 2026-03-01",
    "coverledger report payments --claim CL-1 --json",
)
def payments(asked: "Asked", way: Way) -> None:
    """Show every movement of money on claims: refunds, failed and reversed ones, recoveries."""
    tell("payments", asked, way, PAYMENT_COLUMNS, title="Payments", empty="No money moved.")


@click.command()
@narrowed(
    contract_option("Only on this contract."),
    claim_option("Only this claim."),
    guarantee_option("Only claims under this guarantee."),
    before_option("Only claims whose incident lies before this date."),
    status_option(CLAIM_STATUSES, "Only claims with this status."),
    time_options,
)
@examples(
    "coverledger report recoveries --guarantee data",
    "coverledger report recoveries --on 2025-12-31 --out reserves.csv",
)
def recoveries(asked: "Asked", way: Way) -> None:
    """Show reserves and recoveries: what each claim may still cost, has cost, and what came back."""
    title = "Reserves and recoveries"
    tell("recoveries", asked, way, RECOVERY_COLUMNS, title=title, empty="No claim matches.")


@click.command()
@narrowed(
    guarantee_option("Only this guarantee."),
    click.option(
        "--year", type=click.IntRange(1900, 2199), metavar="YEAR", help="Only incidents of this year."
    ),
    click.option(
        "--until",
        type=DAY,
        metavar="DATE",
        help="The last day that gives exposure.  [default: that of --on or --as-of, else the present]",
    ),
    time_options,
)
@examples(
    "coverledger report guarantees",
    "coverledger report guarantees --year 2025 --as-of 2025-12-31 --json",
)
def guarantees(asked: "Asked", way: Way, *, year: int | None, until: date | None) -> None:
    """Show counts and losses by calendar year of the incident and guarantee, beside the days of cover.

    The product has no premium on record, so that there is no loss ratio to it: the last figure is what a
    contract cost in a year of cover.
    """
    from projections.asking.positions import read_as_of  # noqa: PLC0415  # loaded when it runs
    from projections.asking.reports import by_guarantee, reported_until  # noqa: PLC0415  # as above
    from projections.exports.sheets import GUARANTEES  # noqa: PLC0415  # as above

    with way.reading("reserves", "contracts") as reader:
        as_of = None if way.as_of is None else read_as_of(way.as_of)
        rows = by_guarantee(reader, until or reported_until(reader, as_of), asked.guarantee, year)
    if way.out is not None:
        write_out(rows, GUARANTEES, way.out)
        return
    empty = "No contract and no claim yet."
    show(rows, GUARANTEE_COLUMNS, title="By guarantee", empty=empty, json=way.as_json)


@click.command()
@narrowed(
    contract_option("Only claims on this contract."),
    claim_option("Only this claim."),
    guarantee_option("Only claims under this guarantee."),
    before_option("Only what took effect before this date."),
    click.option("--step", type=click.Choice(STEPS), help="Only these steps."),
    time_options,
)
@examples("coverledger report timeline --claim CL-1", "coverledger report timeline --out steps.parquet")
def timeline(asked: "Asked", way: Way) -> None:
    """Show the steps of claims: notify, identify, advise, refund, and what lies between."""
    tell("timeline", asked, way, TIMELINE_COLUMNS, title="Timeline", empty="No step matches.")


class Month(click.ParamType[date]):
    """A month, `2026-02`; kept as its first day."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a year and a month and nothing else."""
        if isinstance(value, date):
            return value
        from ledger.domain.command import read_date  # noqa: PLC0415  # loaded when it runs

        try:
            return read_date(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is no month; write it as 2026-02.", param, ctx)


@click.command()
@narrowed(
    click.argument("month", type=Month()),
    contract_option("Only claims on this contract."),
    guarantee_option("Only claims under this guarantee."),
    status_option(CLAIM_STATUSES, "Only claims with this status at the month's end."),
    click.option(
        "--all",
        "every",
        is_flag=True,
        help="Claims too on which nothing happened and nothing is outstanding.",
    ),
    as_of_option,
)
@examples(
    "coverledger report bordereau 2026-02",
    "coverledger report bordereau 2025-12 --as-of 2025-12-31 --out bordereau-2025-12.xlsx",
)
def bordereau(asked: "Asked", way: Way) -> None:
    """Show a month's claims: paid in the month, paid before, outstanding, status at the month's end.

    What was recorded later and counts in the month is in it, unless --as-of says what was known then.
    """
    title = f"Bordereau of {asked.month:%Y-%m}"
    tell("bordereau", asked, way, BORDEREAU_COLUMNS, title=title, empty="No claim matches.")
