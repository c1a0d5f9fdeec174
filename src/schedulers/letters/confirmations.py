"""What the post says of letters: posted or come back. It becomes commands, once each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.command_envelope import submission
from ledger.command_handler import Answer
from ledger.errors import UsageError
from ledger.imports.csv_rows import CsvRow, read_day, read_rows
from ledger.imports.lines import LineFault, Malformed
from schedulers.letters.queries import Letter, change

if TYPE_CHECKING:
    from ledger.app import App

COLUMNS: Final = ("reference", "posted_on", "tracking", "returned_on")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One letter's posting, or its return."""

    reference: str
    posted_on: date | None = None
    tracking: str | None = None
    returned_on: date | None = None


def read_confirmations(path: Path) -> list[Confirmation]:
    """Read a carrier's CSV, as `import` reads CSV: reference, posted_on, tracking, returned_on.

    Raises UsageError that names every line that cannot be read; nothing has been done then.
    """
    read: list[Confirmation] = []
    wrong: list[str] = []
    try:
        with path.open("rb") as stream:
            for row in read_rows(str(path), stream, required=("reference",), known=COLUMNS):
                try:
                    read.append(_confirmation(row))
                except Malformed as malformed:
                    wrong.append(f"line {row.line}: {malformed}")
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror})."
        raise UsageError(message) from error
    if wrong:
        message = f"{path}: {'; '.join(wrong)}. Its columns are {', '.join(COLUMNS)}. Nothing was recorded."
        raise UsageError(message)
    return read


def commands_of(letter: Letter, told: Confirmation) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Give command id, name and fields of what a confirmation makes known; none but a notice has any."""
    if letter.kind != "termination_notice":
        return
    if told.posted_on is not None:
        fields: dict[str, object] = {
            "contract": letter.contract,
            "posted_on": told.posted_on.isoformat(),
            "tracking": told.tracking or letter.reference,
        }
        yield f"letter-posted:{letter.reference}", "SendTerminationNotice", fields
    if told.returned_on is not None:
        fields = {"contract": letter.contract, "returned_on": told.returned_on.isoformat()}
        yield f"letter-returned:{letter.reference}", "RecordLetterReturned", fields


def confirm(wiring: "App", letter: Letter, told: Confirmation, actor: str) -> list[Answer]:
    """Send the commands of a confirmation, and note it with the letter. Told again, nothing more happens."""
    answers = [
        wiring.ledger.submit(submission(command_id, name, fields, actor=actor, sender="letters"))
        for command_id, name, fields in commands_of(letter, told)
    ]
    if letter.kind != "termination_notice":
        # No rule hangs on these: the letter's row is all that knows.
        noted: dict[str, object] = {}
        if told.posted_on is not None:
            noted |= {"status": "posted", "posted_on": told.posted_on, "tracking": told.tracking}
        if told.returned_on is not None:
            noted |= {"status": "returned", "returned_on": told.returned_on}
        with wiring.pool.connection() as connection:
            change(connection, wiring.book, [letter.reference], **noted)
    return answers


def _confirmation(row: CsvRow | LineFault) -> Confirmation:
    """Turn one row. Raises Malformed."""
    if isinstance(row, LineFault):
        raise Malformed(row.message)
    cells = row.cells
    reference = cells.get("reference")
    if reference is None:
        message = "no reference"
        raise Malformed(message)
    if "posted_on" not in cells and "returned_on" not in cells:
        message = f"{reference}: neither posted_on nor returned_on"
        raise Malformed(message)
    days = {name: read_day(cells[name]) for name in ("posted_on", "returned_on") if name in cells}
    return Confirmation(reference, days.get("posted_on"), cells.get("tracking"), days.get("returned_on"))
