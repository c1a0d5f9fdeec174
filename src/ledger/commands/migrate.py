"""`coverledger migrate`: bring the database's schema up to date."""

import sys
from typing import TYPE_CHECKING

import click

from ledger.commands.options import book_option, json_option
from ledger.commands.output import note, print_json
from ledger.endings import UsedWrongly

if TYPE_CHECKING:
    from ledger.migrate import Schema


@click.command(
    "migrate",
    short_help="Bring the database's schema up to date.",
    help=(
        "Apply the migrations that the database does not have yet, under COVERLEDGER_MIGRATE_DSN where "
        "it is set. `up`, `init`, `import` and `restore` of a backup do so by themselves where they may; "
        "all others say that it has to be done. A ledger that lies where the default home was before the "
        "program was called coverledger is moved to where it is now.\n\n"
        "Asks before the ledger first comes into a database that holds other tables.\n\n"
        "\b\nExamples:\n"
        "  coverledger migrate\n"
        "  coverledger migrate --yes"
    ),
)
@click.option("--yes", is_flag=True, help="Do not ask, also where the database holds other tables.")
@book_option
@json_option
def migrate(*, yes: bool, book: str, as_json: bool) -> None:
    """Apply what is missing."""
    from ledger.default_home import move_home  # noqa: PLC0415  # loaded only by a command that needs it
    from ledger.wiring import migrated  # noqa: PLC0415  # as above

    del book  # One schema holds all books.
    moved = move_home()
    if moved:
        note(f"Moved the ledger from {moved.former} to {moved.home}; a link to it stays behind.")
    applied = migrated(beside=_go_on if yes else _ask)
    if as_json:
        print_json({"applied": applied})
    elif applied:
        click.echo(f"Applied: {', '.join(applied)}.")
    else:
        click.echo("The schema is up to date.")


def _go_on(_schema: "Schema") -> None:
    """Take --yes for the answer."""


def _ask(schema: "Schema") -> None:
    """Ask whether the ledger is to stand beside other tables. Raises UsedWrongly where nobody can answer."""
    from ledger.wiring import told_tables  # noqa: PLC0415  # loaded when it runs

    message = f"The database {schema.database!r} holds other tables: {told_tables(schema.others)}."
    if not sys.stdin.isatty():
        message += " Name one of the ledger's own in COVERLEDGER_DSN, or say --yes."
        raise UsedWrongly(message)
    note(message)
    click.confirm("Make the ledger beside them?", abort=True, err=True)
