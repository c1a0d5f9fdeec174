"""`claims-ledger migrate`: bring the database's schema up to date."""

import click

from ledger.commands.options import book_option, json_option
from ledger.commands.output import print_json


@click.command(
    "migrate",
    short_help="Bring the database's schema up to date.",
    help=(
        "Apply the migrations that the database does not have yet, under CLAIMS_LEDGER_MIGRATE_DSN where "
        "it is set. Every command does so by itself where it may.\n\n"
        "\b\nExample:\n"
        "  claims-ledger migrate"
    ),
)
@book_option
@json_option
def migrate(*, book: str, as_json: bool) -> None:
    """Apply what is missing."""
    from ledger.wiring import migrated  # noqa: PLC0415  # loaded only by a command that needs it

    del book  # One schema holds all books.
    applied = migrated()
    if as_json:
        print_json({"applied": applied})
    elif applied:
        click.echo(f"Applied: {', '.join(applied)}.")
    else:
        click.echo("The schema is up to date.")
