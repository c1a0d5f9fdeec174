"""The second reading as one book: import lines in, answers and rows out.

The stores are plain dictionaries; a command works on copies of the streams that it touches, so that a refusal
leaves nothing behind.
"""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from oracle import brussels, product, shapes
from oracle.claim import Claim
from oracle.complaint import Complaint
from oracle.contract import Contract
from oracle.product import Malformed, Refused, refuse

Answer = dict[str, Any]
Line = dict[str, Any]
Rows = list[dict[str, Any]]

ASKS_THE_CONTRACT = (
    "OpenClaim",
    "AppointExpert",
    "CallOffExpert",
    "AcceptClaim",
    "RejectClaim",
    "WithdrawClaim",
    "CorrectIncident",
    "MoveClaim",
)
REGISTERS_THE_CLAIM = ("OpenClaim", "MoveClaim")


@dataclass
class World:
    """Copies of the streams that one command touches, brought up to its instant."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    complaints: dict[str, Complaint] = field(default_factory=dict)

    def streams(self) -> list[Contract | Claim | Complaint]:
        return [*self.contracts.values(), *self.claims.values(), *self.complaints.values()]


class Book:
    """A book of business, decided by the page's words alone."""

    def __init__(self) -> None:
        self.contract_streams: dict[str, Contract] = {}
        self.claim_streams: dict[str, Claim] = {}
        self.complaint_streams: dict[str, Complaint] = {}
        self._answers: dict[str, tuple[str, Answer]] = {}

    # Commands

    def submit(self, line: Line) -> Answer:
        """Answer one import line: recorded, refused (with code), invalid or repeated (I10)."""
        command_id = line.get("command_id")
        content = json.dumps(line, sort_keys=True)
        try:
            name, at, fields = shapes.read(line)
        except Malformed:
            return {"command_id": command_id, "status": "invalid"}
        if command_id in self._answers:
            return self._seen_before(str(command_id), content)
        answer: Answer = {"command_id": command_id, "status": "recorded"}
        try:
            self._record(name, at, fields)
        except Refused as refusal:
            answer |= {"status": "refused", "code": refusal.code}
            if refusal.assumed:
                answer["assumed"] = True
        self._answers[str(command_id)] = (content, answer)
        return answer

    def knows(self, command_id: str) -> bool:
        """Whether that id was answered before: refusals are remembered, what was invalid is not."""
        return command_id in self._answers

    def _seen_before(self, command_id: str, content: str) -> Answer:
        first_content, first = self._answers[command_id]
        if content != first_content:
            return {"command_id": command_id, "status": "refused", "code": "ID_REUSED"}
        said = {key: first[key] for key in ("status", "code") if key in first}
        repeated: Answer = {"command_id": command_id, "status": "repeated", "first": said}
        return repeated | {key: first[key] for key in ("assumed",) if key in first}

    def _record(self, name: str, at: datetime, fields: dict[str, Any]) -> None:
        world = self._touched(name, fields)
        if any(stream.last_at and at < stream.last_at for stream in world.streams()):
            refuse("OUT_OF_ORDER")
        for contract in world.contracts.values():
            contract.told = name not in ASKS_THE_CONTRACT or name in REGISTERS_THE_CLAIM
        for stream in world.streams():
            stream.elapse(at)
        decide(world, name, at, fields)
        for stream in world.streams():
            stream.elapse(at)
        for stream in world.streams():
            if getattr(stream, "told", True):
                stream.last_at = at
        self.contract_streams |= world.contracts
        self.claim_streams |= world.claims
        self.complaint_streams |= world.complaints

    def _touched(self, name: str, fields: dict[str, Any]) -> World:
        world = World()
        contracts, claims, complaints = [fields.get("contract")], [fields.get("claim")], []
        if name == "LodgeComplaint":
            # asked whether they exist, and otherwise left alone
            self._must_exist(fields)
            contracts, claims = [], []
        if "complaint" in fields:
            complaints.append(fields["complaint"])
        claim = self.claim_streams.get(str(fields.get("claim")))
        if claim and name in ASKS_THE_CONTRACT:
            contracts.append(claim.contract)
            contracts += [
                place[0] for place in (claim.reserved_at, claim.counted_at, claim.spent_at) if place
            ]
        for numbers, held, copies in (
            (contracts, self.contract_streams, world.contracts),
            (claims, self.claim_streams, world.claims),
            (complaints, self.complaint_streams, world.complaints),
        ):
            for number in numbers:
                if number in held:
                    copies[number] = copy.deepcopy(held[number])  # type: ignore[index]  # one kind a turn
        return world

    def _must_exist(self, fields: dict[str, Any]) -> None:
        """I16 for a complaint's contract and claim."""
        if fields["contract"] not in self.contract_streams:
            refuse("UNKNOWN")
        if fields.get("claim") is not None and fields["claim"] not in self.claim_streams:
            refuse("UNKNOWN")

    # Time

    def advance(self, until: date) -> None:
        """Let time act up to 00:00 of that day, inclusive."""
        self.elapse(brussels.midnight(until))

    def elapse(self, until: datetime) -> None:
        for stream in [
            *self.contract_streams.values(),
            *self.claim_streams.values(),
            *self.complaint_streams.values(),
        ]:
            stream.elapse(until)

    def as_of(self, until: datetime) -> "Book":
        """A copy in which time has acted up to that instant."""
        later = Book()
        later.contract_streams = copy.deepcopy(self.contract_streams)
        later.claim_streams = copy.deepcopy(self.claim_streams)
        later.complaint_streams = copy.deepcopy(self.complaint_streams)
        later.elapse(until.astimezone(UTC))
        return later

    # Views

    def contracts(self) -> Rows:
        return [contract.row() for contract in self.contract_streams.values()]

    def claims(self) -> Rows:
        return [claim.row(self.contract_streams[claim.contract]) for claim in self.claim_streams.values()]

    def complaints(self) -> Rows:
        return [
            {"complaint": each.number, "contract": each.contract, "closed": each.closed}
            for each in self.complaint_streams.values()
        ]

    def limits(self) -> Rows:
        return [row for contract in self.contract_streams.values() for row in contract.limit_rows()]

    def due(self) -> Rows:
        """By contract: its own rows, then its claims', then its complaints', each in order of opening."""
        rows: Rows = []
        for number, contract in self.contract_streams.items():
            rows += [row.row() for row in contract.due]
            for kind in (self.claim_streams, self.complaint_streams):
                for each in kind.values():  # type: ignore[attr-defined]  # both hold contract and due
                    if each.contract == number:
                        rows += [row.row() for row in each.due]
        return rows


