"""A batch of commands: decided one after the other on streams in memory, to be recorded in one commit.

Pure: what was loaded goes in, answers and events come out. One command is a batch of one, an import's chunk a
large one, and what time owes some streams a batch without a command. Each command keeps an answer of its own.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hmac import compare_digest
from itertools import islice
from operator import attrgetter
from uuid import UUID

from ledger.clock import instant_of, present
from ledger.command_envelope import RecordEvent, StreamMoved, Submission
from ledger.command_handler import (
    Answer,
    Decision,
    StreamState,
    decide_command,
    invalid_answer,
    kept_answer,
    owed_by_time,
    repeated,
    stream_state,
    time_events,
)
from ledger.domain.event import PendingEvent, holds_personal_values
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid, Refusal
from ledger.domain.registry import check
from ledger.errors import ClockBehind
from ledger.store.errors import SubjectErased
from ledger.store.events import CommandAnswer, Commit, StreamHead
from ledger.store.load import BookRow, FirstAnswer, Loaded

Result = Answer | Exception
"""What came of one command of a batch: its answer, or why it has none."""

CommandKey = tuple[str, str]
"""Sender and command id."""


@dataclass(slots=True)
class ImportSession:
    """What an import keeps from one of its batches to the next. Its lines have been checked before."""

    open: Callable[[], UUID]
    """Opens the import, when the first of its batches records something. Raises what refuses it."""
    most_streams: int
    """Streams kept at most; of too many, those not used for longest are forgotten first."""
    streams: dict[StreamRef, StreamState] = field(default_factory=dict)
    """As the import left them."""
    erased: set[str] = field(default_factory=set)
    """Persons of whom nothing personal can be recorded."""


@dataclass(slots=True)
class BatchDecision:
    """What a batch makes happen: a result for each command, and what is to be recorded."""

    book: BookRow
    """As it stands after the commands: a simulated book's clock moves on with them."""
    results: list[Result] = field(default_factory=list)
    events: list[PendingEvent] = field(default_factory=list)
    answers: dict[CommandKey, CommandAnswer] = field(default_factory=dict)
    heads: dict[StreamRef, StreamHead] = field(default_factory=dict)
    """Where the streams that move stood before."""
    streams: dict[StreamRef, StreamState] = field(default_factory=dict)
    """The streams that move, as they stand after."""
    is_lived_in: bool = False
    """Whether a live command has recorded events, so that a held book's time goes on."""


