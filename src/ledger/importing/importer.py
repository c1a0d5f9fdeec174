"""Records a checked import, chunk by chunk; broken off and run again, it records nothing twice."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import structlog

from ledger.answers import Answer
from ledger.application import TRIES, Ledger, wait
from ledger.attempts import is_of_an_item, type_and_place
from ledger.endings import Ending, Refused, Unreachable
from ledger.importing.cache import StreamCache
from ledger.importing.chunks import Chunk, Outcome, prepared
from ledger.importing.lines import Line
from ledger.store.commit import Commit
from ledger.store.errors import (
    CommandExists,
    DatabaseRefused,
    ImportOpen,
    OutcomeUnknown,
    SubjectErased,
    VersionConflict,
)
from ledger.store.loaded import Loaded
from ledger.store.patience import is_transient

_OF_VALUES = frozenset({"22", "23", "54", "P0"})
"""SQLSTATE classes of what a database has against values: not that it has no room, or takes no writes."""

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
            Refused: another import is open.

        """
        self._ledger = ledger
        self._digest = digest
        self._actor = actor
        self._cache = StreamCache()
        self._erased: set[str] = set()
        self.recorded_events = 0
        opened = ledger.books.row(ledger.book).open_import
        if opened is not None:
            if opened.digest != digest:
                raise Refused(_other_import(ledger.book))
            ledger.import_id = opened.import_id

    @property
    def import_id(self) -> UUID | None:
        """The open import; None as long as nothing had to be recorded."""
        return self._ledger.import_id

    def record(self, lines: Iterable[Line]) -> Iterator[tuple[Line, Answer]]:
        """Record the lines, which have been checked and stand in order of `at`; gives each line's answer."""
        for chunk in _chunks(lines):
            yield from zip(chunk, self._record_chunk(chunk), strict=True)

    def _record_chunk(self, lines: list[Line]) -> list[Answer]:
        """Record lines together; where one of them meets what nobody foresaw, the others without it."""
        try:
            return self._record_together(lines)
        except Ending:
            raise
        except Exception as error:
            if not _is_of_a_line(error):
                raise
            self._cache.forget()
            if len(lines) == 1:
                _log.error("import_line_failed", line=lines[0].line, error=type_and_place(error))
                return [_failed(lines[0], error)]
            middle = len(lines) // 2
            return [*self._record_chunk(lines[:middle]), *self._record_chunk(lines[middle:])]

    def _record_together(self, lines: list[Line]) -> list[Answer]:
        ledger = self._ledger
        ready = [
            prepared(line, lambda content: ledger.store.content_hmac(ledger.book, content), self._actor)
            for line in lines
        ]
        chunk = Chunk(ready, self._cache)
        ours = False
        for attempt in range(TRIES):
            refs, claims, ids = chunk.wanted()
            loaded = ledger.store.load_many(ledger.book, refs, claims, ids)
            outcome = chunk.decided(loaded, erased=self._erased, ours=ours)
            if not outcome.kept:
                self._cache.trim()
                return outcome.answers
            try:
                self._append(outcome, loaded, lines[-1].at)
            except (VersionConflict, CommandExists):
                self._cache.forget()
                wait(attempt)
            except SubjectErased as erased:
                self._erased.add(erased.person)
            except ImportOpen:
                raise Refused(_taken_away(ledger.book)) from None
            except OutcomeUnknown:
                ours = True
                self._cache.forget()
                wait(attempt)
            else:
                return outcome.answers
        message = (
            "The import meets conflicting writes again and again: run it again, it goes on where it stands."
        )
        raise Unreachable(message)

    def _append(self, outcome: Outcome, loaded: Loaded, clock_at: datetime) -> None:
        """Record one chunk and keep its streams as they stand after it."""
        ledger = self._ledger
        if ledger.import_id is None:
            try:
                ledger.import_id = ledger.books.open_import(ledger.book, self._digest).import_id
            except ImportOpen:
                raise Refused(_other_import(ledger.book)) from None
        commit = Commit(
            ledger.book,
            outcome.events,
            outcome.heads,
            outcome.kept,
            loaded.now,
            import_id=ledger.import_id,
            import_clock_at=clock_at,
        )
        appended = ledger.record(commit)
        self.recorded_events += len(outcome.events)
        self._cache.keep(
            {ref: stream.with_head(appended.heads[ref]) for ref, stream in outcome.world.items()}
        )
        self._cache.trim()


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == CHUNK_LINES:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _is_of_a_line(error: Exception) -> bool:
    """Whether it may lie with one line, and not with the book, the database or the machine."""
    if isinstance(error, DatabaseRefused):
        return (error.pgcode or "")[:2] in _OF_VALUES
    return is_of_an_item(error) and not is_transient(error)


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
