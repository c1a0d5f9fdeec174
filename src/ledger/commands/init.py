"""`coverledger init`: create a ledger, or a further book in it."""

from typing import Literal

import click

from ledger.commands.options import book_option, json_option
from ledger.commands.output import note, print_json
from ledger.endings import Refused


@click.command(
    "init",
    short_help="Create the ledger and its book.",
    help=(
        "Create the ledger's database, its master key and a book; what is there already stays as it is.\n\n"
        "`up` and `import` do the same for a real book by themselves; no other command makes anything where "
        "there is nothing. A simulated book runs on a virtual "
        "clock that stands still until it is moved, and says so in its log's origin.\n\n"
        "\b\nExamples:\n"
        "  coverledger init\n"
        "  coverledger init --book training --simulated"
    ),
)
@click.option("--simulated", is_flag=True, help="Create a book that runs on a virtual clock.")
@book_option
@json_option
def init(*, simulated: bool, book: str, as_json: bool) -> None:
    """Create the ledger and its book."""
    from ledger.logs import log_to_stderr  # noqa: PLC0415  # as above
    from ledger.settings import Settings  # noqa: PLC0415  # loaded only by a command that needs it
    from ledger.wiring import opened  # noqa: PLC0415  # as above

    log_to_stderr(quiet=True)
    settings = Settings.load()
    kind: Literal["real", "simulated"] = "simulated" if simulated else "real"
    with opened(book, settings, kind=kind) as wiring:
        row = wiring.book_row()
        if row.kind != kind:
            message = (
                f"Book {book!r} exists already and is {row.kind}: it stays so. "
                f"Give the {kind} one another name with --book, or another COVERLEDGER_HOME."
            )
            raise Refused(message)
        where = "external" if settings.dsn else str(settings.home)
        if as_json:
            print_json(
                {"book": book, "kind": row.kind, "origin": row.origin, "database": where}
                | {"master_key": str(settings.master_key_path)}
            )
            return
        click.echo(f"Book {book!r} ({row.kind}) is ready; its log is called {row.origin}.")
        note(f"Database: {where}. Master key: {settings.master_key_path}")
        note(
            f"Keep a copy of {settings.secrets_folder} elsewhere: without the master key nobody's names "
            "can be read again, without the signing key no head be signed. Then say where it is: "
            "coverledger keys kept WHERE"
        )
