"""Recording a checked import, and what it says meanwhile; the sample book of `up --demo`."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from importlib.resources import as_file, files
from time import monotonic, sleep
from uuid import UUID

from ledger.app import App
from ledger.cli.output import discard_output, note, print_json_line, print_table, progress
from ledger.command_envelope import LOCAL
from ledger.command_handler import Answer
from ledger.domain.calendar import brussels_date, brussels_midnight
from ledger.errors import Unavailable, UsageError
from ledger.imports.importer import Importer
from ledger.imports.lines import Line, LineFault
from ledger.imports.sources import (
    Checked,
    ImportSource,
    check_all,
    digest_of,
    later_than,
    merged,
    opened_sources,
)
from ledger.store.diagnostics import examine_feed

LISTED_IDS = 3
"""Command ids that the table names for each kind of refusal."""


class FaultList:
    """Lists malformed lines as they are found, so that their number costs no memory."""

    def __init__(self, *, several: bool, as_json: bool) -> None:
        """`several`: whether lines are told apart by their file too."""
        self._several = several
        self._as_json = as_json

    def add(self, fault: LineFault) -> None:
        """List one line."""
        if self._as_json:
            written: dict[str, object] = {
                "line": fault.line,
                "command_id": fault.command_id,
                "status": "invalid",
            }
            if self._several:
                written["file"] = fault.file
            print_json_line(written | {"message": fault.message, "events": []})
        note(f"{_place(fault.file, fault.line, several=self._several)}: {fault.message}")

    def end(self, checked: Checked) -> None:
        """Stop here if any line was malformed.

        Raises:
            UsageError: with their number.

        """
        if checked.faults:
            lines = "1 line is" if checked.faults == 1 else f"{checked.faults:,} lines are"
            message = (
                f"{lines} malformed (listed above), so nothing was recorded: put them right and import again."
            )
            raise UsageError(message)


def _place(file: str, line: int, *, several: bool) -> str:
    return f"{file}, line {line}" if several else f"line {line}"


class ImportTally:
    """Counts the answers of an import, prints each or sums them up."""

    def __init__(self, *, several: bool, as_json: bool) -> None:
        """`as_json`: print each answer as it comes."""
        self._several = several
        self._as_json = as_json
        self._statuses: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._named: dict[str, list[str]] = {}
        self._begun = monotonic()
        self.refused = 0

    def count(self, line: Line, answer: Answer) -> None:
        """Count one answer."""
        self._statuses[answer.status] += 1
        if answer.status == "failed":
            note(f"{_place(line.file, line.line, several=self._several)}: {answer.message}")
        if answer.said_no:
            self.refused += 1
            code = answer.code or ""
            self._refusals[code] += 1
            named = self._named.setdefault(code, [])
            if len(named) < LISTED_IDS:
                named.append(answer.command_id)
        if self._as_json:
            place: dict[str, object] = {"line": line.line}
            if self._several:
                place["file"] = line.file
            try:
                print_json_line(place | answer.as_json())
            except BrokenPipeError:
                # What nobody reads any more is imported all the same.
                discard_output()
                self._as_json = False

    @property
    def done(self) -> int:
        """How many commands were answered."""
        return sum(self._statuses.values())

    def end(self) -> None:
        """Report what came of it: in a sentence on stderr, and for people a table of the refusals."""
        seconds = max(monotonic() - self._begun, 0.001)
        parts = [f"{count:,} {status}" for status, count in sorted(self._statuses.items())]
        commands = "1 command" if self.done == 1 else f"{self.done:,} commands"
        note(f"{commands}: {', '.join(parts)}. {seconds:.1f} s, {self.done / seconds:,.0f}/s.")
        if self._refusals and not self._as_json:
            rows = [
                (code, count, ", ".join(self._named[code]) + (" …" if count > LISTED_IDS else ""))
                for code, count in self._refusals.most_common()
            ]
            print_table(("Refused by", "Commands", "Command ids"), rows)
        sys.stdout.flush()


SEAL_SECONDS = 60.0
"""Given to a sealer elsewhere to seal what was imported."""

SEAL_PAUSE_SECONDS = 0.1


def run(  # noqa: PLR0913  # one option each
    wiring: App,
    sources: Sequence[ImportSource],
    checked: Checked,
    *,
    until: date | None,
    actor: str,
    as_json: bool,
    quiet: bool = False,
) -> int:
    """Record all lines; gives the exit code. `quiet`: say nothing of the answers."""
    several = len(sources) > 1
    midnight = None if until is None else brussels_midnight(until)
    now = wiring.now()
    simulated = wiring.book_row().kind == "simulated"
    if not simulated:
        _refuse_future(sources, checked, midnight, now, as_json=as_json)
    importer = Importer(wiring.ledger, digest_of(sources), actor=actor)
    tally = ImportTally(several=several, as_json=as_json)
    with progress("Importing", checked.lines) as bar:
        for line, answer in importer.record(merged(sources)):
            tally.count(line, answer)
            bar.reach(tally.done)
    with progress("Sealing", None):
        wiring.seal()
    if midnight is not None:
        with progress("Letting time act", None):
            _wait_for_the_seal(wiring)
            wiring.sweep(midnight)
            wiring.seal()
    ends_at = max(instant for instant in (checked.last_at, midnight) if instant is not None)
    if simulated:
        _move_clock(wiring, ends_at)
    if importer.import_id is not None or midnight is not None:
        held = until is not None and not simulated and until < brussels_date(now)
        _finish(wiring, importer.import_id, ends_at if held else None)
    if not quiet:
        tally.end()
    return 1 if tally.refused else 0


def _refuse_future(
    sources: Sequence[ImportSource],
    checked: Checked,
    midnight: datetime | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    """Refuse what lies in the future of a real book."""
    if checked.last_at is not None and checked.last_at > now:
        faults = FaultList(several=len(sources) > 1, as_json=as_json)
        found = later_than(now, sources, faults.add)
        faults.end(Checked(checked.lines, found, checked.last_at))
    if midnight is not None and midnight > now:
        message = "--until lies in the future of a real book: name a day that has begun, or leave it out."
        raise UsageError(message)


def _wait_for_the_seal(wiring: App) -> None:
    """Wait until all is sealed where another machine seals: the sweep sees sealed events only.

    Raises:
        Unavailable: nobody seals; the import stays open and goes on when it is run again.

    """
    begun = monotonic()
    while True:
        with wiring.pool.connection() as connection:
            if not examine_feed(connection, wiring.book).unsealed:
                return
        if monotonic() - begun > SEAL_SECONDS:
            message = (
                "Nobody seals this book: start its sealer, then run the import again; "
                "it goes on where it stands."
            )
            raise Unavailable(message)
        sleep(SEAL_PAUSE_SECONDS)


def _move_clock(wiring: App, to: datetime) -> None:
    """Move a simulated book's present to where the import ends; it never goes back."""
    clock_at = wiring.book_row().clock_at
    if clock_at is not None and to > clock_at:
        wiring.books.move_clock(wiring.book, to)


