"""`coverledger due`."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option
from projections.asking.filters import DUE_KINDS, DUE_STATUSES
from projections.commands.options import (
    before_option,
    claim_option,
    contract_option,
    from_option,
    guarantee_option,
    status_option,
    time_options,
)
from projections.commands.reading import reading
from projections.commands.tables import Column, plain, words
from projections.commands.tables import status as status_column
from projections.commands.writing import out_option, rows_or_file, show_unless_written

COLUMNS: tuple[Column, ...] = (
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
    from projections.asking.questions import Filters  # noqa: PLC0415  # loaded when it runs

    asked = Filters(contract, claim, guarantee, before, status, kind, from_on)
    with reading(book, ("due",), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "due", asked, out)
    show_unless_written(rows, COLUMNS, title="Due", empty="Nothing is due that matches.", json=as_json)
