"""A ledger without a store: the domain alone, its streams in a dictionary."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

from ledger.domain.calendar import BRUSSELS, brussels_midnight
from ledger.domain.claim.state import Claim
from ledger.domain.command import read_instant
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract.state import Contract, LimitRow, limit_rows
from ledger.domain.deadlines import Deadline
from ledger.domain.dispatch import State, decide, elapse, fold, needs
from ledger.domain.event import PendingEvent, RecordedEvent
from ledger.domain.identifiers import StreamRef, claim_ref, complaint_ref, contract_ref
from ledger.domain.refusals import Invalid, Refusal
from ledger.domain.registry import check, read_command
from ledger.domain.terms import packaged_terms

EXAMPLES = Path(__file__).parents[2] / "examples"


def instant(text: str) -> datetime:
    """Read `2025-03-01`, `2025-03-01T10:00` (both Brussels time) or an instant with its offset, as UTC."""
    if len(text) == len("2025-03-01"):
        return brussels_midnight(date.fromisoformat(text))
    if len(text) == len("2025-03-01T10:00"):
        return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS).astimezone(UTC)
    return read_instant(text).astimezone(UTC)


class InMemoryLedger:
    """Streams, their states, and the whole history in order of recording."""

    def __init__(self) -> None:
        self.states: dict[StreamRef, State] = {}
        self.history: list[RecordedEvent] = []
        self.entries: list[PendingEvent] = []
        self._versions: dict[StreamRef, int] = {}

    def submit(self, name: str, fields: Mapping[str, object], at: str | datetime) -> Mapping[str, object]:
        """Submit a command; answer as `submit` does, without versions."""
        moment = instant(at) if isinstance(at, str) else at
        try:
            command = read_command(name, fields)
            check(command, moment)
        except Invalid as invalid:
            return {"status": "invalid", "message": invalid.message}
        wanted = needs(command)
        refs = list(wanted.streams)
        if wanted.contract_of is not None:
            claim = self.states.get(wanted.contract_of)
            if isinstance(claim, Claim) and contract_ref(claim.contract) not in refs:
                refs.append(contract_ref(claim.contract))
        world: dict[StreamRef, State | None] = {ref: self.states.get(ref) for ref in refs}
        owed: list[PendingEvent] = []
        for ref, state in world.items():
            if state is not None:
                entries = elapse(state, moment)
                owed.extend(entries)
                world[ref] = folded(state, entries)
        try:
            entries = decide(command, world, moment)
        except Refusal as refusal:
            return {"status": "refused", "code": refusal.code, "message": refusal.message}
        self.record([*owed, *entries])
        return {"status": "recorded", "events": [e.event.stable_name for e in entries if not e.by_time]}

    def elapse(self, until: str | datetime) -> None:
        """Bring every stream up to an instant, inclusive."""
        moment = instant(until) if isinstance(until, str) else until
        for state in list(self.states.values()):
            self.record(elapse(state, moment))

    def record(self, entries: Iterable[PendingEvent]) -> None:
        """Append entries to their streams."""
        for entry in entries:
            version = self._versions.get(entry.stream, 0) + 1
            recorded = RecordedEvent(entry.stream, version, entry.event, entry.effective_on, entry.at)
            state = fold(self.states.get(entry.stream), recorded)
            assert state is not None
            self._versions[entry.stream] = version
            self.states[entry.stream] = state
            self.history.append(recorded)
            self.entries.append(entry)

    def contract(self, number: str) -> Contract:
        state = self.states[contract_ref(number)]
        assert isinstance(state, Contract)
        return state

    def claim(self, number: str) -> Claim:
        state = self.states[claim_ref(number)]
        assert isinstance(state, Claim)
        return state

    def complaint(self, number: str) -> Complaint:
        state = self.states[complaint_ref(number)]
        assert isinstance(state, Complaint)
        return state

    def limit(self, contract: str, year: int, guarantee: str) -> LimitRow:
        rows = limit_rows(self.contract(contract), packaged_terms())
        return next(row for row in rows if row.insurance_year == year and row.guarantee == guarantee)

    def rows(self, ref: StreamRef, kind: str) -> Sequence[Deadline]:
        return [row for row in self.states[ref].deadlines if row.kind == kind]


def folded(state: State, entries: Iterable[PendingEvent]) -> State:
    """Fold entries of one stream onto its state."""
    for entry in entries:
        after = fold(state, RecordedEvent(entry.stream, 0, entry.event, entry.effective_on, entry.at))
        assert after is not None
        state = after
    return state


def contract_row(contract: Contract) -> Mapping[str, object]:
    return {
        "contract": contract.number,
        "status": contract.status,
        "starts_on": str(contract.starts_on),
        "ends_on": str(contract.ends_on),
        "notice_gate_on": str(contract.notice_gate_on),
        "term": contract.term,
    }


def claim_row(claim: Claim) -> Mapping[str, object]:
    return {
        "claim": claim.number,
        "contract": claim.contract,
        "guarantee": claim.guarantee,
        "status": claim.status,
        "incident_on": str(claim.incident_on),
        "insurance_year": claim.insurance_year,
        "loss_cents": claim.loss_cents,
        "excess_cents": claim.excess_cents,
        "approved_cents": claim.approved_cents,
        "refunded_cents": claim.refunded_cents,
        "recovered_cents": claim.recovered_cents,
        "rejection_code": claim.rejection_code,
    }


def limit_row(row: LimitRow) -> Mapping[str, object]:
    fields = json.loads(json.dumps(asdict(row), default=str))
    for unlisted in ("to_on", "amount_reserved_cents", "count_reserved"):
        del fields[unlisted]
    return dict(fields)


def due_row(row: Deadline) -> Mapping[str, object]:
    return {
        "subject": row.subject.subject,
        "kind": row.kind,
        "raw_due_on": str(row.raw_due_on),
        "due_on": str(row.due_on),
        "alert_on": str(row.alert_on),
        "status": row.status,
        "met_on": None if row.met_on is None else str(row.met_on),
    }
