"""`coverledger limits`."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option
from projections.asking.filters import CONTRACT_STATUSES
from projections.commands.options import (
    before_option,
    claim_option,
    contract_option,
    guarantee_option,
    status_option,
    time_options,
)
from projections.commands.reading import reading
from projections.commands.tables import Column, amount, euros, left_of, number, of_limit, plain, words
from projections.commands.writing import out_option, rows_or_file, show_unless_written

COLUMNS: tuple[Column, ...] = (
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
    from projections.asking.questions import Filters  # noqa: PLC0415  # loaded when it runs

    asked = Filters(contract, claim, guarantee, before, status)
    with reading(book, ("limits", "claims", "contracts"), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "limits", asked, out)
    show_unless_written(rows, COLUMNS, title="Limits", empty="No limits match.", json=as_json)
