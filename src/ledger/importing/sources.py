"""The files of an import: JSON Lines or CSV, several of them merged by `at`."""

import hashlib
import heapq
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

from ledger.endings import UsedWrongly
from ledger.importing.csv_rows import read_csv
from ledger.importing.json_lines import read_json_lines
from ledger.importing.lines import Fault, Line

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
class Source:
    """One file of commands, open for reading as often as needed."""

    file: str
    stream: BinaryIO
    command: str | None = None
    """Command of every row of a CSV that does not name it."""
    whole_amounts: set[str] = field(default_factory=set)
    """Columns of a CSV, seen so far, in which an amount is a whole number: of euro, or of cents."""

    def read(self) -> Iterator[Line | Fault]:
        """Read the file from its start, line by line."""
        self.stream.seek(0)
        if self.file.lower().endswith(".csv"):
            return read_csv(self.file, self.stream, self.command, self.whole_amounts)
        return read_json_lines(self.file, self.stream)


@contextmanager
def opened_sources(files: Sequence[str], command: str | None = None) -> Iterator[Sequence[Source]]:
    """Open the files for the time of an import; `-` is stdin, kept in a temporary file to be read twice.

    Raises:
        UsedWrongly: a file can't be read.

    """
    with ExitStack() as stack:
        yield [Source(file, stack.enter_context(_open(file)), command) for file in files]


def _open(file: str) -> BinaryIO:
    if file == STDIN:
        kept: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the other sources  # type: ignore[assignment]
        copyfileobj(sys.stdin.buffer, kept)
        return kept
    try:
        return Path(file).open("rb")
    except OSError as error:
        message = f"{file} can't be read ({error.strerror}): give a file of JSON Lines or CSV."
        raise UsedWrongly(message) from None


def digest_of(sources: Sequence[Source]) -> bytes:
    """Give the SHA-256 over all files: by it an import that broke off is known when it is run again."""
    whole = hashlib.sha256()
    for source in sources:
        source.stream.seek(0)
        whole.update(hashlib.file_digest(source.stream, "sha256").digest())  # type: ignore[arg-type]  # both kinds of stream have readinto
    return whole.digest()


def merged(sources: Sequence[Source]) -> Iterator[Line]:
    """Give the lines of all files in order of `at`; of one instant, in the order of a life.

    The lines of one file keep their order; what has the same place in a life goes in the order of the files.

    The files have been checked: should one have changed since, the import stops before its first wrong line.

    Raises:
        UsedWrongly: a file is not what was checked.

    """
    return heapq.merge(
        *(_checked(source) for source in sources),
        key=lambda line: (line.at, _PLACES.get(line.command, _MIDDLE)),
    )


def _checked(source: Source) -> Iterator[Line]:
    for found in source.read():
        if isinstance(found, Fault):
            message = (
                f"{found.file} was changed while it was imported: line {found.line} {found.message}. "
                "Run it again."
            )
            raise UsedWrongly(message)
        yield found
