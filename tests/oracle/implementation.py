"""The implementation behind the same two questions as the second reading: the pure domain, run in memory.

It repeats what the application promises around the domain (one effect an id, what time owes goes first, and
nothing kept of a refusal), so that answers and rows can be compared line by line.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ledger.domain.claim.state import Claim
from ledger.domain.complaint.state import Complaint
from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.deadlines import Deadline
from ledger.domain.dispatch import State, decide, elapse, fold, needs, state_from_json, state_to_json
from ledger.domain.event import PendingEvent, RecordedEvent
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid, Refusal
from ledger.domain.registry import check, read_command
from ledger.domain.terms import packaged_terms
from oracle.reading import Answer, Line, Rows

World = dict[StreamRef, State | None]


class Implementation:
    """ledger.domain as a book in memory.

    sweeping: before each line a sweep records what time owes every stream, and every state goes through its
    JSON; no result may depend on either (R12).
    """

    def __init__(self, *, sweeping: bool = False) -> None:
        self.sweeping = sweeping
        self.states: World = {}
        self.versions: dict[StreamRef, int] = {}
        self.answers: dict[str, tuple[str, Answer]] = {}

    def submit(self, line: Line) -> Answer:
        command_id, content = line["command_id"], json.dumps(line, sort_keys=True)
        try:
            command = read_command(line["command"], line["data"])
            at = datetime.fromisoformat(line["at"]).astimezone(UTC)
            check(command, at)
            self._sweep(at)
        except Invalid:
            return {"command_id": command_id, "status": "invalid"}
        if command_id in self.answers:
            return self._seen_before(command_id, content)
        answer: Answer = {"command_id": command_id, "status": "recorded"}
        try:
            self._record(command, at)
        except Refusal as refusal:
            answer |= {"status": "refused", "code": refusal.code}
        self.answers[command_id] = (content, answer)
        return answer

    def _sweep(self, at: datetime) -> None:
        if not self.sweeping:
            return
        for ref, state in list(self.states.items()):
            if state is not None:
                self.states[ref] = state_from_json(ref.kind, state_to_json(state))
                keep(self.states, self.versions, elapse(state, at))

    def _seen_before(self, command_id: str, content: str) -> Answer:
        first_content, first = self.answers[command_id]
        if content != first_content:
            return {"command_id": command_id, "status": "refused", "code": "ID_REUSED"}
        said = {key: first[key] for key in ("status", "code") if key in first}
        return {"command_id": command_id, "status": "repeated", "first": said}

    def _record(self, command: Any, at: datetime) -> None:  # noqa: ANN401  # any of the union of commands
        needed = needs(command)
        refs = list(needed.streams)
        if needed.contract_of is not None:
            claim = self.states.get(needed.contract_of)
            if isinstance(claim, Claim | Complaint):
                refs.append(StreamRef("contract", claim.contract))
        world: World = {ref: self.states.get(ref) for ref in dict.fromkeys(refs)}
        versions: dict[StreamRef, int] = dict(self.versions)
        for state in list(world.values()):
            if state is not None:
                keep(world, versions, elapse(state, at))
        keep(world, versions, decide(command, world, at))
        self.states |= {ref: state for ref, state in world.items() if state is not None}
        self.versions = versions

    def rows_at(self, instant: datetime) -> dict[str, Rows]:
        world, versions = dict(self.states), dict(self.versions)
        for state in self.states.values():
            if state is not None:
                keep(world, versions, elapse(state, instant.astimezone(UTC)))
        contracts = [state for state in world.values() if isinstance(state, Contract)]
        claims = [state for state in world.values() if isinstance(state, Claim)]
        everything = [state for state in world.values() if state is not None]
        return {
            "contracts": [contract_row(contract) for contract in contracts],
            "claims": [claim_row(claim) for claim in claims],
            "limits": [
                plain(row) for contract in contracts for row in limit_rows(contract, packaged_terms())
            ],
            "due": [due_row(row) for state in everything for row in state.deadlines],
        }


def keep(world: World, versions: dict[StreamRef, int], entries: Iterable[PendingEvent]) -> None:
    """Fold what is to be recorded, in order."""
    for entry in entries:
        version = versions[entry.stream] = versions.get(entry.stream, 0) + 1
        recorded = RecordedEvent(entry.stream, version, entry.event, entry.effective_on, entry.at)
        world[entry.stream] = fold(world.get(entry.stream), recorded)


def plain(row: object) -> dict[str, Any]:
    """Write dates as the views do."""
    names = row.__dataclass_fields__  # type: ignore[attr-defined]  # rows are dataclasses
    values = {name: getattr(row, name) for name in names}
    return {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in values.items()}


def contract_row(contract: Contract) -> dict[str, Any]:
    return {
        "contract": contract.number,
        "status": contract.status,
        "product": contract.product,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat(),
        "notice_gate_on": contract.notice_gate_on.isoformat(),
        "term": contract.term,
    }


def claim_row(claim: Claim) -> dict[str, Any]:
    row = plain(claim)
    return {"claim": row.pop("number"), **row}


def due_row(deadline: Deadline) -> dict[str, Any]:
    row = plain(deadline)
    kind, number = row["subject"]
    return row | {"subject": f"{kind}:{number}"}
