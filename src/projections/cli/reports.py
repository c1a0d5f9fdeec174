"""`coverledger report bordereau/refunds/payments/recoveries/guarantees/timeline`."""

import functools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.cli.options import DAY, book_option, examples, json_option
from ledger.domain.command import read_date
from projections.cli.output import out_option, write_out
from projections.cli.query_options import (
    as_of_option,
    before_option,
    claim_option,
    contract_option,
    guarantee_option,
    reading,
    status_option,
    time_options,
)
from projections.cli.tables import TableColumn, amount, instant, number, plain, show, text, words
from projections.cli.tables import status as status_column
from projections.exports.sheets import GUARANTEES
from projections.queries.filters import CLAIM_STATUSES, DUE_STATUSES, STEPS
from projections.queries.reader import Reader, read_as_of
from projections.queries.reports import REPORTS, ReportFilter, by_guarantee, each_of, reported_until, rows_of

REFUND_COLUMNS: tuple[TableColumn, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(4),
    words("guarantee", "guarantee").spared(5),
    status_column("status", "status"),
    plain("submitted", "submitted_on"),
    plain("due", "due_on").spared(2),
    plain("settled", "settled_on").spared(1),
    number("days taken", "days_taken"),
    number("of", "days_allowed").spared(3),
    amount("approved", "approved_cents"),
    amount("refunded", "refunded_cents").spared(6),
    amount("owed", "owed_cents"),
)
PAYMENT_COLUMNS: tuple[TableColumn, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(2),
    words("guarantee", "guarantee").spared(3),
    words("what", "kind"),
    plain("on", "moved_on"),
    amount("paid", "paid_cents"),
    amount("received", "received_cents"),
    plain("reference", "payment_reference").spared(1),
    plain("payer", "payer").spared(1),
)
RECOVERY_COLUMNS: tuple[TableColumn, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(3),
    words("guarantee", "guarantee").spared(4),
    status_column("status", "status"),
    amount("approved", "approved_cents"),
    amount("reserved", "reserved_cents").spared(5),
    amount("refunded", "refunded_cents"),
    amount("owed", "owed_cents").spared(1),
    amount("recovered", "recovered_cents"),
    amount("net", "net_cents"),
    amount("incurred", "incurred_cents").spared(2),
)
GUARANTEE_COLUMNS: tuple[TableColumn, ...] = (
    number("year", "incident_year"),
    words("guarantee", "guarantee"),
    number("claims", "claims_opened"),
    number("counted", "claims_counted"),
    number("rejected", "claims_rejected").spared(3),
    amount("reserved", "reserved_cents").spared(4),
    amount("approved", "approved_cents").spared(2),
    amount("refunded", "refunded_cents"),
    amount("recovered", "recovered_cents").spared(1),
    amount("net", "net_cents"),
    number("days of cover", "exposed_days").spared(5),
    amount("net a year of cover", "net_cents_per_year"),
)
TIMELINE_COLUMNS: tuple[TableColumn, ...] = (
    plain("claim", "claim"),
    plain("step", "step"),
    plain("event", "event"),
    plain("effective", "effective_on"),
    number("day", "days_since_notice"),
    amount("amount", "amount_cents").spared(1),
    text("said", "said").spared(2),
    plain("actor", "actor").spared(4),
    instant("at (Brussels)", "at").spared(3),
)
BORDEREAU_COLUMNS: tuple[TableColumn, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract").spared(2),
    words("guarantee", "guarantee").spared(3),
    status_column("status", "status"),
    plain("incident", "incident_on").spared(4),
    amount("approved", "approved_cents").spared(1),
    amount("paid in the month", "paid_cents"),
    amount("paid before", "paid_before_cents"),
    amount("recovered", "recovered_cents").spared(5),
    amount("outstanding", "outstanding_cents"),
)


Command = Callable[..., None]
Option = Callable[[Command], Command]


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """How a report is asked for and where it goes."""

    book: str
    as_json: bool
    out: Path | None
    as_of: str | None
    on: date | None = None

    @contextmanager
    def reading(self, *views: str) -> Iterator[Reader]:
        """Yield a reader of these views at the time asked for."""
        with reading(self.book, views, as_of=self.as_of, on=self.on) as reader:
            yield reader


def narrowed(*options: Option) -> Callable[[Command], Command]:
    """Add these options, then `--out`, `--book` and `--json`.

    The command is given an `Asked` of all that narrows the report down, a `Way`, and by name whatever else
    its options hold.
    """

    def add(command: Command) -> Command:
        @functools.wraps(command)
        def run(  # one parameter an option
            *,
            book: str,
            as_json: bool,
            out: Path | None,
            as_of: str | None,
            on: date | None = None,
            **given: Any,  # noqa: ANN401  # click gives what the options hold
        ) -> None:

            narrowing = {
                name: given.pop(name) for name in list(given) if name in ReportFilter.__dataclass_fields__
            }
            command(ReportFilter(**narrowing), ReportTarget(book, as_json, out, as_of, on), **given)

        added: Command = out_option(book_option(json_option(run)))
        for option in reversed(options):
            added = option(added)
        return added

    return add


def tell(  # noqa: PLR0913  # a report, where it goes, and its words
    name: str,
    asked: ReportFilter,
    way: ReportTarget,
    columns: tuple[TableColumn, ...],
    *,
    title: str,
    empty: str,
) -> None:
    """Write a report: to its file row by row, else as JSON or as a table."""
    report = REPORTS[name]
    with way.reading(report.view.name) as reader:
        if way.out is not None:
            with closing(each_of(reader, report, asked)) as rows_one_by_one:
                write_out(rows_one_by_one, report.sheet, way.out)
            return
        rows = rows_of(reader, report, asked)
    show(rows, columns, title=title, empty=empty, json=way.as_json)


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
def refunds(asked: ReportFilter, way: ReportTarget) -> None:
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
def payments(asked: ReportFilter, way: ReportTarget) -> None:
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
def recoveries(asked: ReportFilter, way: ReportTarget) -> None:
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
def guarantees(asked: ReportFilter, way: ReportTarget, *, year: int | None, until: date | None) -> None:
    """Show counts and losses by calendar year of the incident and guarantee, beside the days of cover.

    The product has no premium on record, so that there is no loss ratio to it: the last figure is what a
    contract cost in a year of cover.
    """
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
def timeline(asked: ReportFilter, way: ReportTarget) -> None:
    """Show the steps of claims: notify, identify, advise, refund, and what lies between."""
    tell("timeline", asked, way, TIMELINE_COLUMNS, title="Timeline", empty="No step matches.")


class MonthParam(click.ParamType[date]):
    """A month, `2026-02`; kept as its first day."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a year and a month and nothing else."""
        if isinstance(value, date):
            return value

        try:
            return read_date(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is no month; write it as 2026-02.", param, ctx)


@click.command()
@narrowed(
    click.argument("month", type=MonthParam()),
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
def bordereau(asked: ReportFilter, way: ReportTarget) -> None:
    """Show a month's claims: paid in the month, paid before, outstanding, status at the month's end.

    What was recorded later and counts in the month is in it, unless --as-of says what was known then.
    """
    title = f"Bordereau of {asked.month:%Y-%m}"
    tell("bordereau", asked, way, BORDEREAU_COLUMNS, title=title, empty="No claim matches.")
