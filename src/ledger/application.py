"""The ledger itself: how a command becomes events (docs/architecture.md, 'The way of one command')."""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from hmac import compare_digest
from threading import Event as StopEvent
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, Mapper
from eventsourcing.utils import Environment

from ledger.clock import instant_of
from ledger.command_envelope import StreamMoved, Submission
from ledger.command_handler import (
    Answer,
    decide_command,
    invalid_answer,
    kept_answer,
    owed_by_time,
    repeated,
    stream_state,
    time_events,
)
from ledger.domain.dispatch import needs
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid, Refusal
from ledger.domain.registry import check
from ledger.errors import Unavailable
from ledger.eventsourcing.factory import SharedFactory
from ledger.eventsourcing.mapper import LedgerMapper
from ledger.feed.reader import FeedEvent
from ledger.store.books import Books
from ledger.store.errors import (
    CommandExists,
    ImportOpen,
    OutcomeUnknown,
    SubjectErased,
    VersionConflict,
)
from ledger.store.errors import DatabaseUnavailable as DatabaseAway
from ledger.store.event_store import EventStore
from ledger.store.events import Appended, CommandAnswer, Commit, NewEvent
from ledger.store.load import FirstAnswer, Loaded
from ledger.store.pool import Pool
from ledger.supervision import moved
from ledger.webhooks.pull_subscriber import PullSubscriber

TRIES = 60
"""Times that a command is decided anew because others moved its streams; then it gives up."""

SHORTEST_WAIT_SECONDS = 0.002
LONGEST_WAIT_SECONDS = 0.25

CHUNK_STREAMS = 200
"""Streams that one commit of a sweep brings up to date at most."""


