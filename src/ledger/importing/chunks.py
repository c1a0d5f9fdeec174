"""One chunk of an import: decided line by line in memory, to be recorded in one commit."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import NamedTuple

from ledger.answers import Answer, kept_answer, repeated
from ledger.application import id_reused
from ledger.decision import Decision, Standing, decide_command, standing
from ledger.domain.commands import Command, read_command
from ledger.domain.deciding import Needs, needs
from ledger.domain.event import holds_personal_values
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Refusal
from ledger.importing.cache import StreamCache
from ledger.importing.lines import Line
from ledger.store.commit import CommandAnswer, NewEvent, StreamHead
from ledger.store.loaded import Loaded
from ledger.submission import LOCAL, content_of


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
class Outcome:
    """What a chunk makes happen: an answer a line, and what is to be recorded."""

    answers: list[Answer] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    kept: list[CommandAnswer] = field(default_factory=list)
    heads: dict[StreamRef, StreamHead] = field(default_factory=dict)
    """Where the streams that move stood before."""
    world: dict[StreamRef, Standing] = field(default_factory=dict)
    """The streams that move, as they stand after."""


class Chunk:
    """Lines that are decided together, against streams that one query loads."""

    def __init__(self, lines: Sequence[Prepared], cache: StreamCache) -> None:
        """Decide these lines against the streams in the cache and those still to be loaded."""
        self.lines = lines
        self._cache = cache

    def wanted(self) -> tuple[list[StreamRef], list[StreamRef], list[tuple[str, str]]]:
        """Name what has to be loaded: streams, claims whose contract is wanted, ids of commands."""
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

    def decided(self, loaded: Loaded, *, erased: Collection[str] = (), ours: bool = False) -> Outcome:
        """Decide all lines in order.

        `erased`: persons of whom nothing personal can be recorded. `ours`: what is on record already came
        from this very chunk, whose acknowledgement was lost.
        """
        self._cache.keep({ref: standing(stream) for ref, stream in loaded.streams.items()})
        outcome = Outcome()
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

    def _decide(self, line: Prepared, outcome: Outcome, erased: Collection[str]) -> Answer:
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

    def _streams_of(self, line: Prepared, outcome: Outcome) -> Iterator[StreamRef]:
        yield from line.needs.streams
        if line.needs.contract_of is not None:
            contract = self._standing(line.needs.contract_of, outcome).contract
            if contract is not None:
                yield contract

    def _standing(self, ref: StreamRef, outcome: Outcome) -> Standing:
        found = outcome.world.get(ref) or self._cache.get(ref)
        return found if found is not None else Standing(StreamHead())


def _again(line: Prepared, content_hmac: bytes, answer: Answer) -> Answer:
    """Answer a line whose id is on record, or stood on an earlier line."""
    if not compare_digest(content_hmac, line.content_hmac):
        return id_reused(line.line.command_id)
    return repeated(answer)


def _first_erased(decision: Decision, erased: Collection[str]) -> str | None:
    """Name a person of whom the decision would record something personal although their key is gone."""
    if not erased:
        return None
    subjects: Iterable[str | None] = (
        new.entry.subject for new in decision.events if holds_personal_values(new.entry.event)
    )
    return next((subject for subject in subjects if subject in erased), None)
