"""A claim, read a second time (I2, I3, I6 to I8, I12 to I16, D8 to D17)."""

from dataclasses import dataclass, field
from datetime import date, datetime

from oracle import brussels, due, product
from oracle.contract import Contract
from oracle.due import Due
from oracle.product import AMOUNT_LIMIT, COUNT_LIMIT, SERVICES, SERVICES_ONLY, refuse

UNDECIDED = ("open", "submitted")


@dataclass
class Payment:
    amount: int
    stands: bool = True


@dataclass
class Claim:
    """One claim as it stands."""

    number: str
    contract: str
    guarantee: str
    cause: str
    incident: date
    reported: date
    person: str
    relation: str
    same_roof: bool
    status: str = "open"
    identified: bool = False
    ever_submitted: bool = False
    may_submit: bool = True  # once at first, and once after each reopening (D9)
    reopened: bool = False
    accepted: bool = False  # an acceptance was recorded, ever (D11)
    loss: int = 0
    compensated: int = 0
    approved: int = 0
    refunded: int = 0
    recovered: int = 0
    rejection_code: str | None = None
    expert_appointed: bool = False
    expert_started: bool = False
    reserved_at: tuple[str, int] | None = None  # contract and insurance year of the reservation
    counted_at: tuple[str, int] | None = None  # where it counts
    spent_at: tuple[str, int] | None = None  # where its amount was consumed
    payments: dict[str, Payment] = field(default_factory=dict)
    due: list[Due] = field(default_factory=list)
    last_at: datetime | None = None

    def elapse(self, until: datetime) -> None:
        due.let_time_act(self.due, until)

    @property
    def decided(self) -> bool:
        """D9: accepted, rejected, withdrawn or closed."""
        return self.status not in UNDECIDED

    @property
    def owed(self) -> int:
        return self.approved - self.refunded

    @property
    def insured(self) -> bool:
        """D8: the policyholder whatever same_roof says; family under the same roof; nobody else."""
        return self.relation == "policyholder" or (self.relation == "family" and self.same_roof)

    def must_be_undecided(self) -> None:
        if self.decided:
            refuse("ALREADY_DECIDED")

    def open_refund_deadline(self, counted_from: date) -> None:
        raw = brussels.refund_raw(counted_from)
        self.due.append(due.rolled_forward(f"claim:{self.number}", "refund", "R7", raw))

    def cancel_refund_deadlines(self) -> None:
        for row in self.due:
            row.cancel()

    def decide_refund_deadlines(self) -> None:
        """D15: what a submission opens is met when all *then* approved is paid, not before its decision."""
        for row in self.due:
            row.decided = True

    # Commands that touch the claim alone

    def provide(self, kind: str) -> None:
        """D9, D14."""
        if kind not in SERVICES[self.guarantee]:
            refuse("NO_SUCH_SERVICE")
        if kind == "data_recovery":
            self.expert_started = True

    def further_incident(self, day: date, today: date) -> None:
        """D17."""
        if self.status in ("rejected", "withdrawn"):
            refuse("ALREADY_DECIDED")
        if day > today:
            refuse("INCIDENT_IN_FUTURE")
        if day < self.incident:
            refuse("INCIDENT_BEFORE_FIRST_ACT", assumed=True)

    def submit(self, completed: date) -> None:
        """D9, D15, I15."""
        self.must_be_undecided()
        if not self.may_submit:
            refuse("ALREADY_SUBMITTED")
        self.status, self.ever_submitted, self.may_submit = "submitted", True, False
        self.open_refund_deadline(completed)

    def close(self) -> None:
        """D15."""
        if not self.decided:
            refuse("NOT_DECIDED")
        if self.owed > 0:
            refuse("REFUND_OWED")
        self.status = "closed"

    def reopen(self) -> None:
        """D15, I14."""
        if not self.decided:
            refuse("NOT_DECIDED")
        self.status = "submitted" if self.ever_submitted else "open"
        self.may_submit, self.reopened = True, True
        self.rejection_code = None

    def refund(self, reference: str, amount: int | None, today: date) -> None:
        """D11, I2, I16."""
        if reference in self.payments:
            refuse("EXISTS")
        if not self.accepted:
            refuse("NOT_ACCEPTED")
        if self.owed <= 0 or (amount is not None and amount > self.owed):
            refuse("REFUND_EXCEEDS_APPROVED")
        paid = self.owed if amount is None else amount
        self.payments[reference] = Payment(paid)
        self.refunded += paid
        if self.owed == 0:
            for row in self.due:
                if row.decided:
                    row.meet(today, reference)

    def take_back(self, reference: str, today: date) -> None:
        """D12: once; the deadline that this payment had met is open again, or missed."""
        payment = self.payments.get(reference)
        if payment is None or not payment.stands:
            refuse("UNKNOWN")
        payment.stands = False
        self.refunded -= payment.amount
        for row in self.due:
            if row.met_by == reference:
                row.status = "missed" if today > row.due or row.status == "missed" else "open"
                row.met_on = row.met_by = None

    def recover(self, amount: int) -> None:
        """D13."""
        if not self.accepted:
            refuse("NOT_ACCEPTED")
        if self.recovered + amount > self.refunded:
            refuse("RECOVERY_EXCEEDS_REFUNDED")
        self.recovered += amount

    # Commands that ask the contract

    def check_cover(self, contract: Contract) -> int:
        """The insurance year of a covered incident; OUTSIDE_COVER else (I4)."""
        year = contract.year_of(self.incident)
        if year is None or not contract.covers(self.incident):
            refuse("OUTSIDE_COVER")
        return year

    def check_victim_cover_cause(self, contract: Contract) -> int:
        """I13 from NOT_INSURED_PERSON to NOT_MALWARE."""
        if not self.insured:
            refuse("NOT_INSURED_PERSON")
        year = self.check_cover(contract)
        if self.guarantee == "data" and self.cause != "malware":
            refuse("NOT_MALWARE")
        return year

    def check_count(self, contract: Contract, year: int) -> None:
        limit = COUNT_LIMIT[self.guarantee]
        _, taken = contract.others(year, self.guarantee, self.number)
        if limit is not None and taken >= limit:
            refuse("LIMIT_COUNT")

    def remaining(self, contract: Contract, year: int, *, own: int) -> int | None:
        """What is left of the amount; a claim's own reservation never counts against it (D14)."""
        limit = AMOUNT_LIMIT[self.guarantee]
        taken, _ = contract.others(year, self.guarantee, self.number)
        return None if limit is None else limit - taken - own

    def approvable(self, net: int, remaining: int | None) -> int:
        """I8: the remainder is approved; no remainder is refused."""
        if net == 0 or remaining is None:
            return net
        if remaining <= 0:
            refuse("LIMIT_AMOUNT")
        return min(net, remaining)

    def appoint(self, contract: Contract) -> None:
        """D14."""
        if self.guarantee != "data":
            refuse("NO_SUCH_SERVICE", assumed=True)
        self.must_be_undecided()
        if self.reserved_at or (self.expert_appointed and product.EXPERT_ONLY_ONCE):
            refuse("EXPERT_STANDS")
        year = self.check_victim_cover_cause(contract)
        use = contract.use(year, self.guarantee, self.number)
        if use.count:
            refuse("LIMIT_COUNT")
        self.check_count(contract, year)
        left = self.remaining(contract, year, own=use.amount)
        if left is None or left <= 0:
            refuse("LIMIT_AMOUNT")
        use.reserved_amount, use.reserved_count = left, 1
        self.expert_appointed, self.reserved_at = True, (contract.number, year)

    def release(self, contracts: dict[str, Contract], *, failed: bool) -> None:
        """D14, Q11: a failed rescue that had started consumes one count and no amount."""
        if self.reserved_at is None:
            return
        number, year = self.reserved_at
        use = contracts[number].use(year, self.guarantee, self.number)
        use.reserved_amount = use.reserved_count = 0
        if failed and self.expert_started and self.counted_at is None:
            use.count, self.counted_at = 1, self.reserved_at
        self.reserved_at = None

    def call_off(self, contracts: dict[str, Contract]) -> None:
        if self.reserved_at is None:
            refuse("UNKNOWN", assumed=True)
        self.release(contracts, failed=True)

    def accept(self, loss: int, compensated: int, contracts: dict[str, Contract], today: date) -> None:
        """I13 in its order, I8, I14, D15."""
        if not self.identified:
            refuse("NOT_IDENTIFIED")
        if not self.ever_submitted:
            refuse("NOT_SUBMITTED")
        self.must_be_undecided()
        contract = contracts[self.contract]
        year = self.check_victim_cover_cause(contract)
        self.check_indemnity(loss, compensated)
        if self.counted_at is None:
            self.check_count(contract, year)
        use = contract.use(year, self.guarantee, self.number)
        approved = self.approvable(loss - compensated, self.remaining(contract, year, own=use.amount))
        self.release(contracts, failed=False)
        if self.counted_at is None:
            use.count, self.counted_at = 1, (contract.number, year)
        use.amount += approved
        self.spent_at = (contract.number, year)
        self.loss += loss
        self.compensated += compensated
        self.approved += approved
        self.status, self.accepted = "accepted", True
        contract.accepted_claims.add(self.number)
        self.decide_refund_deadlines()
        if approved == 0:
            self.cancel_refund_deadlines()
        elif self.reopened and self.may_submit:  # D15: no new submission since
            self.open_refund_deadline(today)
            self.decide_refund_deadlines()

    def check_indemnity(self, loss: int, compensated: int) -> None:
        nothing_lost = loss == 0
        may_be_nothing = self.guarantee in SERVICES_ONLY or (
            self.guarantee == "data" and self.expert_started  # D14: a rescue without loss
        )
        if (self.guarantee in SERVICES_ONLY and not nothing_lost) or (nothing_lost and not may_be_nothing):
            refuse("NO_INDEMNITY")
        if compensated > 0 and compensated >= loss:
            refuse("ALREADY_COMPENSATED")

    def reject(self, code: str, contracts: dict[str, Contract]) -> None:
        """D9, D14, I15."""
        self.must_be_undecided()
        self.release(contracts, failed=True)
        self.status, self.rejection_code = "rejected", code
        self.decide_refund_deadlines()
        self.cancel_refund_deadlines()

    def withdraw(self, contracts: dict[str, Contract]) -> None:
        self.must_be_undecided()
        self.release(contracts, failed=True)
        self.status = "withdrawn"
        self.decide_refund_deadlines()
        self.cancel_refund_deadlines()

    def correct(self, incident: date, contracts: dict[str, Contract]) -> None:
        """D16. I16: not after its report."""
        if incident > self.reported:
            refuse("INCIDENT_IN_FUTURE")
        self.incident = incident
        if self.accepted:
            self.consume_afresh(contracts[self.contract], contracts)

    def move(self, contract: Contract, contracts: dict[str, Contract]) -> None:
        """D16: the same against the other contract; it may have ended."""
        if contract.number == self.contract:
            refuse("EXISTS")
        foreign = self.relation == "policyholder" and self.person != contract.person
        if foreign and product.MOVE_CHECKS_THE_PERSON:
            refuse("PERSON_MISMATCH")  # D8
        if self.accepted:
            self.consume_afresh(contract, contracts)
            contracts[self.contract].accepted_claims.discard(self.number)
            contract.accepted_claims.add(self.number)
        else:
            self.leave(contracts[self.contract], contract)
        self.contract = contract.number

    def leave(self, old: Contract, new: Contract) -> None:
        """D16: only the contract changes; a failed rescue stays spent where it was (Q5, Q11)."""
        year = new.year_of(self.incident)
        carried = self.reserved_at and product.MOVE_CARRIES_THE_RESERVATION
        if carried:
            self.release({old.number: old}, failed=False)
        if not self.reserved_at:
            old.leave_behind(self.number)
        self.counted_at = None
        if carried and year is not None and new.covers(self.incident):
            amount, count = new.others(year, self.guarantee, self.number)
            left = (AMOUNT_LIMIT[self.guarantee] or 0) - amount
            if left > 0 and count < (COUNT_LIMIT[self.guarantee] or 0):
                use = new.use(year, self.guarantee, self.number)
                use.reserved_amount, use.reserved_count = left, 1
                self.reserved_at = (new.number, year)

    def consume_afresh(self, contract: Contract, contracts: dict[str, Contract]) -> None:
        """D16: reverse, then OUTSIDE_COVER, LIMIT_COUNT, LIMIT_AMOUNT at the new date or contract."""
        for place in (self.spent_at, self.counted_at):
            assert place is not None
            use = contracts[place[0]].use(place[1], self.guarantee, self.number)
            use.amount = use.count = 0
        year = self.check_cover(contract)
        self.check_count(contract, year)
        approved = self.approvable(self.loss - self.compensated, self.remaining(contract, year, own=0))
        if approved < self.refunded:
            refuse("REFUND_EXCEEDS_APPROVED")
        use = contract.use(year, self.guarantee, self.number)
        use.amount, use.count = approved, 1
        self.spent_at = self.counted_at = (contract.number, year)
        self.approved = approved

    # View

    def row(self, contract: Contract) -> dict[str, object]:
        """D10: figures are 0 before the first acceptance, never null."""
        return {
            "claim": self.number,
            "contract": self.contract,
            "guarantee": self.guarantee,
            "status": self.status,
            "incident_on": self.incident.isoformat(),
            "insurance_year": contract.year_of(self.incident),
            "loss_cents": self.loss,
            "approved_cents": self.approved,
            "excess_cents": self.loss - self.compensated - self.approved,
            "refunded_cents": self.refunded,
            "recovered_cents": self.recovered,
            "rejection_code": self.rejection_code,
        }
