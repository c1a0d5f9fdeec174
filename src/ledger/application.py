"""The ledger itself: how a command becomes events (docs/architecture.md, 'The way of one command')."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from threading import Event as StopEvent
from typing import Any, Final
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory, Mapper
from eventsourcing.utils import Environment

from ledger.attempts import is_of_an_item
from ledger.command_batch import Batch, BatchDecision, ImportSession, Result, import_open
from ledger.command_envelope import Submission
from ledger.command_handler import Answer
from ledger.domain.event import PendingEvent
from ledger.domain.identifiers import StreamRef
from ledger.errors import CliError, Unavailable
from ledger.eventsourcing.factory import SharedFactory
from ledger.eventsourcing.mapper import LedgerMapper
from ledger.feed.reader import FeedEvent
from ledger.store.append import Leaves
from ledger.store.books import Books
from ledger.store.canonical import stream_id
from ledger.store.errors import (
    CommandExists,
    DatabaseRefused,
    DatabaseUnavailable,
    ImportOpen,
    NothingRecorded,
    OutcomeUnknown,
    SubjectErased,
    SubjectKeysMoved,
    VersionConflict,
)
from ledger.store.event_store import EventStore
from ledger.store.events import Appended, Commit, StreamHead, seal_personal
from ledger.store.keys import SubjectKey
from ledger.store.load import Loaded
from ledger.store.pool import Connection, Pool
from ledger.store.retry import is_transient
from ledger.supervision import moved
from ledger.webhooks.pull_subscriber import PullSubscriber

TRIES = 60
"""Times that a command is decided anew because others moved its streams; then it gives up."""

SHORTEST_WAIT_SECONDS = 0.002
LONGEST_WAIT_SECONDS = 0.25

CHUNK_STREAMS = 200
"""Streams that one commit of a sweep brings up to date at most."""

TRIES_WHEN_KEYS_MOVE: Final = 5

_OF_VALUES: Final = frozenset({"22", "23", "54", "P0"})
"""SQLSTATE classes of what a database has against values: not that it has no room, or takes no writes."""


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
        self.pool = pool
        super().__init__()

    def construct_factory(
        self,
        env: Environment,  # noqa: ARG002  # the wiring has settled all that it could say
    ) -> InfrastructureFactory[Any]:
        """Return the factory, whose recorders use the connections that are here."""
        return SharedFactory(self.pool, self.book, prepares=self.store.prepares)

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
        return _answer_in(self.handle(Batch([submission])).results)

    def submit_many(
        self, submissions: Sequence[Submission], session: ImportSession | None = None
    ) -> Sequence[Result]:
        """Take commands in their order, in one commit; return for each its answer, or why it has none.

        Each is answered as `submit` would answer it after those before it: what one of them meets touches no
        other. `session`: they are lines of this import. Raises, for all of them, what is no command's fault,
        as `submit` does.
        """
        if not submissions:
            return []
        try:
            return self.handle(Batch(submissions, session=session)).results
        except CliError:
            raise
        except Exception as error:
            if not _is_of_a_command(error):
                raise
            if session is not None:
                session.streams.clear()
            if len(submissions) == 1:
                return [error]
            middle = len(submissions) // 2
            return [
                *self.submit_many(submissions[:middle], session),
                *self.submit_many(submissions[middle:], session),
            ]

    def handle(self, batch: Batch) -> BatchDecision:
        """Load what a batch needs, decide it and append it, anew where others were faster.

        Raises as `submit`; and ImportOpen where the batch is not for others to answer.
        """
        lost = False
        for attempt in range(TRIES):
            try:
                return self._append(batch, self.store.load_many(self.book, *batch.wanted()))
            except (VersionConflict, CommandExists):
                batch.forget()
                wait(attempt)
            except OutcomeUnknown:
                # Whether it was committed is asked of the ledger, never guessed: loading looks the ids up.
                lost = True
                batch.forget()
                wait(attempt)
            except DatabaseUnavailable as error:
                if lost and batch.is_live:
                    raise Unavailable(_outcome_unknown(batch)) from error
                raise
        raise Unavailable(_outcome_unknown(batch) if lost else _conflicting(batch))

    def _append(self, batch: Batch, loaded: Loaded) -> BatchDecision:
        """Decide and append once. Raises VersionConflict, CommandExists, OutcomeUnknown."""
        while True:
            decision = batch.decide(loaded, partial(self.store.content_hmac, self.book))
            try:
                heads = self._commit(batch, decision, loaded)
            except SubjectErased as erased:
                batch.refuse_for(erased.person)
            except ImportOpen:
                if not batch.is_live:
                    raise
                return _held_up(batch, decision, self.book)
            except OutcomeUnknown:
                batch.sent = {*batch.sent, *decision.answers}
                raise
            else:
                if batch.session is not None:
                    batch.keep_streams(decision, heads)
                return decision

    def _commit(
        self, batch: Batch, decision: BatchDecision, loaded: Loaded
    ) -> Mapping[StreamRef, StreamHead]:
        """Record what was decided, if there is anything; return where the streams stand that moved."""
        if not decision.events and not decision.answers:
            return {}
        if batch.session is not None and self.import_id is None:
            self.import_id = batch.session.open()
        commit = batch.commit(decision, loaded, None if batch.is_live else self.import_id)
        heads = self.record(commit).heads
        clock_at = decision.book.clock_at
        if clock_at is not None and clock_at != loaded.book.clock_at:
            self.books.move_clock(self.book, clock_at)
        return heads

    def record(self, commit: Commit, connection: Connection | None = None) -> Appended:
        """Record a commit, whole or not at all, in one round trip (one more for personal data).

        `connection`: within the transaction that is under way there.

        Raises:
            VersionConflict, CommandExists, SubjectErased, ImportOpen, DatabaseUnavailable: nothing was
            recorded.
            OutcomeUnknown: the connection broke under way: ask `EventStore.answer_of`, never guess.

        """
        if not commit.events and not commit.answers:
            message = "a commit needs an event or an answer"
            raise NothingRecorded(message)
        if not commit.events:
            self.save(commit=commit, keys={}, leaves={}, connection=connection)
            return Appended((), commit.heads)
        for _ in range(TRIES_WHEN_KEYS_MOVE - 1):
            try:
                return self._save(commit, connection)
            except SubjectKeysMoved:
                continue
        return self._save(commit, connection)

    def _save(self, commit: Commit, connection: Connection | None) -> Appended:
        """Save a commit's events through `eventsourcing`, numbered and sealed."""
        keys = self.store.keys_for(commit.book, commit.events)
        events, leaves = _placed(commit, keys)
        self.save(*events, commit=commit, keys=keys, leaves=leaves, connection=connection)
        heads = dict(commit.heads)
        for event in events:
            leaf = leaves[stream_id(commit.book, event.stream), event.version]
            heads[event.stream] = StreamHead(event.version, leaf)
        return Appended(events, heads)

    def dry_run(self, submission: Submission) -> Answer:
        """Decide a command as `submit` would now, and record nothing. Raises StreamMoved as `submit` does."""
        batch = Batch([submission])
        loaded = self.store.load_many(self.book, *batch.wanted())
        content_hmac = partial(self.store.content_hmac, self.book)
        decision = batch.decide(loaded, content_hmac)
        try:
            self.store.keys_for(self.book, decision.events)
        except SubjectErased as erased:
            batch.refuse_for(erased.person)
            decision = batch.decide(loaded, content_hmac)
        return _answer_in(decision.results)

    def bring_up_to(self, streams: Sequence[StreamRef], until: datetime) -> int:
        """Record what time owes these streams up to and including `until`; number of events recorded.

        Raises:
            ImportOpen: an import holds the book that this ledger does not act for; time waits.

        """
        recorded = 0
        for begin in range(0, len(streams), CHUNK_STREAMS):
            batch = Batch(due=streams[begin : begin + CHUNK_STREAMS], until=until)
            recorded += len(self.handle(batch).events)
            moved()
        return recorded

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
            self.pool, self.book, name, after=after, types=types, stop=stop, follow=follow
        )
        return pulling.events()


