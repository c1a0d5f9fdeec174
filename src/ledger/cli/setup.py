"""`init`, `migrate`, `doctor`: create a ledger or a book, bring its schema up to date, look it over."""

import sys
from typing import Literal

import click

from ledger import app
from ledger.app import migrated, told_tables
from ledger.cli.doctor_checks import Finding, examine, services
from ledger.cli.options import book_option, composed, json_option, opened
from ledger.cli.output import console, note, print_json, print_table
from ledger.config import Settings
from ledger.default_home import move_home
from ledger.errors import CliError, Rejected, UsageError
from ledger.logging import log_to_stderr
from ledger.migrate import Schema
from ledger.store.errors import StoreError


@click.command(
    "init",
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
    log_to_stderr(quiet=True)
    settings = Settings.load()
    kind: Literal["real", "simulated"] = "simulated" if simulated else "real"
    with app.opened(book, composed(), settings, kind=kind) as wiring:
        row = wiring.book_row()
        if row.kind != kind:
            message = (
                f"Book {book!r} exists already and is {row.kind}: it stays so. "
                f"Give the {kind} one another name with --book, or another COVERLEDGER_HOME."
            )
            raise Rejected(message)
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


@click.command(
    "migrate",
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


def _go_on(_schema: Schema) -> None:
    """Take --yes for the answer."""


def _ask(schema: Schema) -> None:
    """Ask whether the ledger is to stand beside other tables. Raises UsageError where nobody can answer."""
    message = f"The database {schema.database!r} holds other tables: {told_tables(schema.others)}."
    if not sys.stdin.isatty():
        message += " Name one of the ledger's own in COVERLEDGER_DSN, or say --yes."
        raise UsageError(message)
    note(message)
    click.confirm("Make the ledger beside them?", abort=True, err=True)


@click.command(
    "doctor",
    help=(
        "Check that everything is as it must be: settings and where they come from, the database's "
        "durability, the rights of our roles, the clocks, how far feed and views are, the files of the keys, "
        "and, where `up` runs, how its services are. "
        "Exit 0 when all is well (hints included), 1 when something has to be put right.\n\n"
        "\b\nExamples:\n"
        "  coverledger doctor\n"
        "  coverledger doctor --json"
    ),
)
@book_option
@json_option
def doctor(*, book: str, as_json: bool) -> None:
    """Check everything."""
    settings = Settings.load()
    in_force = settings.in_force()
    away: CliError | StoreError | None = None
    try:
        with opened(book) as wiring:
            findings = examine(wiring)
    except (CliError, StoreError) as error:
        # Which settings lead there is what somebody wants to know then.
        away, findings = error, [Finding("server", "wrong", str(error))]
    findings += services(settings, book)
    wrong = [finding for finding in findings if finding.state == "wrong"]
    if as_json:
        print_json(
            {
                "settings": [
                    {"name": s.name, "variable": s.variable, "value": s.value, "origin": s.origin}
                    for s in in_force
                ],
                "checks": [{"check": f.check, "state": f.state, "message": f.message} for f in findings],
                "healthy": not wrong,
            }
        )
    else:
        print_table(
            ("Setting", "Value", "Origin"), [(s.variable, s.value, s.origin) for s in in_force], title=None
        )
        click.echo()
        shown = console()
        for finding in findings:
            colour = {"well": "green", "hint": "yellow", "wrong": "red"}[finding.state]
            shown.print(f"[{colour}]{finding.state:<5}[/]  {finding.check:<12}  ", end="")
            shown.print(finding.message, markup=False, soft_wrap=True)
    if away is not None:
        raise away
    if wrong:
        message = f"{len(wrong)} of {len(findings)} checks found something wrong; see above what to do."
        raise Rejected(message)