class Ledger(Application[UUID]):
    """One book: takes commands, decides them against its streams, records what they make happen.

    As an application of `eventsourcing` it has a notification log of what is sealed and can be subscribed to.
    """

    def __init__(self, store: EventStore, books: Books, book: str, pool: Pool) -> None:
        """Write to `book` through `store`; `books` keep its clock, `pool` reads its feed."""
        self.store = store
        self.books = books
        self.book = book
        self.import_id: UUID | None = None
        """The open import on whose behalf this ledger acts; set by the import alone."""
        self._pool = pool
        super().__init__()

    def construct_factory(
        self,
        env: Environment,  # noqa: ARG002  # the wiring has settled all that it could say
    ) -> InfrastructureFactory[Any]:
        """Return the factory whose recorder takes the ledger's commits."""
        return SharedFactory(self.store, self._pool, self.book)

    def construct_mapper(self) -> Mapper[UUID]:
        """Return the mapper that stores stable names and validates and upcasts what it reads."""
        return LedgerMapper(transcoder=self.construct_transcoder())

    def submit(self, submission: Submission) -> Answer:
        """Take one command: record what it makes happen, or say by which rule it is refused.

        Sent again under the same id, it gives the first answer as `repeated` and records nothing. The answer
        is given only once it is durable. A refusal is remembered; what is `invalid` leaves no trace.

        Raises:
            Unavailable: too many others write to the same streams, or the database went away under way.
            ClockBehind: the clock was set back behind its streams, and the command names no instant.
            ledger.store.errors.DatabaseUnavailable: the database is away. The command may be sent again
            under its id.
            ledger.command_envelope.StreamMoved: the stream is at none of the versions that the sender names.

        """
        lost = False
        for attempt in range(TRIES):
            try:
                return self._answered(submission, first_time=lost)
            except (VersionConflict, CommandExists):
                wait(attempt)
            except OutcomeUnknown:
                # Whether it was committed is asked of the ledger, never guessed: loading looks the id up.
                lost = True
                wait(attempt)
            except DatabaseAway as error:
                if lost:
                    raise Unavailable(_outcome_unknown(submission)) from error
                raise
        if lost:
            raise Unavailable(_outcome_unknown(submission))
        message = (
            f"Command {submission.command_id!r} met {TRIES} conflicting writes and was not recorded: "
            "send it again under the same id."
        )
        raise Unavailable(message)

    def _answered(self, submission: Submission, *, first_time: bool) -> Answer:
        """Load, decide and record once. Raises VersionConflict, CommandExists, OutcomeUnknown."""
        loaded = self._load(submission)
        if loaded.answer is not None:
            return self._known(submission, loaded.answer, first_time=first_time)
        answer, commit = self._decided(submission, loaded)
        if commit is None:
            return answer
        try:
            self.record(commit)
        except SubjectErased as erased:
            answer = _refused(submission, "SUBJECT_ERASED", "subject erase", str(erased))
            self.record(self._commit(submission, loaded, answer, ()))
        except ImportOpen:
            return import_open(submission.command_id, self.book)
        self._move_clock(loaded, submission)
        return answer

    def record(self, commit: Commit) -> Appended:
        """Record a commit, whole or not at all. Raises what `EventStore.append` raises."""
        appended: list[Appended] = []
        self.save(commit=commit, appended=appended)
        return appended[0]

    def dry_run(self, submission: Submission) -> Answer:
        """Decide a command as `submit` would now, and record nothing. Raises StreamMoved as `submit` does."""
        loaded = self._load(submission)
        if loaded.answer is not None:
            return self._known(submission, loaded.answer)
        answer, commit = self._decided(submission, loaded)
        try:
            if commit is not None:
                self.store.refuse_erased(commit)
        except SubjectErased as erased:
            return _refused(submission, "SUBJECT_ERASED", "subject erase", str(erased))
        return answer

    def bring_up_to(self, streams: Sequence[StreamRef], until: datetime) -> int:
        """Record what time owes these streams up to and including `until`; number of events recorded.

        Raises:
            ImportOpen: an import holds the book that this ledger does not act for; time waits.

        """
        recorded = 0
        for begin in range(0, len(streams), CHUNK_STREAMS):
            recorded += self._bring_chunk_up_to(streams[begin : begin + CHUNK_STREAMS], until)
            moved()
        return recorded

    def _bring_chunk_up_to(self, streams: Sequence[StreamRef], until: datetime) -> int:
        for attempt in range(TRIES):
            loaded = self.store.load_many(self.book, streams)
            heads = {}
            events: list[NewEvent] = []
            for ref in streams:
                stream = stream_state(loaded.streams[ref])
                owed = owed_by_time(stream, until)
                if owed:
                    heads[ref] = stream.head
                    events += time_events(owed, stream.after(owed).contract or ref)
            if not events:
                return 0
            events.sort(key=lambda event: event.entry.at)
            try:
                self.record(Commit(self.book, events, heads, (), loaded.now, import_id=self.import_id))
            except VersionConflict:
                wait(attempt)
            except OutcomeUnknown:
                continue  # Loading anew tells: what was recorded is owed no more.
            else:
                return len(events)
        message = f"Time could not act on {streams[0].name}: it moves on faster than it is read; sweep again."
        raise Unavailable(message)

    def subscribe(
        self,
        name: str,
        *,
        after: int | str = -1,
        types: Sequence[str] | None = None,
        stop: StopEvent | None = None,
        follow: bool = True,
    ) -> Iterator[FeedEvent]:
        """Return the book's sealed events in order, under a name that keeps its place (docs/subscribe.md).

            for event in ledger.subscribe("ledger-to-erp"):
                book_in_erp(event)

        Asking for the next event commits the one before: what broke off is given again. See `Pulling`.
        """
        pulling = PullSubscriber(
            self._pool, self.book, name, after=after, types=types, stop=stop, follow=follow
        )
        return pulling.events()

    def _load(self, submission: Submission) -> Loaded:
        return self.store.load(self.book, needs(submission.command), submission.command_id, submission.sender)

    def _known(self, submission: Submission, first: FirstAnswer, *, first_time: bool = False) -> Answer:
        """Answer a command whose id is on record.

        `first_time`: its own commit came through, and only the acknowledgement was lost.
        """
        if not self._same_content(submission, first):
            return id_reused(submission.command_id)
        answer = kept_answer(submission.command_id, first.answer)
        return answer if first_time else repeated(answer)

    def _move_clock(self, loaded: Loaded, submission: Submission) -> None:
        """Move a simulated book's clock on to a command that happens later."""
        clock_at = loaded.book.clock_at
        if clock_at is not None:
            states = [stream_state(stream).state for stream in loaded.streams.values()]
            at = instant_of(submission.at, loaded.book, loaded.now, may_backdate=True, streams=states)
            if at > clock_at:
                self.books.move_clock(self.book, at)

    def _same_content(self, submission: Submission, first: FirstAnswer) -> bool:
        return compare_digest(self.store.content_hmac(self.book, submission.content), first.content_hmac)

    def _decided(self, submission: Submission, loaded: Loaded) -> tuple[Answer, Commit | None]:
        """Decide one command; a commit there is unless nothing is to be remembered."""
        if loaded.book.open_import is not None:
            return import_open(submission.command_id, self.book), None
        _refuse_a_moved_stream(submission, loaded)
        world = {ref: stream_state(stream) for ref, stream in loaded.streams.items()}
        try:
            at = instant_of(
                submission.at,
                loaded.book,
                loaded.now,
                may_backdate=submission.may_backdate,
                streams=[stream.state for stream in world.values()],
            )
            check(submission.command, at)
        except Invalid as invalid:
            return invalid_answer(submission.command_id, invalid), None
        if submission.invalid_if_new is not None:
            return invalid_answer(submission.command_id, submission.invalid_if_new), None
        try:
            decision = decide_command(
                submission.command, world, at, command_id=submission.command_id, actor=submission.actor
            )
        except Refusal as refusal:
            answer = _refused(submission, refusal.code, refusal.rule, refusal.message)
            return answer, self._commit(submission, loaded, answer, ())
        answer = Answer(submission.command_id, "recorded", events=decision.answered)
        return answer, self._commit(submission, loaded, answer, decision.events)

    def _commit(
        self, submission: Submission, loaded: Loaded, answer: Answer, events: Sequence[NewEvent]
    ) -> Commit:
        kept = CommandAnswer(
            submission.sender,
            submission.command_id,
            self.store.content_hmac(self.book, submission.content),
            answer.kept(),
        )
        touched = {event.entry.stream for event in events}
        heads = {ref: stream.head for ref, stream in loaded.streams.items() if ref in touched}
        return Commit(
            self.book,
            events,
            heads,
            (kept,),
            loaded.now,
            clears_hold=bool(events) and loaded.book.held_at is not None,
        )