def _answer_in(results: Sequence[Result]) -> Answer:
    """Return the one answer among results; raise where it is none."""
    [result] = results
    if isinstance(result, Exception):
        raise result
    return result


def _placed(commit: Commit, keys: Mapping[str, SubjectKey]) -> tuple[list[PendingEvent], Leaves]:
    """Return a commit's events numbered and sealed, and the leaf hashes that they are chained to."""
    book, events = commit.book, []
    versions = {ref: head.version for ref, head in commit.heads.items()}
    for event in commit.events:
        versions[event.stream] = version = versions.get(event.stream, 0) + 1
        placed = replace(
            event,
            version=version,
            originator_id=stream_id(book, event.stream),
            correlation_id=stream_id(book, event.contract or event.stream),
        )
        events.append(
            placed if event.subject is None else replace(placed, event=seal_personal(placed, book, keys))
        )
    leaves = {
        (stream_id(book, ref), head.version): head.leaf_hash
        for ref, head in commit.heads.items()
        if head.leaf_hash is not None
    }
    return events, leaves


def _held_up(batch: Batch, decision: BatchDecision, book: str) -> BatchDecision:
    """Answer that an import was opened meanwhile: nothing was recorded, and nothing is remembered."""
    results: list[Result] = []
    for submission, result in zip(batch.submissions, decision.results, strict=True):
        is_new = (submission.sender, submission.command_id) in decision.answers
        results.append(import_open(submission.command_id, book) if is_new else result)
    return BatchDecision(decision.book, results)


def _is_of_a_command(error: Exception) -> bool:
    """Whether it may lie with one command, and not with the book, the database or the machine."""
    if isinstance(error, DatabaseRefused):
        return (error.pgcode or "")[:2] in _OF_VALUES
    return is_of_an_item(error) and not is_transient(error)


def _outcome_unknown(batch: Batch) -> str:
    """Return the message that nobody knows yet, and how to find out."""
    if not batch.is_live:
        return _conflicting(batch)
    return (
        f"The database went away while {_named(batch)} was being recorded, so whether it "
        "was is not known: send it again under the same id, it will not be recorded twice."
    )


def _conflicting(batch: Batch) -> str:
    """Return the message that others were always faster."""
    if batch.session is not None:
        return (
            "The import meets conflicting writes again and again: run it again, it goes on where it stands."
        )
    if not batch.submissions:
        return f"Time could not act on {batch.due[0].name}: it moves on faster than it is read; sweep again."
    return (
        f"{_named(batch, 'Command')} met {TRIES} conflicting writes and was not recorded: "
        "send it again under the same id."
    )


def _named(batch: Batch, word: str = "command") -> str:
    first, *others = batch.submissions
    more = f" (and {len(others):,} sent with it)" if others else ""
    return f"{word} {first.command_id!r}{more}"


def wait(attempt: int) -> None:
    """Wait for a moment, longer each time and never in step with others."""
    longest = min(LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS * 2**attempt)
    time.sleep(random.uniform(0, longest))  # noqa: S311  # no secret: it only keeps writers apart