def decide(world: World, name: str, at: datetime, fields: dict[str, Any]) -> None:
    """D19: UNKNOWN, then EXISTS, then state."""
    if name == "StartContract":
        start_contract(world, at, fields)
    elif name == "OpenClaim":
        open_claim(world, at, fields)
    elif name == "LodgeComplaint":
        lodge_complaint(world, fields)
    elif "complaint" in fields:
        one(world.complaints, fields["complaint"]).take(name, fields["on"])
    elif "claim" in fields:
        on_claim(world, one(world.claims, fields["claim"]), name, brussels.brussels_date(at), fields)
    else:
        on_contract(one(world.contracts, fields["contract"]), name, fields)


def one(held: dict[str, Any], number: str) -> Any:  # noqa: ANN401  # whichever kind the dictionary holds
    if number not in held:
        refuse("UNKNOWN")
    return held[number]


def start_contract(world: World, at: datetime, fields: dict[str, Any]) -> None:
    if fields["contract"] in world.contracts:
        refuse("EXISTS")
    if fields["starts_on"] > product.LAST_DAY_OF_SALE:
        refuse("PRODUCT_CLOSED")
    world.contracts[fields["contract"]] = Contract(
        number=fields["contract"],
        person=fields["policyholder"]["person"],
        starts_on=fields["starts_on"],
        concluded_on=fields.get("concluded_on") or brussels.brussels_date(at),  # D6
        distance_sale=bool(fields.get("distance_sale")),
    )


