"""The files of an import, merged by `at`, and checked whole before anything is recorded."""

import hashlib
import heapq
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

from ledger.attempts import type_and_place
from ledger.clock import machine_now
from ledger.domain.command import Command
from ledger.domain.refusals import Invalid
from ledger.domain.registry import check, read_command
from ledger.errors import UsageError
from ledger.imports.csv_rows import read_csv
from ledger.imports.json_lines import read_json_lines
from ledger.imports.lines import Line, LineFault

STDIN = "-"


_MIDDLE = 3
_PLACES = {
    command: place
    for place, commands in {
        0: ("StartContract",),
        1: ("CorrectPerson", "OpenClaim", "LodgeComplaint"),
        2: ("IdentifyClaimant", "AcknowledgeComplaint"),
        _MIDDLE + 1: ("CompleteSubmission", "AnswerComplaint"),
        _MIDDLE + 2: ("AcceptClaim", "RejectClaim", "WithdrawClaim", "EscalateToOmbudsman"),
        _MIDDLE + 3: ("IssueRefund", "RecordOmbudsmanOpinion"),
        _MIDDLE + 4: ("RecordRefundFailure", "ReverseRefund", "RecordRecovery"),
        _MIDDLE + 5: ("CloseClaim", "CloseComplaint"),
        _MIDDLE + 6: ("ReopenClaim",),
    }.items()
    for command in commands
}
"""Place of a command in the life of a contract, a claim or a complaint, where several bear one `at`; the rest
stands in the middle."""


@dataclass(frozen=True, slots=True)
class ImportSource:
    """One file of commands, open for reading as often as needed."""

    file: str
    stream: BinaryIO
    command: str | None = None
    """Command of every row of a CSV that does not name it."""
    whole_amounts: set[str] = field(default_factory=set)
    """Columns of a CSV, seen so far, in which an amount is a whole number: of euro, or of cents."""

    def read(self) -> Iterator[Line | LineFault]:
        """Read the file from its start, line by line."""
        self.stream.seek(0)
        if self.file.lower().endswith(".csv"):
            return read_csv(self.file, self.stream, self.command, self.whole_amounts)
        return read_json_lines(self.file, self.stream)


@contextmanager
def opened_sources(files: Sequence[str], command: str | None = None) -> Iterator[Sequence[ImportSource]]:
    """Open the files for the time of an import; `-` is stdin, kept in a temporary file to be read twice.

    Raises:
        UsageError: a file can't be read.

    """
    with ExitStack() as stack:
        yield [ImportSource(file, stack.enter_context(_open(file)), command) for file in files]


def _open(file: str) -> BinaryIO:
    if file == STDIN:
        kept: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the other sources  # type: ignore[assignment]
        copyfileobj(sys.stdin.buffer, kept)
        return kept
    try:
        return Path(file).open("rb")
    except OSError as error:
        message = f"{file} can't be read ({error.strerror}): give a file of JSON Lines or CSV."
        raise UsageError(message) from None


def digest_of(sources: Sequence[ImportSource]) -> bytes:
    """Return the SHA-256 over all files: by it an import that broke off is known when it is run again."""
    whole = hashlib.sha256()
    for source in sources:
        source.stream.seek(0)
        whole.update(hashlib.file_digest(source.stream, "sha256").digest())  # type: ignore[arg-type]  # both kinds of stream have readinto
    return whole.digest()


def merged(sources: Sequence[ImportSource]) -> Iterator[Line]:
    """Return the lines of all files in order of `at`; of one instant, in the order of a life.

    The lines of one file keep their order; what has the same place in a life goes in the order of the files.

    The files have been checked: should one have changed since, the import stops before its first wrong line.

    Raises:
        UsageError: a file is not what was checked.

    """
    return heapq.merge(
        *(_checked(source) for source in sources),
        key=lambda line: (line.at, _PLACES.get(line.command, _MIDDLE)),
    )


def _checked(source: ImportSource) -> Iterator[Line]:
    for found in source.read():
        if isinstance(found, LineFault):
            message = (
                f"{found.file} was changed while it was imported: line {found.line} {found.message}. "
                "Run it again."
            )
            raise UsageError(message)
        yield found


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found: how many lines there are, how many are wrong, and where they lie in time."""

    lines: int
    faults: int
    last_at: datetime | None


def check_all(
    sources: Sequence[ImportSource],
    found: Callable[[LineFault], None],
    seen: Callable[[int], None] = lambda _: None,
    present: Callable[[], datetime | None] = lambda: None,
    known: Callable[[str], bool] = lambda _: False,
) -> Checked:
    """Check every line of every file; `found` is told of each fault, `seen` of how many lines were read.

    `present`: asked once, and only for a line that this machine's clock takes for the future: the book's
    present, or None where a book may run ahead. `known`: whether a command's id is on record, asked only
    where it is taken no more. Holds one line at a time, whatever the files' size.
    """
    latest = _Latest(machine_now(), cache(present))
    lines = faults = 0
    last_at: datetime | None = None
    for source in sources:
        for line in _faulty(source, latest, known):
            lines += 1
            if isinstance(line, LineFault):
                faults += 1
                found(line)
            elif last_at is None or line.at > last_at:
                last_at = line.at
            seen(lines)
    return Checked(lines, faults, last_at)


@dataclass(frozen=True, slots=True)
class _Latest:
    """Up to when an `at` may lie."""

    here: datetime
    present: Callable[[], datetime | None]

    def lies_before(self, at: datetime) -> bool:
        if at <= self.here:
            return False
        present = self.present()
        return present is not None and present < at


def _faulty(
    source: ImportSource, latest: _Latest, known: Callable[[str], bool]
) -> Iterator[Line | LineFault]:
    """Yield every line of one file, those that no command can be made of as faults."""
    before: datetime | None = None
    empty = True
    for line in source.read():
        empty = False
        if isinstance(line, LineFault):
            yield line
            continue
        wrong = []
        if latest.lies_before(line.at):
            wrong.append(_in_the_future(line))
        elif before is not None and line.at < before:
            wrong.append(
                f"at: {line.at.isoformat()} is earlier than the line before; lines are in order of `at`"
            )
        else:
            before = line.at
        try:
            check(_read(line, known), line.at)
        except Invalid as invalid:
            wrong.append(invalid.message)
        except Exception as error:  # noqa: BLE001 # a defect of ours at one line: told with its number
            wrong.append(f"it cannot be checked, by a defect of the ledger ({type_and_place(error)})")
        yield LineFault(line.file, line.line, "; ".join(wrong), line.command_id) if wrong else line
    if empty:
        yield LineFault(source.file, 1, "there is no command in this file")


def _read(line: Line, known: Callable[[str], bool]) -> Command:
    """Read a line's command, by what was asked at its time where it is on record. Raises Invalid."""
    try:
        return read_command(line.command, line.fields)
    except Invalid as invalid:
        if known(line.command_id):
            try:
                return read_command(line.command, line.fields, on_record=True)
            except Invalid:
                pass  # It was never taken: what is wrong today is told.
        raise invalid from None


def later_than(now: datetime, sources: Sequence[ImportSource], found: Callable[[LineFault], None]) -> int:
    """Report every line whose `at` lies in the future; return their number."""
    faults = 0
    for source in sources:
        for line in source.read():
            if isinstance(line, Line) and line.at > now:
                faults += 1
                found(LineFault(line.file, line.line, _in_the_future(line), line.command_id))
    return faults


def _in_the_future(line: Line) -> str:
    return f"at: {line.at.isoformat()} lies in the future"
