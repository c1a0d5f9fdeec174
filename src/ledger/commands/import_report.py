"""What an import says: malformed lines, progress with the rate, and which commands were refused."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from ledger.answers import Answer
from ledger.commands.options import is_interactive
from ledger.commands.output import console, discard_output, note, print_json_line
from ledger.endings import UsedWrongly
from ledger.importing.checking import Checked
from ledger.importing.lines import Fault, Line

if TYPE_CHECKING:
    from rich.progress import Progress

REDRAW_SECONDS = 0.1
LISTED_IDS = 3
"""Command ids that the table names for each kind of refusal."""


class FaultList:
    """Lists malformed lines as they are found, so that their number costs no memory."""

    def __init__(self, *, several: bool, as_json: bool) -> None:
        """`several`: whether lines are told apart by their file too."""
        self._several = several
        self._as_json = as_json

    def add(self, fault: Fault) -> None:
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
            UsedWrongly: with their number.

        """
        if checked.faults:
            lines = "1 line is" if checked.faults == 1 else f"{checked.faults:,} lines are"
            message = (
                f"{lines} malformed (listed above), so nothing was recorded: put them right and import again."
            )
            raise UsedWrongly(message)


def _place(file: str, line: int, *, several: bool) -> str:
    return f"{file}, line {line}" if several else f"line {line}"


class Reach(Protocol):
    """Something that is told how far a work has come."""

    def reach(self, done: int) -> None:
        """Say how many are done."""


class _Silence:
    def reach(self, done: int) -> None:
        """Say nothing: nobody watches."""


class _Bar:
    def __init__(self, shown: "Progress", task: int) -> None:
        self._shown, self._task = shown, task
        self._drawn = monotonic()
        self._begun = self._drawn

    def reach(self, done: int) -> None:
        now = monotonic()
        if now - self._drawn >= REDRAW_SECONDS:
            self._drawn = now
            rate = f"{done / (now - self._begun):,.0f}/s"
            self._shown.update(self._task, completed=done, rate=rate)  # type: ignore[arg-type]


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Reach]:
    """Show a bar with the rate on stderr, to a person only. `total`: None where it is not known."""
    if not is_interactive():
        yield _Silence()
        return
    from rich.progress import (  # noqa: PLC0415  # 0.1 s that a pipe need not pay
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    if total is not None:
        columns += [MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        yield _Bar(shown, shown.add_task(what, total=total, rate=""))


class Tally:
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
        """Say what came of it: in a sentence on stderr, and for people a table of the refusals."""
        seconds = max(monotonic() - self._begun, 0.001)
        parts = [f"{count:,} {status}" for status, count in sorted(self._statuses.items())]
        commands = "1 command" if self.done == 1 else f"{self.done:,} commands"
        note(f"{commands}: {', '.join(parts)}. {seconds:.1f} s, {self.done / seconds:,.0f}/s.")
        if self._refusals and not self._as_json:
            from ledger.commands.output import print_table  # noqa: PLC0415

            rows = [
                (code, count, ", ".join(self._named[code]) + (" …" if count > LISTED_IDS else ""))
                for code, count in self._refusals.most_common()
            ]
            print_table(("Refused by", "Commands", "Command ids"), rows)
        sys.stdout.flush()
