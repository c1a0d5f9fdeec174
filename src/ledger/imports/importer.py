"""Records a checked import, chunk by chunk; broken off and run again, it records nothing twice."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from ledger.application import TRIES, Ledger, id_reused, wait
from ledger.attempts import is_of_an_item, type_and_place
from ledger.command_envelope import LOCAL, content_of
from ledger.command_handler import (
    Answer,
    Decision,
    StreamState,
    decide_command,
    kept_answer,
    repeated,
    stream_state,
)
from ledger.domain.command import Command
from ledger.domain.dispatch import Needs, needs
from ledger.domain.event import holds_personal_values
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Refusal
from ledger.domain.registry import read_command
from ledger.errors import CliError, Rejected, Unavailable
from ledger.imports.lines import Line
from ledger.store.errors import (
    CommandExists,
    DatabaseRefused,
    ImportOpen,
    OutcomeUnknown,
    SubjectErased,
    VersionConflict,
)
from ledger.store.events import CommandAnswer, Commit, NewEvent, StreamHead
from ledger.store.load import Loaded
from ledger.store.retry import is_transient

MOST_STREAMS: Final = 20_000
"""Some 6 kB a stream: the memory of an import is bounded."""


class StreamCache:
    """Streams as this import left them; the ones not used for longest are forgotten first."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        """Keep at most so many streams."""
        self._most = most
        self._kept: OrderedDict[StreamRef, StreamState] = OrderedDict()

    def get(self, ref: StreamRef) -> StreamState | None:
        """Return a stream, None where it has to be loaded."""
        found = self._kept.get(ref)
        if found is not None:
            self._kept.move_to_end(ref)
        return found

    def missing(self, refs: Iterable[StreamRef]) -> list[StreamRef]:
        """Return those that have to be loaded, each once."""
        return [ref for ref in dict.fromkeys(refs) if ref not in self._kept]

    def keep(self, streams: Mapping[StreamRef, StreamState]) -> None:
        """Keep streams as they stand now."""
        self._kept.update(streams)

    def trim(self) -> None:
        """Forget what is too much; only between chunks, so that a chunk finds all that it loaded."""
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forget all: somebody else has written."""
        self._kept.clear()


class Prepared(NamedTuple):
    """A line whose command has been read."""

    line: Line
    command: Command
    needs: Needs
    content_hmac: bytes
    actor: str


def prepared(line: Line, hmac_of: Callable[[bytes], bytes], actor: str) -> Prepared:
    """Read a checked line's command. `actor`: whom to record it under where the line names nobody."""
    command = read_command(line.command, line.fields, on_record=True)
    content = hmac_of(content_of(line.command, line.fields, line.at))
    return Prepared(line, command, needs(command), content, line.actor or actor)


@dataclass(slots=True)
class ChunkDecision:
    """What a chunk makes happen: an answer a line, and what is to be recorded."""

    answers: list[Answer] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    kept: list[CommandAnswer] = field(default_factory=list)
    heads: dict[StreamRef, StreamHead] = field(default_factory=dict)
    """Where the streams that move stood before."""
    world: dict[StreamRef, StreamState] = field(default_factory=dict)
    """The streams that move, as they stand after."""


