"""The whole import is checked before anything of it is recorded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from ledger.attempts import type_and_place
from ledger.clock import machine_now
from ledger.domain.commands import Command, check, read_command
from ledger.domain.refusals import Invalid
from ledger.importing.lines import Fault, Line
from ledger.importing.sources import Source


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found: how many lines there are, how many are wrong, and where they lie in time."""

    lines: int
    faults: int
    last_at: datetime | None


def check_all(
    sources: Sequence[Source],
    found: Callable[[Fault], None],
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
            if isinstance(line, Fault):
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


def _faulty(source: Source, latest: _Latest, known: Callable[[str], bool]) -> Iterator[Line | Fault]:
    """Give every line of one file, those that no command can be made of as faults."""
    before: datetime | None = None
    empty = True
    for line in source.read():
        empty = False
        if isinstance(line, Fault):
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
        yield Fault(line.file, line.line, "; ".join(wrong), line.command_id) if wrong else line
    if empty:
        yield Fault(source.file, 1, "there is no command in this file")


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


def later_than(now: datetime, sources: Sequence[Source], found: Callable[[Fault], None]) -> int:
    """Tell of every line whose `at` lies in the future; gives their number."""
    faults = 0
    for source in sources:
        for line in source.read():
            if isinstance(line, Line) and line.at > now:
                faults += 1
                found(Fault(line.file, line.line, _in_the_future(line), line.command_id))
    return faults


def _in_the_future(line: Line) -> str:
    return f"at: {line.at.isoformat()} lies in the future"
