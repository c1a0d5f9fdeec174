"""`coverledger claim show/list/history`."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import print_json
from ledger.privacy.access import Access
from projections.cli.due import DUE_COLUMNS
from projections.cli.history import HISTORY_COLUMNS, history_of
from projections.cli.output import out_option, rows_or_file, show_unless_written
from projections.cli.query_options import (
    before_option,
    contract_option,
    guarantee_option,
    names_options,
    reading,
    status_option,
    time_options,
)
from projections.cli.tables import (
    CONTACT_COLUMNS,
    PERSON_COLUMNS,
    TableColumn,
    amount,
    fields,
    plain,
    show,
    show_section,
    words,
)
from projections.cli.tables import (
    number as number_column,
)
from projections.cli.tables import (
    status as status_column,
)
from projections.queries.filters import CLAIM_STATUSES
from projections.queries.questions import Filters, show_claim
from projections.queries.reader import plain_json

CLAIM_COLUMNS: tuple[TableColumn, ...] = (
    plain("claim", "claim"),
    plain("contract", "contract"),
    words("guarantee", "guarantee"),
    status_column("status", "status"),
    plain("incident", "incident_on"),
    number_column("year", "insurance_year").spared(2),
    amount("loss", "loss_cents").spared(1),
    amount("approved", "approved_cents"),
    amount("excess", "excess_cents").spared(5),
    amount("refunded", "refunded_cents").spared(3),
    amount("recovered", "recovered_cents").spared(6),
    plain("rejected for", "rejection_code").spared(4),
)


@click.command()
@click.argument("number", metavar="CLAIM")
@time_options
@names_options("claim show")
@book_option
@json_option
@examples(
    "coverledger claim show CL-1",
    "coverledger claim show CL-1 --on 2026-01-31 --json",
    "coverledger claim show CL-1 --names --reason 'identification by phone'",
)
def show_one(  # noqa: PLR0913  # one parameter an option
    number: str, on: date | None, as_of: str | None, access: Access | None, book: str, *, as_json: bool
) -> None:
    """Show one claim, its amounts, its due dates, and whom to call."""
    with reading(book, ("claims", "contracts", "due"), as_of=as_of, on=on, access=access) as reader:
        shown = show_claim(reader, number)
    if as_json:
        print_json(plain_json(shown))
        return
    fields(shown, CLAIM_COLUMNS, title=f"Claim {number}")
    if access is not None:
        show_section(shown, "persons", PERSON_COLUMNS, title="Persons")
    show_section(shown, "due", DUE_COLUMNS, title="Due")
    show_section(shown, "contacts", CONTACT_COLUMNS, title="Contacts")


@click.command()
@contract_option("Only claims on this contract.")
@guarantee_option("Only claims under this guarantee.")
@before_option("Only claims whose incident lies before this date.")
@status_option(CLAIM_STATUSES, "Only claims with this status.")
@time_options
@out_option
@book_option
@json_option
@examples(
    "coverledger claim list --status submitted",
    "coverledger claim list --contract CC-1 --json",
)
def list_all(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    guarantee: str | None,
    before: date | None,
    status: str | None,
    on: date | None,
    as_of: str | None,
    out: Path | None,
    book: str,
    as_json: bool,
) -> None:
    """List claims in the order in which they were opened."""
    asked = Filters(contract, None, guarantee, before, status)
    with reading(book, ("claims",), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "claims", asked, out)
    empty = "No claim matches. To record one: coverledger claim open --help."
    show_unless_written(rows, CLAIM_COLUMNS, title="Claims", empty=empty, json=as_json)


@click.command()
@click.argument("number", metavar="CLAIM")
@time_options
@book_option
@json_option
@examples("coverledger claim history CL-1")
def history(number: str, on: date | None, as_of: str | None, book: str, *, as_json: bool) -> None:
    """List the events of one claim, oldest first. What each changed: see `coverledger replay --claim`."""
    rows = history_of("claim", number, book=book, as_of=as_of, on=on)
    show(rows, HISTORY_COLUMNS, title=f"History of claim {number}", empty="No event.", json=as_json)