def open_claim(world: World, at: datetime, fields: dict[str, Any]) -> None:
    """D8."""
    contract = one(world.contracts, fields["contract"])
    if fields["claim"] in world.claims:
        refuse("EXISTS")
    reported = fields.get("reported_at") or brussels.brussels_date(at)
    if fields["occurred_at"] > reported:
        refuse("INCIDENT_IN_FUTURE")
    victim = fields["victim"]
    if victim["relation"] == "policyholder" and victim["person"] != contract.person:
        refuse("PERSON_MISMATCH")
    world.claims[fields["claim"]] = Claim(
        number=fields["claim"],
        contract=contract.number,
        guarantee=fields["guarantee"],
        cause=fields["cause"],
        incident=fields["occurred_at"],
        reported=reported,
        person=victim["person"],
        relation=victim["relation"],
        same_roof=victim["same_roof"],
    )


def lodge_complaint(world: World, fields: dict[str, Any]) -> None:
    """Contract and claim were found to exist."""
    if fields["complaint"] in world.complaints:
        refuse("EXISTS")
    world.complaints[fields["complaint"]] = Complaint(
        fields["complaint"], fields["contract"], fields["received_on"]
    )


def on_contract(contract: Contract, name: str, fields: dict[str, Any]) -> None:
    match name:
        case "GiveNotice":
            contract.give_notice(fields["received_on"])
        case "RevokeNotice":
            contract.revoke_notice()
        case "SendTerminationNotice":
            contract.send_letter(fields["posted_on"])
        case "RecordLetterReturned":
            contract.letter_returned()
        case "WithdrawFromContract":
            contract.withdraw(fields["received_on"])
        case "AnnulContract":
            contract.annul()
        case "CorrectPerson":
            contract.correct_person(fields["person"])


def on_claim(world: World, claim: Claim, name: str, today: date, fields: dict[str, Any]) -> None:
    match name:
        case "IdentifyClaimant":
            claim.identified = True
        case "ProvideAssistance":
            claim.provide(fields["kind"])
        case "ReportFurtherIncident":
            claim.further_incident(fields["occurred_at"], today)
        case "CompleteSubmission":
            claim.submit(fields["completed_at"])
        case "CloseClaim":
            claim.close()  # its reservation was released by the decision
        case "ReopenClaim":
            claim.reopen()
        case "IssueRefund" | "RecordRefundFailure" | "ReverseRefund" | "RecordRecovery":
            on_money(claim, name, today, fields)
        case _ if name in ASKS_THE_CONTRACT:
            on_claim_and_contract(world, claim, name, today, fields)
        # D9: advice and requests for documents are taken in any status and change nothing that is shown


def on_money(claim: Claim, name: str, today: date, fields: dict[str, Any]) -> None:
    match name:
        case "IssueRefund":
            claim.refund(fields["payment_reference"], fields.get("amount_cents"), today)
        case "RecordRefundFailure" | "ReverseRefund":
            claim.take_back(fields["payment_reference"], today)
        case "RecordRecovery":
            claim.recover(fields["amount_cents"])


def on_claim_and_contract(world: World, claim: Claim, name: str, today: date, fields: dict[str, Any]) -> None:
    match name:
        case "AppointExpert":
            claim.appoint(world.contracts[claim.contract])
        case "CallOffExpert":
            claim.call_off(world.contracts)
        case "AcceptClaim":
            compensated = fields.get("already_compensated_cents") or 0
            claim.accept(fields["loss_cents"], compensated, world.contracts, today)
        case "RejectClaim":
            claim.reject(fields["code"], world.contracts)
        case "WithdrawClaim":
            claim.withdraw(world.contracts)
        case "CorrectIncident":
            claim.correct(fields["occurred_at"], world.contracts)
        case "MoveClaim":
            claim.move(one(world.contracts, fields["contract"]), world.contracts)
