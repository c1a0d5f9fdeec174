"""`claims-ledger report bordereau/refunds/payments/recoveries/guarantees/timeline`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger.commands.options import DAY, book_option, examples, json_option
from projections.commands.options import (
    CLAIM_STATUSES,
    DUE_STATUSES,
    as_of_option,
    before_option,
    claim_option,
    contract_option,
    guarantee_option,
    status_option,
    time_options,
)
from projections.commands.reading import reading
from projections.commands.tables import (
    Column,
    amount,
    instant,
    number,
    plain,
    show,
    text,
    words,
)
from projections.commands.tables import status as status_column
from projections.commands.writing import out_option, write_out

if TYPE_CHECKING:
    from projections.asking.reader import Reader
    from projections.asking.reports import Asked

F = TypeVar("F", bound=Callable[..., Any])

STEPS = (
    "notify",
    "identify",
    "advise",
    "assist",
    "decide",
    "refund",
    "recover",
    "correct",
    "close",
    "erase",
)

REFUND_COLUMNS: tuple[Column, ...] = (
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
PAYMENT_COLUMNS: tuple[Column, ...] = (
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
RECOVERY_COLUMNS: tuple[Column, ...] = (
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
GUARANTEE_COLUMNS: tuple[Column, ...] = (
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
TIMELINE_COLUMNS: tuple[Column, ...] = (
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
BORDEREAU_COLUMNS: tuple[Column, ...] = (
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


@dataclass(frozen=True, slots=True)
class Way:
    """How a report is asked for and where it goes."""

    book: str
    as_json: bool
    out: Path | None
    as_of: str | None
    on: date | None = None

    @contextmanager
    def reading(self, *views: str) -> "Iterator[Reader]":
        """Give a reader of these views at the time asked for."""
        with reading(self.book, views, as_of=self.as_of, on=self.on) as reader:
            yield reader


def ways(command: F) -> F:
    """Add `--out`, `--book` and `--json`."""
    return out_option(book_option(json_option(command)))


def tell(  # noqa: PLR0913  # a report, where it goes, and its words
    name: str, view: str, asked: "Asked", way: Way, columns: tuple[Column, ...], *, title: str, empty: str
) -> None:
    """Give a report: to its file row by row, else as JSON or as a table."""
    from projections.asking.reports import REPORTS, each_of, rows_of  # noqa: PLC0415  # loaded when it runs

    report = REPORTS[name]
    with way.reading(view) as reader:
        if way.out is not None:
            write_out(each_of(reader, report, asked), report.sheet, way.out)
            return
        rows = rows_of(reader, report, asked)
    show(rows, columns, title=title, empty=empty, json=way.as_json)


@click.command()
@contract_option("Only of this contract.")
@claim_option("Only of this claim.")
@guarantee_option("Only of claims under this guarantee.")
@before_option("Only what was due before this date.")
@status_option(DUE_STATUSES, "Only with this status.")
@time_options
@ways
@examples(
    "claims-ledger report refunds --status missed",
    "claims-ledger report refunds --as-of 2025-12-31 --out refunds.xlsx",
)
def refunds(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    guarantee: str | None,
    before: date | None,
    status: str | None,
    on: date | None,
    as_of: str | None,
    book: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show refunds with the days taken against the 15 (R7), those that are not settled too.

    One row for each time that the days began to run on a claim.
    """
    from projections.asking.reports import Asked  # noqa: PLC0415  # loaded when it runs

    asked = Asked(contract, claim, guarantee, before=before, status=status)
    way = Way(book, as_json, out, as_of, on)
    tell("refunds", "refunds", asked, way, REFUND_COLUMNS, title="Refunds", empty="No refund matches.")