class Batch:
    """Commands that are decided together, and streams that time is to act on."""

    def __init__(
        self,
        submissions: Sequence[Submission] = (),
        *,
        due: Sequence[StreamRef] = (),
        until: datetime | None = None,
        session: ImportSession | None = None,
    ) -> None:
        """`due`: streams that time acts on up to and including `until`. `session`: of the import."""
        self.submissions = submissions
        self.due = due
        self.until = until
        self.session = session
        self.is_live = session is None and bool(submissions)
        """Whether it is neither an import's nor time's."""
        self.sent: Collection[CommandKey] = ()
        """Keys in a commit of this batch whose acknowledgement was lost: found on record, they are ours."""
        self._streams: dict[StreamRef, StreamState] = {} if session is None else session.streams
        self._erased = set[str]() if session is None else session.erased

    def wanted(self) -> tuple[list[StreamRef], list[StreamRef], list[CommandKey]]:
        """Return what has to be loaded: streams, claims whose contract is wanted, keys of commands."""
        refs = [*self.due]
        claims: list[StreamRef] = []
        for submission in self.submissions:
            needs = submission.needs
            refs += needs.streams
            if needs.contract_of is not None:
                known = self._streams.get(needs.contract_of)
                if known is None:
                    claims.append(needs.contract_of)
                elif known.contract is not None:
                    refs.append(known.contract)
        keys = [(submission.sender, submission.command_id) for submission in self.submissions]
        missing = [ref for ref in dict.fromkeys(refs) if ref not in self._streams]
        return missing, list(dict.fromkeys(claims)), list(dict.fromkeys(keys))

    def forget(self) -> None:
        """Forget the streams: they are loaded anew."""
        self._streams.clear()

    def refuse_for(self, person: str) -> None:
        """From now on refuse what would record something personal of somebody who was erased."""
        self._erased.add(person)

    def keep_streams(self, decision: BatchDecision, heads: Mapping[StreamRef, StreamHead]) -> None:
        """Keep for the import's next batch the streams that this one used; `heads`: of those that moved."""
        streams, most = self._streams, 0 if self.session is None else self.session.most_streams
        for submission in self.submissions:
            for ref in submission.needs.streams:
                streams[ref] = streams.pop(ref)  # used last
        for ref, stream in decision.streams.items():
            streams.pop(ref, None)
            streams[ref] = stream.with_head(heads[ref])
        for ref in [*islice(streams, max(0, len(streams) - most))]:
            del streams[ref]

    def decide(self, loaded: Loaded, content_hmac: Callable[[bytes], bytes]) -> BatchDecision:
        """Decide all commands in order, then let time act. It may be done again on what was loaded."""
        self._streams |= {ref: stream_state(stream) for ref, stream in loaded.streams.items()}
        decision = BatchDecision(loaded.book)
        seen: dict[CommandKey, FirstAnswer] = {}
        for submission in self.submissions:
            key = submission.sender, submission.command_id
            first = seen.get(key) or loaded.answers.get(key)
            if first is None:
                result = self._decided(submission, loaded, decision, content_hmac)
                if key in decision.answers:
                    kept = decision.answers[key]
                    seen[key] = FirstAnswer(kept.content_hmac, kept.answer)
            else:
                result = _known(submission, first, content_hmac(submission.content))
                if key in self.sent and key not in seen and result.first_status is not None:
                    result = kept_answer(submission.command_id, first.answer)
                seen[key] = first
            decision.results.append(result)
        if self.until is not None:
            self._let_time_act(decision, self.until)
        return decision

    def _decided(
        self,
        submission: Submission,
        loaded: Loaded,
        decision: BatchDecision,
        content_hmac: Callable[[bytes], bytes],
    ) -> Result:
        """Decide a command whose id is new; where its answer is to be kept, the decision says so."""
        if self.session is None and loaded.book.open_import is not None:
            return import_open(submission.command_id, loaded.book.book)
        world = {ref: self._stream(ref, decision) for ref in self._streams_of(submission, decision)}
        command_id = submission.command_id
        try:
            at = self._instant(submission, world, decision.book, loaded.now)
            made = decide_command(
                submission.command, world, at, command_id=command_id, actor=submission.actor
            )
            self._refuse_erased(made)
        except Invalid as invalid:
            return invalid_answer(command_id, invalid)
        except (StreamMoved, ClockBehind) as error:
            return error
        except Refusal as refusal:
            answer = Answer(command_id, "refused", refusal.code, refusal.rule, refusal.message)
        except SubjectErased as erased:
            # Each as it has always been put: answers are kept verbatim.
            message = (
                str(erased)
                if self.session is None
                else f"Person {erased.person!r} was erased: record nothing personal on them."
            )
            answer = Answer(command_id, "refused", "SUBJECT_ERASED", "subject erase", message)
        else:
            answer = Answer(command_id, "recorded", events=made.answered)
            self._take(made.events, made.world, decision)
        decision.answers[submission.sender, submission.command_id] = CommandAnswer(
            submission.sender, submission.command_id, content_hmac(submission.content), answer.kept()
        )
        if self.session is None and not isinstance(submission.command, RecordEvent):
            decision.is_lived_in |= answer.status == "recorded"
            clock_at = decision.book.clock_at
            if clock_at is not None and at > clock_at:
                decision.book = replace(decision.book, clock_at=at)
        return answer

    def _refuse_erased(self, made: Decision) -> None:
        """Refuse what would record something personal although the person's key is gone."""
        for event in made.events:
            if (
                event.subject is not None
                and event.subject in self._erased
                and holds_personal_values(event.event)
            ):
                raise SubjectErased(event.subject)

    def _instant(
        self, submission: Submission, world: Mapping[StreamRef, StreamState], book: BookRow, now: datetime
    ) -> datetime:
        """Settle when a command happens, and check it. Raises Invalid, StreamMoved, ClockBehind."""
        if self.session is not None and submission.at is not None:
            return submission.at
        states = [stream.state for stream in world.values()]
        if isinstance(submission.command, RecordEvent):
            return max([present(book, now), *(state.last_at for state in states if state is not None)])
        if submission.if_versions is not None:
            own = submission.needs.streams[0]
            version = world[own].head.version
            if version not in submission.if_versions:
                raise StreamMoved(own.name, version)
        at = instant_of(submission.at, book, now, may_backdate=submission.may_backdate, streams=states)
        check(submission.command, at)
        if submission.invalid_if_new is not None:
            raise submission.invalid_if_new
        return at

    def _let_time_act(self, decision: BatchDecision, until: datetime) -> None:
        events: list[PendingEvent] = []
        for ref in self.due:
            stream = self._stream(ref, decision)
            owed = owed_by_time(stream, until)
            if owed:
                after = stream.after(owed)
                decision.heads[ref] = stream.head
                decision.streams[ref] = after
                events += time_events(owed, after.contract or ref)
        events.sort(key=attrgetter("at"))
        decision.events += events

    def _take(
        self,
        events: Sequence[PendingEvent],
        world: Mapping[StreamRef, StreamState],
        decision: BatchDecision,
    ) -> None:
        for event in events:
            if event.stream not in decision.heads:
                decision.heads[event.stream] = self._stream(event.stream, decision).head
            decision.streams[event.stream] = world[event.stream]
        decision.events += events

    def _streams_of(self, submission: Submission, decision: BatchDecision) -> Iterator[StreamRef]:
        needs = submission.needs
        yield from needs.streams
        if needs.contract_of is not None:
            contract = self._stream(needs.contract_of, decision).contract
            if contract is not None:
                yield contract

    def _stream(self, ref: StreamRef, decision: BatchDecision) -> StreamState:
        return decision.streams.get(ref) or self._streams.get(ref) or StreamState(StreamHead())

    def commit(self, decision: BatchDecision, loaded: Loaded, import_id: UUID | None) -> Commit:
        """Return what is to be recorded in one transaction."""
        clock_at = self.submissions[-1].at if self.session is not None and self.submissions else None
        return Commit(
            loaded.book.book,
            decision.events,
            decision.heads,
            [*decision.answers.values()],
            loaded.now,
            import_id=import_id,
            import_clock_at=clock_at,
            clears_hold=decision.is_lived_in and loaded.book.held_at is not None,
        )


def _known(submission: Submission, first: FirstAnswer, content_hmac: bytes) -> Answer:
    """Answer a command whose id is on record, or stood earlier in the batch."""
    if not compare_digest(content_hmac, first.content_hmac):
        return id_reused(submission.command_id)
    return repeated(kept_answer(submission.command_id, first.answer))


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