def _finish(wiring: App, import_id: UUID | None, held_at: datetime | None) -> None:
    """Close the import, if one was opened, and say where it leaves the book's time.

    A book that an earlier import left at a later instant stays there.
    """
    before = wiring.book_row().held_at
    if held_at is not None and before is not None:
        held_at = max(held_at, before)
    if import_id is not None:
        wiring.books.finish_import(wiring.book, import_id, held_at)
        wiring.ledger.import_id = None
    elif before is not None and held_at is not None and held_at > before:
        # Nothing was left to record, but time has acted up to a later day than before.
        wiring.books.hold(wiring.book, held_at)
    elif before is None:
        return
    if held_at is not None:
        note(
            f"The book's time stands at {held_at.isoformat()}: deadlines after it wait for the next "
            "command, `coverledger deadlines sweep`, or an import without --until."
        )


SAMPLE = "book.jsonl"
UNTIL = date(2026, 3, 1)


def load_demo(wiring: App) -> None:
    """Load the sample book, unless it is there already. Broken off, it goes on where it stood."""
    sample = files("ledger") / "samples" / SAMPLE
    last = json.loads(sample.read_bytes().splitlines()[-1])["command_id"]
    if wiring.store.answer_of(wiring.book, LOCAL, last) and wiring.book_row().open_import is None:
        return
    note("Loading the sample book…")
    with as_file(sample) as path, opened_sources([str(path)]) as sources:
        faults = FaultList(several=False, as_json=False)
        checked = check_all(sources, faults.add)
        faults.end(checked)
        run(wiring, sources, checked, until=UNTIL, actor=LOCAL, as_json=False, quiet=True)
