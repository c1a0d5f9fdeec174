"""`up`: the whole ledger in one process group, until Ctrl-C."""

import click

from ledger.cli.options import book_option, composed


@click.command(
    "up",
    help=(
        "Run everything in one process group: the embedded Postgres unless COVERLEDGER_DSN names another, "
        "migrations, the sealer, the services of the views and the diary, and "
        "HTTP: it prints the address and a link to sign in with. Ctrl-C ends all of it.\n\n"
        "--demo makes a simulated book in a new home, with a sample of 120 contracts, standing at "
        "2026-03-01.\n\n"
        "\b\nExamples:\n"
        "  coverledger up\n"
        "  coverledger up --demo\n"
        "  coverledger up --port 8443\n"
        "  coverledger up --one-process"
    ),
)
@click.option("--demo", is_flag=True, help="Load the sample book.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to serve HTTP on. [default: 8080, or the next that is free]",
)
@click.option(
    "--one-process",
    is_flag=True,
    help=(
        "Run views, deadlines and deliveries in the process that serves callers: less memory, and fewer "
        "commands a second. [default: in a process of their own]"
    ),
)
@book_option
def up(*, demo: bool, port: int | None, one_process: bool, book: str) -> int:
    """Run the whole ledger."""
    from ledger.cli.services import run  # noqa: PLC0415  # loaded only by a command that needs it

    return run(book, composed(), demo=demo, port=port, one_process=one_process)