class Chunk:
    """Lines that are decided together, against streams that one query loads."""

    def __init__(self, lines: Sequence[Prepared], cache: StreamCache) -> None:
        """Decide these lines against the streams in the cache and those still to be loaded."""
        self.lines = lines
        self._cache = cache

    def wanted(self) -> tuple[list[StreamRef], list[StreamRef], list[tuple[str, str]]]:
        """Return what has to be loaded: streams, claims whose contract is wanted, ids of commands."""
        refs: list[StreamRef] = []
        claims: list[StreamRef] = []
        for line in self.lines:
            refs += line.needs.streams
            claim = line.needs.contract_of
            if claim is not None:
                known = self._cache.get(claim)
                if known is None:
                    claims.append(claim)
                elif known.contract is not None:
                    refs.append(known.contract)
        ids = [(LOCAL, line.line.command_id) for line in self.lines]
        return self._cache.missing(refs), list(dict.fromkeys(claims)), list(dict.fromkeys(ids))

    def decided(self, loaded: Loaded, *, erased: Collection[str] = (), ours: bool = False) -> ChunkDecision:
        """Decide all lines in order.

        `erased`: persons of whom nothing personal can be recorded. `ours`: what is on record already came
        from this very chunk, whose acknowledgement was lost.
        """
        self._cache.keep({ref: stream_state(stream) for ref, stream in loaded.streams.items()})
        outcome = ChunkDecision()
        answered: dict[str, tuple[bytes, Answer]] = {}
        for line in self.lines:
            command_id = line.line.command_id
            first = loaded.answers.get((LOCAL, command_id))
            if command_id in answered:
                outcome.answers.append(_again(line, *answered[command_id]))
            elif first is not None:
                answer = kept_answer(command_id, first.answer)
                answered[command_id] = (first.content_hmac, answer)
                again = _again(line, first.content_hmac, answer)
                outcome.answers.append(answer if ours and again.status == "repeated" else again)
            else:
                answer = self._decide(line, outcome, erased)
                answered[command_id] = (line.content_hmac, answer)
                outcome.answers.append(answer)
                outcome.kept.append(CommandAnswer(LOCAL, command_id, line.content_hmac, answer.kept()))
        return outcome

    def _decide(self, line: Prepared, outcome: ChunkDecision, erased: Collection[str]) -> Answer:
        command_id = line.line.command_id
        world = {ref: self._standing(ref, outcome) for ref in self._streams_of(line, outcome)}
        try:
            decision = decide_command(
                line.command, world, line.line.at, command_id=command_id, actor=line.actor
            )
        except Refusal as refusal:
            return Answer(command_id, "refused", refusal.code, refusal.rule, refusal.message)
        person = _first_erased(decision, erased)
        if person is not None:
            message = f"Person {person!r} was erased: record nothing personal on them."
            return Answer(command_id, "refused", "SUBJECT_ERASED", "subject erase", message)
        for new in decision.events:
            ref = new.entry.stream
            if ref not in outcome.heads:
                outcome.heads[ref] = self._standing(ref, outcome).head
            outcome.world[ref] = decision.world[ref]
        outcome.events += decision.events
        return Answer(command_id, "recorded", events=decision.answered)

    def _streams_of(self, line: Prepared, outcome: ChunkDecision) -> Iterator[StreamRef]:
        yield from line.needs.streams
        if line.needs.contract_of is not None:
            contract = self._standing(line.needs.contract_of, outcome).contract
            if contract is not None:
                yield contract

    def _standing(self, ref: StreamRef, outcome: ChunkDecision) -> StreamState:
        found = outcome.world.get(ref) or self._cache.get(ref)
        return found if found is not None else StreamState(StreamHead())


def _again(line: Prepared, content_hmac: bytes, answer: Answer) -> Answer:
    """Answer a line whose id is on record, or stood on an earlier line."""
    if not compare_digest(content_hmac, line.content_hmac):
        return id_reused(line.line.command_id)
    return repeated(answer)


def _first_erased(decision: Decision, erased: Collection[str]) -> str | None:
    """Return a person of whom the decision would record something personal although their key is gone."""
    if not erased:
        return None
    subjects: Iterable[str | None] = (
        new.entry.subject for new in decision.events if holds_personal_values(new.entry.event)
    )
    return next((subject for subject in subjects if subject in erased), None)


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
            Rejected: another import is open.

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

    def _record_chunk(self, lines: list[Line]) -> list[Answer]:
        """Record lines together; where one of them meets what nobody foresaw, the others without it."""
        try:
            return self._record_together(lines)
        except CliError:
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
                raise Rejected(_taken_away(ledger.book)) from None
            except OutcomeUnknown:
                ours = True
                self._cache.forget()
                wait(attempt)
            else:
                return outcome.answers
        message = (
            "The import meets conflicting writes again and again: run it again, it goes on where it stands."
        )
        raise Unavailable(message)

    def _append(self, outcome: ChunkDecision, loaded: Loaded, clock_at: datetime) -> None:
        """Record one chunk and keep its streams as they stand after it."""
        ledger = self._ledger
        if ledger.import_id is None:
            try:
                ledger.import_id = ledger.books.open_import(ledger.book, self._digest).import_id
            except ImportOpen:
                raise Rejected(_other_import(ledger.book)) from None
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
