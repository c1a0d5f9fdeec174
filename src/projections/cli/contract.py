"""`coverledger contract show/list/history`."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import print_json
from ledger.privacy.access import Access
from projections.cli.claim import CLAIM_COLUMNS
from projections.cli.complaint import COMPLAINT_COLUMNS
from projections.cli.due import DUE_COLUMNS, LIMIT_COLUMNS
from projections.cli.history import HISTORY_COLUMNS, history_of
from projections.cli.output import out_option, rows_or_file, show_unless_written
from projections.cli.query_options import before_option, names_options, reading, status_option, time_options
from projections.cli.tables import (
    CONTACT_COLUMNS,
    PERSON_COLUMNS,
    TableColumn,
    fields,
    number,
    plain,
    show,
    show_section,
    text,
    words,
)
from projections.cli.tables import (
    status as status_column,
)
from projections.queries.filters import CONTRACT_STATUSES
from projections.queries.questions import Filters, show_contract
from projections.queries.reader import plain_json

CONTRACT_COLUMNS: tuple[TableColumn, ...] = (
    plain("contract", "contract"),
    status_column("status", "status"),
    plain("starts", "starts_on"),
    plain("ends", "ends_on"),
    number("term", "term"),
    plain("notice from", "notice_gate_on"),
    plain("product", "product").spared(1),
    plain("terms", "terms").spared(2),
    plain("policyholder", "policyholder"),
)
DOCUMENT_COLUMNS = (
    words("document", "kind"),
    plain("language", "language"),
    plain("version", "version"),
    text("sha256", "sha256"),
)


@click.command()
@click.argument("number", metavar="CONTRACT")
@time_options
@names_options("contract show")
@book_option
@json_option
@examples(
    "coverledger contract show CC-1",
    "coverledger contract show CC-1 --on 2026-01-31",
    "coverledger contract show CC-1 --as-of 4711 --json",
    "coverledger contract show CC-1 --names --reason 'call of the policyholder'",
)
def show_one(  # noqa: PLR0913  # one parameter an option
    number: str, on: date | None, as_of: str | None, access: Access | None, book: str, *, as_json: bool
) -> None:
    """Show one contract: cover, limits, due dates, claims, documents."""
    views = ("contracts", "limits", "due", "claims", "complaints")
    with reading(book, views, as_of=as_of, on=on, access=access) as reader:
        shown = show_contract(reader, number)
    if as_json:
        print_json(plain_json(shown))
        return
    fields(shown, CONTRACT_COLUMNS, title=f"Contract {number}")
    if access is not None:
        show_section(shown, "persons", PERSON_COLUMNS, title="Persons")
    for title, name, columns in (
        ("Limits", "limits", LIMIT_COLUMNS[1:]),
        ("Due", "due", DUE_COLUMNS),
        ("Claims", "claims", CLAIM_COLUMNS),
        ("Complaints", "complaints", COMPLAINT_COLUMNS),
        ("Documents that apply", "documents", DOCUMENT_COLUMNS),
        ("Contacts", "contacts", CONTACT_COLUMNS),
    ):
        show_section(shown, name, columns, title=title)


@click.command()
@status_option(CONTRACT_STATUSES, "Only contracts with this status.")
@before_option("Only contracts that started before this date.")
@time_options
@out_option
@book_option
@json_option
@examples(
    "coverledger contract list --status notice_given",
    "coverledger contract list --json",
)
def list_all(  # noqa: PLR0913  # one parameter an option
    *,
    status: str | None,
    before: date | None,
    on: date | None,
    as_of: str | None,
    out: Path | None,
    book: str,
    as_json: bool,
) -> None:
    """List contracts in the order in which they were recorded."""
    asked = Filters(before=before, status=status)
    with reading(book, ("contracts",), as_of=as_of, on=on) as reader:
        rows = rows_or_file(reader, "contracts", asked, out)
    empty = "No contract matches. To record one: coverledger contract start --help."
    show_unless_written(rows, CONTRACT_COLUMNS, title="Contracts", empty=empty, json=as_json)


@click.command()
@click.argument("number", metavar="CONTRACT")
@click.option("--own", is_flag=True, help="Its own events only, without its claims' and complaints'.")
@time_options
@book_option
@json_option
@examples(
    "coverledger contract history CC-1",
    "coverledger contract history CC-1 --own --json",
)
def history(  # noqa: PLR0913  # one parameter an option
    number: str, on: date | None, as_of: str | None, book: str, *, own: bool, as_json: bool
) -> None:
    """List the events of one contract, its claims and complaints, oldest first.

    What each changed: see `coverledger replay`.
    """
    rows = history_of("contract", number, book=book, as_of=as_of, on=on, own=own)
    show(rows, HISTORY_COLUMNS, title=f"History of contract {number}", empty="No event.", json=as_json)
