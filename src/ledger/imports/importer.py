"""Records a checked import, chunk by chunk; broken off and run again, it records nothing twice."""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

import structlog

from ledger.application import Ledger
from ledger.attempts import is_of_an_item, type_and_place
from ledger.command_batch import ImportSession, Result
from ledger.command_envelope import LOCAL, Submission, content_of
from ledger.command_handler import Answer
from ledger.domain.registry import read_command
from ledger.errors import Rejected
from ledger.imports.lines import Line
from ledger.store.errors import ImportOpen

MOST_STREAMS: Final = 20_000
"""Some 6 kB a stream: the memory of an import is bounded."""

_log = structlog.get_logger(__name__)

CHUNK_LINES = 400
"""Commands that share one commit."""


class Importer:
    """Records the lines of one import in one book.

    The import is opened by the first chunk that records something, so that a repeated import writes nothing.
    While it is open it holds the book: others are told IMPORT_OPEN, and time waits at its last `at`.
    """

    def __init__(self, ledger: Ledger, digest: bytes, *, actor: str) -> None:
        """Import what has this digest; `actor`: whom lines that name nobody are recorded under.

        Raises:
            Rejected: another import is open.

        """
        self._ledger = ledger
        self._digest = digest
        self._actor = actor
        self._session = ImportSession(self._open, MOST_STREAMS)
        opened = ledger.books.row(ledger.book).open_import
        if opened is not None:
            if opened.digest != digest:
                raise Rejected(_other_import(ledger.book))
            ledger.import_id = opened.import_id

    @property
    def import_id(self) -> UUID | None:
        """The open import; None as long as nothing had to be recorded."""
        return self._ledger.import_id

    def record(self, lines: Iterable[Line]) -> Iterator[tuple[Line, Answer]]:
        """Record the lines, which have been checked and stand in order of `at`; gives each line's answer."""
        for chunk in _chunks(lines):
            yield from zip(chunk, self._record_chunk(chunk), strict=True)

    def _record_chunk(self, lines: list[Line]) -> Iterator[Answer]:
        read = [self._read(line) for line in lines]
        submissions = [one for one in read if isinstance(one, Submission)]
        try:
            results = iter(self._ledger.submit_many(submissions, self._session))
        except ImportOpen:
            raise Rejected(_taken_away(self._ledger.book)) from None
        for line, one in zip(lines, read, strict=True):
            result: Result = next(results) if isinstance(one, Submission) else one
            if isinstance(result, Exception):
                _log.error("import_line_failed", line=line.line, error=type_and_place(result))
                result = _failed(line, result)
            yield result

    def _read(self, line: Line) -> Submission | Exception:
        """Read a checked line's command, or return what nobody foresaw about it."""
        try:
            command = read_command(line.command, line.fields, on_record=True)
            content = content_of(line.command, line.fields, line.at)
        except Exception as error:
            if not is_of_an_item(error):
                raise
            return error
        return Submission(line.command_id, command, content, line.at, line.actor or self._actor, LOCAL)

    def _open(self) -> UUID:
        try:
            return self._ledger.books.open_import(self._ledger.book, self._digest).import_id
        except ImportOpen:
            raise Rejected(_other_import(self._ledger.book)) from None


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK_LINES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _failed(line: Line, error: Exception) -> Answer:
    """Answer a line that cannot be decided or recorded. The error's own text may quote a person."""
    message = (
        f"it met an error that nobody foresaw ({type_and_place(error)}): nothing of it was recorded. Import "
        "it again once that is put right."
    )
    return Answer(line.command_id, "failed", "INTERNAL_ERROR", message=message)


def _other_import(book: str) -> str:
    return (
        f"IMPORT_OPEN: another import is open on book {book!r}. Run that one again to finish it, "
        f"or give it up: coverledger import --abandon --book {book}"
    )


def _taken_away(book: str) -> str:
    return (
        f"IMPORT_OPEN: this import of book {book!r} was abandoned or another was opened meanwhile; "
        "what it had recorded stays. Run it again when the other one is done."
    )
