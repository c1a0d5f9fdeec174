"""What a desk does to claims, sensible or not."""

from collections.abc import Callable
from datetime import date

from oracle import brussels, product
from oracle.brussels import DAY
from oracle.claim import Claim
from oracle.contract import Contract
from oracle.desk import Desk, Fields, Move

LOSSES = {
    "identity": (0, 0, 0, 0, 100),
    "payment": (5_000, 120_000, 166_667, 250_000, 300_000, 600_000, 1, 0),
    "data": (20_000, 79_999, 80_000, 80_001, 120_000, 0),
    "reputation": (0, 0, 0, 0, 100),
}


class MovesOnClaims(Desk):
    """From the first call to a further loss after the closing."""

    def incident_day(self, contract: Contract) -> date:
        if self.theme == "years" and self.chance(0.9):
            return self.not_later(contract.starts_on + self.days(0, 1_000))
        lately = min(self.today, contract.ends_on - DAY) if self.chance(0.9) else self.today
        day = self.pick(
            (
                lately,
                lately - self.days(0, 10),
                lately - self.days(0, 10),
                lately - self.days(0, 10),
                lately - self.days(0, 10),
                lately - self.days(0, 10),
                contract.starts_on + self.days(-1, 1),
                contract.ends_on + self.days(-1, 1),
                brussels.term_end(contract.starts_on, max(1, contract.term - 1)) + self.days(-1, 1),
                self.today - self.days(0, 700),
            )
        )
        return day if self.chance(self.wrong * 0.15) else self.not_later(day)

    def open_claim(self) -> Move:
        contracts = self.book.contract_streams
        running = [each.number for each in contracts.values() if each.covers(self.today)]
        number = self.pick(running) if running and self.chance(0.85) else self.number(contracts)
        contract = contracts.get(number) or self.pick(contracts.values())
        usual_ones = {"rescues": ("data",), "years": ("payment",)}.get(self.theme, product.GUARANTEES)
        guarantee = self.pick(("payment", "payment", "data", *usual_ones, *usual_ones))
        usual = {"data": "malware", "reputation": "cyberstalking", "identity": "identity_theft"}
        exists = self.book.claim_streams and self.chance(self.wrong * 0.1)
        fields: Fields = {
            "claim": self.pick(self.book.claim_streams) if exists else self.fresh("CL"),
            "contract": number,
            "guarantee": guarantee,
            "cause": usual.get(guarantee, "fraud") if self.chance(0.9) else self.pick(product.CAUSES),
            "occurred_at": self.moment(self.incident_day(contract)),
            "channel": "phone",
            "victim": self.victim(contract),
        }
        if self.chance(0.25):
            fields["reported_at"] = self.moment(self.today - self.days(0, 3))
        if self.chance(0.2):
            fields["narrative"] = "as told by phone"
        return "OpenClaim", fields

    def victim(self, contract: Contract) -> Fields:
        roll = self.random.random()
        if roll < 0.75:
            person = contract.person if self.chance(1 - self.wrong * 0.1) else "P-9"
            return {
                "person": person,
                "name": "Mila Peeters",
                "relation": "policyholder",
                "same_roof": self.chance(0.8),
            }
        relation = "family" if roll < 0.97 else "non_family"
        return {
            "person": self.pick(("P-1", "P-5")),
            "name": "Noor Peeters",
            "relation": relation,
            "same_roof": self.chance(0.9),
        }

    def next_on_claim(self, claim: Claim) -> Move:
        """What a good desk would do next."""
        if claim.decided:
            later = (self.take_back, self.recover, self.close, self.reopen, self.correct, self.move)
            return self.refund(claim) if claim.owed > 0 else self.pick(later)(claim)
        if not claim.identified and self.chance(0.8):
            return self.identify(claim)
        if claim.guarantee == "data" and self.chance(0.45):
            return self.rescue(claim)
        return self.towards_a_decision(claim)

    def towards_a_decision(self, claim: Claim) -> Move:
        if not claim.ever_submitted or (claim.reopened and claim.may_submit and self.chance(0.3)):
            return self.submit(claim)
        if not self.acceptable(claim) and self.chance(0.7):
            return self.pick((self.reject, self.withdraw_claim, self.correct, self.move))(claim)
        return self.accept(claim) if self.chance(0.9) else self.reject(claim)

    def acceptable(self, claim: Claim) -> bool:
        covered = self.book.contract_streams[claim.contract].covers(claim.incident)
        return covered and claim.insured and (claim.guarantee != "data" or claim.cause == "malware")

    def any_on_claim(self, claim: Claim) -> Move:
        moves: tuple[Callable[[Claim], Move], ...] = (
            self.identify,
            self.advise,
            self.assist,
            self.appoint,
            self.call_off,
            self.further,
            self.documents,
            self.receive,
            self.submit,
            self.accept,
            self.accept,
            self.reject,
            self.withdraw_claim,
            self.refund,
            self.refund,
            self.take_back,
            self.take_back,
            self.recover,
            self.correct,
            self.correct,
            self.move,
            self.move,
            self.close,
            self.reopen,
            self.reopen,
        )
        command, fields = self.pick(moves)(claim)
        if self.chance(self.wrong * 0.05):
            fields["claim"] = "nobody"
        return command, fields

    def identify(self, claim: Claim) -> Move:
        return "IdentifyClaimant", {"claim": claim.number, "method": "callback"}

    def advise(self, claim: Claim) -> Move:
        return "GiveAdvice", {"claim": claim.number, "topics": ["change_passwords", "block_card"]}

    def assist(self, claim: Claim) -> Move:
        kind = self.pick(product.ASSISTANCE)
        return "ProvideAssistance", {"claim": claim.number, "kind": kind, "provider": "Rescue NV"}

    def rescue(self, claim: Claim) -> Move:
        if not claim.expert_appointed:
            return self.appoint(claim)
        if not claim.expert_started:
            return "ProvideAssistance", {
                "claim": claim.number,
                "kind": "data_recovery",
                "provider": "Rescue NV",
            }
        return self.pick((self.call_off, self.accept, self.submit, self.reject))(claim)

    def appoint(self, claim: Claim) -> Move:
        return "AppointExpert", {"claim": claim.number, "provider": "Rescue NV"}

    def call_off(self, claim: Claim) -> Move:
        return "CallOffExpert", {"claim": claim.number, "provider": "Rescue NV"}

    def further(self, claim: Claim) -> Move:
        day = self.pick(
            (claim.incident, claim.incident + self.days(-2, 5), self.today, self.today + self.days(0, 1))
        )
        return "ReportFurtherIncident", {"claim": claim.number, "occurred_at": self.moment(day)}

    def documents(self, claim: Claim) -> Move:
        return "RequestDocuments", {"claim": claim.number, "documents": ["police_report"]}

    def receive(self, claim: Claim) -> Move:
        return "ReceiveDocument", {
            "claim": claim.number,
            "document": "police_report",
            "sha256": "ab" * 32,
        }

    def submit(self, claim: Claim) -> Move:
        day = self.today - self.pick((self.days(0, 0), self.days(0, 0), self.days(0, 20)))
        return "CompleteSubmission", {"claim": claim.number, "completed_at": self.moment(day)}

    def accept(self, claim: Claim) -> Move:
        loss = self.pick(LOSSES[claim.guarantee])
        fields: Fields = {"claim": claim.number, "loss_cents": loss}
        if self.chance(0.3):
            fields["already_compensated_cents"] = self.pick((0, loss // 3, loss // 2, loss, loss + 1))
        return "AcceptClaim", fields

    def reject(self, claim: Claim) -> Move:
        return "RejectClaim", {"claim": claim.number, "code": self.pick(product.EXCLUSIONS)}

    def withdraw_claim(self, claim: Claim) -> Move:
        return "WithdrawClaim", {"claim": claim.number}

    def refund(self, claim: Claim) -> Move:
        used = claim.payments and self.chance(0.06)
        fields: Fields = {
            "claim": claim.number,
            "payment_reference": self.pick(claim.payments) if used else self.fresh("PAY"),
        }
        if self.chance(0.5):
            owed = max(claim.owed, 1)
            fields["amount_cents"] = self.pick((owed, max(1, owed // 2), max(1, owed // 3), owed + 1))
        if self.chance(0.3):
            fields["iban"] = "BE71096123456769"
        return "IssueRefund", fields

    def take_back(self, claim: Claim) -> Move:
        reference = self.pick(claim.payments) if claim.payments and self.chance(0.9) else "PAY-nobody"
        command = self.pick(("RecordRefundFailure", "ReverseRefund"))
        return command, {"claim": claim.number, "payment_reference": reference}

    def recover(self, claim: Claim) -> Move:
        left = max(1, claim.refunded - claim.recovered)
        amount = self.pick((left, left + 1, max(1, left // 2)))
        return "RecordRecovery", {"claim": claim.number, "amount_cents": amount, "payer": "Bank NV"}

    def correct(self, claim: Claim) -> Move:
        contract = self.book.contract_streams[claim.contract]
        day = self.pick(
            (
                self.incident_day(contract),
                claim.incident + self.days(-3, 3),
                brussels.add_months(claim.incident, -12),
                claim.reported + DAY,
            )
        )
        day = day if self.chance(0.15) else min(day, claim.reported)
        return "CorrectIncident", {"claim": claim.number, "occurred_at": self.moment(day)}

    def move(self, claim: Claim) -> Move:
        number = self.number(self.book.contract_streams)
        return "MoveClaim", {"claim": claim.number, "contract": number}

    def close(self, claim: Claim) -> Move:
        return "CloseClaim", {"claim": claim.number, "reason": "done"}

    def reopen(self, claim: Claim) -> Move:
        return "ReopenClaim", {"claim": claim.number, "reason": "further loss"}
