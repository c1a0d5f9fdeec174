"""What the post says of letters: posted or come back. It becomes commands, once each."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.answers import Answer
from ledger.endings import UsedWrongly
from ledger.submission import submission
from schedulers.letters.queries import Letter, change

if TYPE_CHECKING:
    from ledger.wiring import Wiring

COLUMNS: Final = ("reference", "posted_on", "tracking", "returned_on")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One letter's posting, or its return."""

    reference: str
    posted_on: date | None = None
    tracking: str | None = None
    returned_on: date | None = None


def read_confirmations(path: Path) -> list[Confirmation]:
    """Read a carrier's CSV with the columns reference, posted_on, tracking, returned_on.

    Raises UsedWrongly that names every line that cannot be read; nothing has been done then.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error})."
        raise UsedWrongly(message) from error
    rows = csv.DictReader(text.splitlines())
    if rows.fieldnames is None or not {"reference"} <= set(rows.fieldnames) <= set(COLUMNS):
        message = f"{path}: its first line must name the columns {', '.join(COLUMNS)}."
        raise UsedWrongly(message)
    read: list[Confirmation] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, start=2):
        try:
            read.append(_confirmation(row))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        message = f"{path}: {'; '.join(wrong)}. Nothing was recorded."
        raise UsedWrongly(message)
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


def confirm(wiring: "Wiring", letter: Letter, told: Confirmation, actor: str) -> list[Answer]:
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


def _confirmation(row: dict[str, str | None]) -> Confirmation:
    values = {name: (row.get(name) or "").strip() or None for name in COLUMNS}
    reference = values["reference"]
    if reference is None:
        message = "no reference"
        raise ValueError(message)
    if values["posted_on"] is None and values["returned_on"] is None:
        message = f"{reference}: neither posted_on nor returned_on"
        raise ValueError(message)
    return Confirmation(reference, _day(values["posted_on"]), values["tracking"], _day(values["returned_on"]))


def _day(written: str | None) -> date | None:
    if written is None:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        message = f"{written!r} is no date; write it as 2026-03-01"
        raise ValueError(message) from None