@click.command()
@contract_option("Only on this contract.")
@claim_option("Only on this claim.")
@guarantee_option("Only on claims under this guarantee.")
@click.option("--since", type=DAY, metavar="DATE", help="Only on this date or later.")
@before_option("Only before this date.")
@time_options
@ways
@examples(
    "claims-ledger report payments --since 2026-02-01 --before 2026-03-01",
    "claims-ledger report payments --claim CL-1 --json",
)
def payments(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    guarantee: str | None,
    since: date | None,
    before: date | None,
    on: date | None,
    as_of: str | None,
    book: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show every movement of money on claims: refunds, failed and reversed ones, recoveries."""
    from projections.asking.reports import Asked  # noqa: PLC0415  # loaded when it runs

    asked = Asked(contract, claim, guarantee, since, before)
    way = Way(book, as_json, out, as_of, on)
    tell("payments", "payments", asked, way, PAYMENT_COLUMNS, title="Payments", empty="No money moved.")


@click.command()
@contract_option("Only on this contract.")
@claim_option("Only this claim.")
@guarantee_option("Only claims under this guarantee.")
@before_option("Only claims whose incident lies before this date.")
@status_option(CLAIM_STATUSES, "Only claims with this status.")
@time_options
@ways
@examples(
    "claims-ledger report recoveries --guarantee data",
    "claims-ledger report recoveries --on 2025-12-31 --out reserves.csv",
)
def recoveries(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    guarantee: str | None,
    before: date | None,
    status: str | None,
    on: date | None,
    as_of: str | None,
    book: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show reserves and recoveries: what each claim may still cost, has cost, and what came back."""
    from projections.asking.reports import Asked  # noqa: PLC0415  # loaded when it runs

    asked = Asked(contract, claim, guarantee, before=before, status=status)
    way = Way(book, as_json, out, as_of, on)
    title = "Reserves and recoveries"
    tell("recoveries", "reserves", asked, way, RECOVERY_COLUMNS, title=title, empty="No claim matches.")


@click.command()
@guarantee_option("Only this guarantee.")
@click.option("--year", type=click.IntRange(1900, 9999), metavar="YEAR", help="Only incidents of this year.")
@click.option(
    "--until",
    type=DAY,
    metavar="DATE",
    help="The last day that gives exposure.  [default: that of --on or --as-of, else the present]",
)
@time_options
@ways
@examples(
    "claims-ledger report guarantees",
    "claims-ledger report guarantees --year 2025 --as-of 2025-12-31 --json",
)
def guarantees(  # noqa: PLR0913  # one parameter an option
    *,
    guarantee: str | None,
    year: int | None,
    until: date | None,
    on: date | None,
    as_of: str | None,
    book: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show counts and losses by calendar year of the incident and guarantee, beside the days of cover.

    The product has no premium on record, so that there is no loss ratio to it: the last figure is what a
    contract cost in a year of cover.
    """
    from projections.asking.positions import read_as_of  # noqa: PLC0415  # loaded when it runs
    from projections.asking.reports import by_guarantee, reported_until  # noqa: PLC0415  # as above
    from projections.exports.sheets import GUARANTEES  # noqa: PLC0415  # as above

    way = Way(book, as_json, out, as_of, on)
    with way.reading("reserves", "contracts") as reader:
        asked: int | datetime | None = None if as_of is None else read_as_of(as_of)
        rows = by_guarantee(reader, until or reported_until(reader, asked), guarantee, year)
    if out is not None:
        write_out(rows, GUARANTEES, out)
        return
    show(rows, GUARANTEE_COLUMNS, title="By guarantee", empty="No contract and no claim yet.", json=as_json)


@click.command()
@contract_option("Only claims on this contract.")
@claim_option("Only this claim.")
@guarantee_option("Only claims under this guarantee.")
@before_option("Only what took effect before this date.")
@click.option("--step", type=click.Choice(STEPS), help="Only these steps.")
@time_options
@ways
@examples("claims-ledger report timeline --claim CL-1", "claims-ledger report timeline --out steps.parquet")
def timeline(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    guarantee: str | None,
    before: date | None,
    step: str | None,
    on: date | None,
    as_of: str | None,
    book: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show the steps of claims: notify, identify, advise, refund, and what lies between."""
    from projections.asking.reports import Asked  # noqa: PLC0415  # loaded when it runs

    asked = Asked(contract, claim, guarantee, before=before, step=step)
    way = Way(book, as_json, out, as_of, on)
    tell("timeline", "timeline", asked, way, TIMELINE_COLUMNS, title="Timeline", empty="No step matches.")


class Month(click.ParamType[date]):
    """A month, `2026-02`; kept as its first day."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a year and a month and nothing else."""
        if isinstance(value, date):
            return value
        try:
            if len(str(value)) != len("2026-02"):
                raise ValueError(value)  # noqa: TRY301  # told like any other
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is no month; write it as 2026-02.", param, ctx)


@click.command()
@click.argument("month", type=Month())
@contract_option("Only claims on this contract.")
@guarantee_option("Only claims under this guarantee.")
@status_option(CLAIM_STATUSES, "Only claims with this status at the month's end.")
@click.option(
    "--all", "every", is_flag=True, help="Claims too on which nothing happened and nothing is outstanding."
)
@as_of_option
@ways
@examples(
    "claims-ledger report bordereau 2026-02",
    "claims-ledger report bordereau 2025-12 --as-of 2025-12-31 --out bordereau-2025-12.xlsx",
)
def bordereau(  # noqa: PLR0913  # one parameter an option
    month: date,
    *,
    contract: str | None,
    guarantee: str | None,
    status: str | None,
    every: bool,
    as_of: str | None,
    book: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Show a month's claims: paid in the month, paid before, outstanding, status at the month's end.

    What was recorded later and counts in the month is in it, unless --as-of says what was known then.
    """
    from projections.asking.reports import Asked  # noqa: PLC0415  # loaded when it runs

    asked = Asked(contract, None, guarantee, status=status, month=month, every=every)
    way = Way(book, as_json, out, as_of)
    title = f"Bordereau of {month:%Y-%m}"
    tell("bordereau", "bordereau", asked, way, BORDEREAU_COLUMNS, title=title, empty="No claim matches.")
