"""`coverledger complaint show/list/history`."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import print_json
from projections.cli.due import DUE_COLUMNS
from projections.cli.history import HISTORY_COLUMNS, history_of
from projections.cli.output import out_option, rows_or_file, show_unless_written
from projections.cli.query_options import (
    before_option,
    claim_option,
    contract_option,
    reading,
    status_option,
    time_options,
)
from projections.cli.tables import (
    CONTACT_COLUMNS,
    TableColumn,
    fields,
    plain,
    show,
    show_section,
)
from projections.cli.tables import (
    status as status_column,
)
from projections.queries.filters import COMPLAINT_STATUSES
from projections.queries.questions import Filters, show_complaint
from projections.queries.reader import plain_json

COMPLAINT_COLUMNS: tuple[TableColumn, ...] = (
    plain("complaint", "complaint"),
    plain("contract", "contract"),
    plain("claim", "claim"),
    status_column("status", "status"),
    plain("received", "received_on"),
    plain("complainant", "complainant"),
)


@click.command()
@click.argument("number", metavar="COMPLAINT")
@time_options
@book_option
@json_option
@examples("coverledger complaint show CP-1")
def show_one(number: str, on: date | None, as_of: str | None, book: str, *, as_json: bool) -> None:
    """Show one complaint, its due dates, and where it may be taken next."""
    with reading(book, ("complaints", "contracts", "due"), as_of=as_of, on=on) as reader:
        shown = show_complaint(reader, number)
    if as_json:
        print_json(plain_json(shown))
        return
    fields(shown, COMPLAINT_COLUMNS, title=f"Complaint {number}")
    show_section(shown, "due", DUE_COLUMNS, title="Due")
    show_section(shown, "contacts", CONTACT_COLUMNS, title="Contacts")


@click.command()
@contract_option("Only complaints about this contract.")
@claim_option("Only complaints about this claim.")
@before_option("Only complaints received before this date.")
@status_option(COMPLAINT_STATUSES, "Only complaints with this status.")
@time_options
@out_option
@book_option
@json_option
@examples("coverledger complaint list --contract CC-1")
def list_all(  # noqa: PLR0913  # one parameter an option
    *,
    contract: str | None,
    claim: str | None,
    before: date | None,
    status: str | None,
    on: date | None,
    as_of: str | None,
    out: Path | None,
    book: str,
    as_json: bool,
) -> None:
    """List complaints in the order in which they were lodged."""
    asked = Filters(contract, claim, None, before, status)
    with reading(book, ("complaints",), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "complaints", asked, out)
    empty = "No complaint matches. To record one: coverledger complaint lodge --help."
    show_unless_written(rows, COMPLAINT_COLUMNS, title="Complaints", empty=empty, json=as_json)


@click.command()
@click.argument("number", metavar="COMPLAINT")
@time_options
@book_option
@json_option
@examples("coverledger complaint history CP-1")
def history(number: str, on: date | None, as_of: str | None, book: str, *, as_json: bool) -> None:
    """List the events of one complaint, oldest first."""
    rows = history_of("complaint", number, book=book, as_of=as_of, on=on)
    show(rows, HISTORY_COLUMNS, title=f"History of complaint {number}", empty="No event.", json=as_json)