def id_reused(command_id: str) -> Answer:
    """Answer a command whose id stands for another command already (I10)."""
    message = (
        f"Command id {command_id!r} stands for another command already: choose a new id, or send what it was."
    )
    return Answer(command_id, "refused", "ID_REUSED", "I10", message)


def import_open(command_id: str, book: str) -> Answer:
    """Answer a command while an import holds the book; it is not remembered and may be sent again."""
    message = (
        f"An import is open on book {book!r}: run it again to finish it, or give it up with "
        f"`coverledger import --abandon --book {book}`; then send the command again."
    )
    return Answer(command_id, "refused", "IMPORT_OPEN", "import", message)


def _refuse_a_moved_stream(submission: Submission, loaded: Loaded) -> None:
    """Ensure that the sender has seen the stream as it stands. Raises StreamMoved."""
    if submission.if_versions is None:
        return
    own = needs(submission.command).streams[0]
    version = loaded.streams[own].head.version
    if version not in submission.if_versions:
        raise StreamMoved(own.name, version)


def _outcome_unknown(submission: Submission) -> str:
    """Return the message that nobody knows yet, and how to find out."""
    return (
        f"The database went away while command {submission.command_id!r} was being recorded, so whether it "
        "was is not known: send it again under the same id, it will not be recorded twice."
    )


def _refused(submission: Submission, code: str, rule: str, message: str) -> Answer:
    return Answer(submission.command_id, "refused", code, rule, message)


def wait(attempt: int) -> None:
    """Wait for a moment, longer each time and never in step with others."""
    longest = min(LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS * 2**attempt)
    time.sleep(random.uniform(0, longest))  # noqa: S311  # no secret: it only keeps writers apart
