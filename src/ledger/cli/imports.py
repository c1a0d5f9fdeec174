"""`coverledger import`: a book of commands from JSON Lines or CSV."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime
from functools import cached_property

import click

from ledger.app import App
from ledger.cli.import_run import FaultList, run
from ledger.cli.options import DAY, actor_option, book_option, json_option, opened
from ledger.cli.output import note, progress
from ledger.clock import machine_now
from ledger.command_envelope import LOCAL
from ledger.errors import NoLedger, OldSchema, UsageError
from ledger.imports.sources import Checked, ImportSource, check_all, opened_sources


@click.command(
    "import",
    help=(
        "Load commands from FILEs: JSON Lines, or CSV where the name ends in .csv; `-` is stdin.\n\n"
        "Several files are merged by `at`. All lines are checked before anything is recorded: malformed "
        "ones are listed and nothing is recorded (exit 2). Refused commands are reported and the import "
        "goes on (exit 1). An import that broke off is run again and goes on where it stood.\n\n"
        'A JSON line: {"command_id", "command", "at", "actor"?, "data": {…}}, amounts in whole cents. '
        "A CSV holds one kind of command: columns command_id, at and the command's fields, victim.person "
        "for one inside another, a|b for a list; amounts in euro under loss or amount (5000, 5000.00, "
        "5.000,00 EUR or 5,000.00 EUR), in whole cents under loss_cents or amount_cents.\n\n"
        "\b\nExamples:\n"
        "  coverledger import book.jsonl --until 2026-03-01\n"
        "  coverledger import OpenClaim.csv AcceptClaim.csv --dry-run\n"
        "  coverledger import refunds.csv --command IssueRefund\n"
        "  coverledger import --abandon"
    ),
)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--until", type=DAY, metavar="DATE", help="Then let time act up to 00:00 of that day, inclusive."
)
@click.option("--dry-run", is_flag=True, help="Check all lines, record nothing.")
@click.option("--abandon", is_flag=True, help="Give up the import that is open; what it recorded stays.")
@click.option("--command", metavar="COMMAND", help="Command of CSV rows that name none.")
@actor_option
@book_option
@json_option
def import_(  # noqa: PLR0913  # one option each
    files: tuple[str, ...],
    *,
    until: date | None,
    dry_run: bool,
    abandon: bool,
    command: str | None,
    actor: str,
    book: str,
    as_json: bool,
) -> int:
    """Load commands from files."""
    if abandon:
        if files or until or dry_run:
            message = "--abandon stands alone: coverledger import --abandon"
            raise click.UsageError(message)
        return _abandon(book)
    if not files:
        message = "Name at least one FILE, or - for stdin."
        raise click.UsageError(message)

    with opened_sources(files, command) as sources:
        checked = _check(sources, book, dry_run=dry_run, as_json=as_json)
        if dry_run:
            lines = "1 line is" if checked.lines == 1 else f"{checked.lines:,} lines are"
            note(f"{lines} well formed; nothing was recorded (--dry-run).")
            return 0

        with opened(book, creates=True) as wiring:
            return run(wiring, sources, checked, until=until, actor=actor, as_json=as_json)


def _check(sources: Sequence[ImportSource], book: str, *, dry_run: bool, as_json: bool) -> Checked:
    """Check all lines and list the malformed ones; an import with any ends here.

    The book is opened only where a line may lie in its future.
    """
    faults = FaultList(several=len(sources) > 1, as_json=as_json)
    with progress("Checking", None) as bar, _BookAsked(book, dry_run=dry_run) as asked:
        checked = check_all(sources, faults.add, bar.reach, asked.present, asked.knows)
    faults.end(checked)
    for source in sources:
        _tell_units(source)
    return checked


def _tell_units(source: ImportSource) -> None:
    """Report what whole numbers were taken for, before anything of them is recorded."""
    cents = {column for column in source.whole_amounts if column.endswith("_cents")}
    for columns, unit, example in (
        (source.whole_amounts - cents, "euro", "5000 is 5,000.00 EUR"),
        (cents, "cents", "5000 is 50.00 EUR"),
    ):
        if columns:
            note(
                f"{source.file}: whole numbers in {', '.join(sorted(columns))} are read as {unit}: {example}."
            )


class _BookAsked(ExitStack):
    """The book as the check of an import asks for it: opened when it must be, and never made."""

    def __init__(self, book: str, *, dry_run: bool) -> None:
        super().__init__()
        self._book = book
        self._dry_run = dry_run

    @cached_property
    def _wiring(self) -> App | None:
        try:
            return self.enter_context(opened(self._book))
        except NoLedger:
            return None

    def present(self) -> datetime | None:
        """Return a real book's time; None: a simulated book may run ahead."""
        try:
            if self._wiring is None:
                return machine_now()  # A book that is not there yet will be a real one.
            return None if self._wiring.book_row().kind == "simulated" else self._wiring.now()
        except OldSchema:
            if self._dry_run:
                raise
            return None  # The import migrates first, and then looks for itself.

    def knows(self, command_id: str) -> bool:
        """Return whether a line's command is on record."""
        wiring = self._wiring
        return wiring is not None and wiring.store.answer_of(self._book, LOCAL, command_id) is not None


def _abandon(book: str) -> int:
    with opened(book) as wiring:
        held = wiring.book_row().open_import
        if held is None:
            message = f"No import is open on book {book!r}: there is nothing to give up."
            raise UsageError(message)
        wiring.books.abandon_import(book, held.import_id)
    note("The import was given up. What it had recorded stays; the book takes commands again.")
    return 0
