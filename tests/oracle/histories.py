"""Random histories of a desk at work, mistakes included: seed in, import lines in order of `at` out.

The second reading itself steers: it knows what stands where, so that deep states (a fourth claim, a reopened
acceptance, a letter on its last day) are reached often, and wrong commands are wrong in telling ways.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import Any

from oracle import brussels, product
from oracle.brussels import DAY
from oracle.claim import Claim
from oracle.complaint import Complaint
from oracle.contract import Contract
from oracle.reading import Book, Line

Fields = dict[str, Any]
Move = tuple[str, Fields]

FIRST_DAYS = (  # leap days, last days of months, plain days
    date(2020, 2, 29),
    date(2021, 8, 31),
    date(2022, 3, 31),
    date(2022, 10, 30),
    date(2023, 1, 29),
    date(2023, 5, 31),
    date(2023, 8, 29),
    date(2023, 8, 30),
    date(2023, 11, 30),
    date(2023, 12, 31),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 8, 31),
    date(2025, 1, 1),
    date(2026, 6, 29),
    date(2026, 6, 30),
)
CLOCK_CHANGES = (
    date(2023, 3, 26),
    date(2023, 10, 29),
    date(2024, 3, 31),
    date(2024, 10, 27),
    date(2025, 3, 30),
)
LOSSES = {
    "identity": (0, 0, 0, 0, 100),
    "payment": (5_000, 120_000, 166_667, 250_000, 300_000, 600_000, 1, 0),
    "data": (20_000, 79_999, 80_000, 80_001, 120_000, 0),
    "reputation": (0, 0, 0, 0, 100),
}
LAST_DAY = date(2034, 12, 31)
THEMES = {  # shares of moves on a contract, of claims opened, of moves on a complaint; the rest is on claims
    "all": (0.12, 0.12, 0.05),
    "contracts": (0.6, 0.1, 0.02),
    "claims": (0.02, 0.07, 0.01),
    "years": (0.01, 0.13, 0.0),
    "rescues": (0.02, 0.07, 0.0),
    "complaints": (0.1, 0.1, 0.7),
}


class Desk:
    """One history in the making."""

    def __init__(self, seed: int, contracts: int, steps: int, wrong: float, file_until: date | None) -> None:
        self.random = Random(seed)  # noqa: S311  # histories are no secrets
        self.book = Book()
        self.contracts, self.steps, self.wrong = contracts, steps, wrong
        self.for_a_file, self.last_day = file_until is not None, file_until or LAST_DAY
        self.now = self.clock_time(self.pick(FIRST_DAYS))
        self.lines: list[Line] = []
        self.numbers = 0
        # Each history has its own pace and its own theme, so that some go deep and some go far.
        self.pace = self.pick((0.15, 0.4, 1.0))
        self.theme = self.pick(
            (
                "all",
                "all",
                "contracts",
                "contracts",
                "claims",
                "claims",
                "rescues",
                "years",
                "years",
                "complaints",
            )
        )

    # Chance

    def pick(self, options: Any) -> Any:  # noqa: ANN401  # whatever the options are
        return self.random.choice(list(options))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def days(self, least: int, most: int) -> timedelta:
        return timedelta(days=self.random.randint(least, most))

    def fresh(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}-{self.numbers}"

    # Time

    @property
    def today(self) -> date:
        return brussels.brussels_date(self.now)

    def clock_time(self, day: date) -> datetime:
        """An instant of that Brussels day, often near its edges."""
        edges = (
            time(0, 0),
            time(0, 0, 1),
            time(0, 30),
            time(2, 30),
            time(12, 0),
            time(23, 30),
            time(23, 59, 59),
        )
        edge = self.pick(edges) if self.chance(0.5) else time(self.random.randint(7, 19), 15)
        return datetime.combine(day, edge, brussels.BRUSSELS).astimezone(UTC)

    def pass_time(self) -> None:
        """Move the clock: often not at all or little, sometimes to a day that matters."""
        before = self.now
        roll = self.random.random() / self.pace
        if self.theme == "contracts" and self.chance(0.4):
            self.now = self.clock_time(self.day_that_matters())
        elif self.pace < 1 and self.chance(0.5):
            pass
        elif roll < 0.25:
            self.now += timedelta(minutes=self.random.randint(0, 90))
        elif roll < 0.6:
            self.now = self.clock_time(self.today + self.days(0, 9))
        elif roll < 0.75:
            self.now = self.clock_time(self.today + self.days(10, 90))
        elif roll < 0.78:
            self.now = self.clock_time(self.today + self.days(200, 500))
        elif roll < 1 or self.chance(0.1):
            self.now = self.clock_time(self.day_that_matters())
        if self.now < before or self.today > self.last_day:
            self.now = before
        self.book.elapse(self.now)

    def day_that_matters(self) -> date:
        days = [self.today, *CLOCK_CHANGES]
        for stream in self.streams():
            for row in stream.due:
                if row.status == "open":
                    days += [row.raw, row.due, row.alert]
        for contract in self.book.contract_streams.values():
            end = brussels.term_end(contract.starts_on, contract.term)
            days += [
                contract.ends_on,
                notice_ending(end),
                notice_ending(end),
                brussels.notice_gate(contract.starts_on),
                contract.starts_on,
            ]
        near = [day for day in days if self.today <= day <= self.today + timedelta(days=200)]
        return self.pick(near or [self.today]) + self.days(-1, 1)

    def streams(self) -> Iterator[Contract | Claim | Complaint]:
        yield from self.book.contract_streams.values()
        yield from self.book.claim_streams.values()
        yield from self.book.complaint_streams.values()

    def written(self, instant: datetime) -> str:
        """An instant as different desks write it: Brussels time, UTC, or far away."""
        zone = self.pick((brussels.BRUSSELS, brussels.BRUSSELS, UTC, timezone(timedelta(hours=9))))
        return instant.astimezone(zone).isoformat()

    def moment(self, day: date) -> str:
        """A field named …_at: a bare date or an instant of that Brussels day."""
        return day.isoformat() if self.chance(0.6) else self.written(self.clock_time(day))

    def not_later(self, day: date) -> date:
        return min(day, self.today)

    # Lines

    def say(self, command: str, fields: Fields, at: datetime | None = None) -> None:
        line = {
            "command_id": self.fresh("cmd"),
            "command": command,
            "at": self.written(at or self.now),
            "actor": "desk",
            "data": fields,
        }
        self.lines.append(line)
        self.book.submit(line)

    def repeat(self) -> None:
        """The same id again: with the same content, or with other content."""
        known = [line for line in self.lines if self.book.knows(line["command_id"])]
        if self.for_a_file:  # whose lines are in order of `at`
            known = [line for line in known[-1:] if datetime.fromisoformat(line["at"]) == self.now]
        if not known:
            return
        line = self.pick(known)
        if self.chance(0.4):
            others = [name for name in ("reason", "tracking", "provider", "method") if name in line["data"]]
            wrong = {"contract": "CC-other"} if not self.for_a_file else {}
            line = line | {"data": line["data"] | dict.fromkeys(others, "other") | wrong}
        self.lines.append(line)
        self.book.submit(line)

    def write(self) -> list[Line]:
        for _ in range(self.steps):
            self.pass_time()
            if len(self.book.contract_streams) < self.contracts and self.chance(0.5):
                self.say(*self.start_contract())
                continue
            roll = self.random.random()
            if roll < self.wrong * 0.25:
                self.repeat()
            elif roll < self.wrong * 0.4 and not self.for_a_file:
                self.out_of_order()
            elif roll < self.wrong * 0.7 and not self.for_a_file:
                self.say(*self.malformed())
            else:
                self.say(*self.something(roll > self.wrong))
        return self.lines

    def out_of_order(self) -> None:
        """An earlier `at` than the last event of its own stream."""
        streams = [
            stream
            for stream in (*self.book.contract_streams.values(), *self.book.claim_streams.values())
            if stream.last_at
        ]
        if not streams:
            return
        stream = self.pick(streams)
        at = stream.last_at - timedelta(seconds=self.pick((1, 3_600, 86_400 * 40)))
        if isinstance(stream, Contract):
            self.say("RecordLetterReturned", {"contract": stream.number, "returned_on": "2023-01-01"}, at)
        else:
            self.say("IdentifyClaimant", {"claim": stream.number, "method": "callback"}, at)

    def something(self, sensible: bool) -> Move:  # noqa: FBT001  # sensible or not is what is rolled
        if not self.book.contract_streams:
            return self.start_contract()
        roll = self.random.random()
        claims = list(self.book.claim_streams.values())
        on_contract, opening, complaining = THEMES[self.theme]
        if roll < on_contract:
            return self.on_contract(self.pick(self.book.contract_streams.values()))
        if roll < on_contract + opening or not claims:
            return self.open_claim()
        if roll < on_contract + opening + complaining:
            return self.on_complaint()
        alive = [each for each in claims if not each.decided or each.owed] or claims
        claim = self.pick(alive[-2:] if self.chance(0.7) else claims)
        return self.next_on_claim(claim) if sensible and self.chance(0.8) else self.any_on_claim(claim)

    def number(self, held: dict[str, Any]) -> str:
        """Now and then a number that nobody holds."""
        return "nobody" if not held or self.chance(self.wrong * 0.1) else self.pick(held)

    # Contracts

    def start_contract(self) -> Move:
        held = self.book.contract_streams
        number = self.pick(held) if held and self.chance(self.wrong * 0.15) else self.fresh("CC")
        long_ago = (self.today - self.days(400, 900),) if self.theme == "years" else ()
        starts = self.pick(
            long_ago
            or (
                self.today,
                self.today - self.days(0, 20),
                self.today + self.days(-20, 20),
                self.today - self.days(0, 400),
                self.today + self.days(-900, 60),
                self.today.replace(day=28) + self.days(0, 3),
                self.pick(FIRST_DAYS),
            )
        )
        if starts > product.LAST_DAY_OF_SALE and self.chance(0.9):
            starts = self.pick(FIRST_DAYS)
        fields: Fields = {
            "contract": number,
            "product": "cyber-care",
            "starts_on": starts.isoformat(),
            "policyholder": {"person": self.pick(("P-1", "P-1", "P-1", "P-2")), "name": "Mila Peeters"},
        }
        if self.chance(0.5):
            fields["distance_sale"] = self.chance(0.8)
        if self.chance(0.4):
            fields["concluded_on"] = (starts + self.days(-30, 10)).isoformat()
        if self.chance(0.3):
            fields["language"] = self.pick(("nl", "fr", "en"))
        return "StartContract", fields

    def on_contract(self, contract: Contract) -> Move:
        number = contract.number if self.chance(1 - self.wrong * 0.05) else "nobody"
        moves: tuple[tuple[float, Callable[[str, Contract], Move]], ...] = (
            (8 if contract.letter_ends_on and not contract.notice else 5, self.give_notice),
            (9 if contract.notice and self.ends_with_term(contract) else 4, self.send_letter),
            (2 if contract.notice else 0.3, self.revoke_notice),
            (2 if contract.distance_sale else 0.3, self.withdraw),
            (1 if contract.letters else 0.2, self.letter_returned),
            (0.3, self.annul),
            (0.5, self.correct_person),
        )
        (chosen,) = self.random.choices([move for _, move in moves], [weight for weight, _ in moves])
        return chosen(number, contract)

    def ends_with_term(self, contract: Contract) -> bool:
        return contract.ends_on == brussels.term_end(contract.starts_on, contract.term)

    def give_notice(self, number: str, contract: Contract) -> Move:
        end = brussels.term_end(contract.starts_on, contract.term)
        if contract.letter_ends_on:
            end = contract.letter_ends_on
        wished = self.pick((end, end, end - DAY, end + DAY, end + self.days(-40, 40)))
        received = notice_ending(wished)
        received = self.pick(
            (
                self.today,
                self.today,
                self.today - self.days(0, 60),
                received,
                received,
                brussels.notice_gate(contract.starts_on) - self.days(-1, 90),
                contract.starts_on - self.days(0, 9),
                self.today - self.days(0, 500),
            )
        )
        return "GiveNotice", {
            "contract": number,
            "received_on": self.not_later(received).isoformat(),
            "channel": self.pick(product.NOTICE_CHANNELS),
        }

    def send_letter(self, number: str, contract: Contract) -> Move:
        term = max(1, contract.term - self.pick((0, 0, 0, 1, 2)))
        last = brussels.last_timely_posting(brussels.term_end(contract.starts_on, term))
        posted = self.pick(
            (self.today, self.today, last, last + DAY, last - self.days(0, 200), contract.starts_on - DAY)
        )
        return "SendTerminationNotice", {
            "contract": number,
            "posted_on": self.not_later(posted).isoformat(),
            "tracking": self.fresh("RR"),
        }

    def revoke_notice(self, number: str, _: Contract) -> Move:
        return "RevokeNotice", {"contract": number, "reason": "stays after all"}

    def letter_returned(self, number: str, _: Contract) -> Move:
        return "RecordLetterReturned", {"contract": number, "returned_on": self.today.isoformat()}

    def withdraw(self, number: str, contract: Contract) -> Move:
        later = max(contract.concluded_on, contract.starts_on)
        last = brussels.roll_forward(later + timedelta(days=14))
        received = self.pick(
            (self.today, last, last + DAY, later + self.days(10, 20), later + self.days(-20, 14))
        )
        return "WithdrawFromContract", {
            "contract": number,
            "received_on": self.not_later(received).isoformat(),
        }

    def annul(self, number: str, _: Contract) -> Move:
        return "AnnulContract", {"contract": number, "reason": "recorded twice"}

    def correct_person(self, number: str, contract: Contract) -> Move:
        person = contract.person if self.chance(0.8) else "P-9"
        return "CorrectPerson", {"contract": number, "person": person, "name": "Mila Peters"}

    # Claims

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

    # Complaints

    def on_complaint(self) -> Move:
        held = self.book.complaint_streams
        if not held or self.chance(0.3):
            exists = held and self.chance(self.wrong * 0.1)
            contract = self.number(self.book.contract_streams)
            fields: Fields = {
                "complaint": self.pick(held) if exists else self.fresh("CO"),
                "contract": contract,
                "received_on": (self.today - self.days(0, self.pick((0, 3, 60)))).isoformat(),
                "subject": "waits too long",
            }
            claims = [each.number for each in self.book.claim_streams.values() if each.contract == contract]
            if claims and self.chance(0.4):
                fields["claim"] = self.pick(claims) if self.chance(0.9) else "nobody"
            return "LodgeComplaint", fields
        command = self.pick(
            (
                "AcknowledgeComplaint",
                "AnswerComplaint",
                "EscalateToOmbudsman",
                "RecordOmbudsmanOpinion",
                "AcknowledgeComplaint",
                "AnswerComplaint",
                "EscalateToOmbudsman",
                "RecordOmbudsmanOpinion",
                "CloseComplaint",
            )
        )
        on = self.today - self.days(0, self.pick((0, 0, 5)))
        number = "nobody" if self.chance(self.wrong * 0.05) else self.pick(held)
        return command, {"complaint": number, "on": on.isoformat()}

    # What no book takes

    def malformed(self) -> Move:
        if not self.book.contract_streams:
            return "StartContract", {"contract": "CC-0"}
        command, fields = self.something(sensible=True)
        tomorrow = (self.today + DAY).isoformat()
        wrong: dict[str, tuple[object, ...]] = {
            "guarantee": ("theft",),
            "cause": ("weather",),
            "channel": ("pigeon",) if command == "GiveNotice" else ("",),
            "code": ("TOO_BAD",),
            "kind": ("financial",),
            "product": ("cyber-none",),
            "loss_cents": (-1, 1.5, True, "100", None),
            "amount_cents": (-1, 0.5, "1"),
            "payment_reference": ("", None),
            "received_on": (tomorrow, "2023-02-30", "yesterday"),
            "posted_on": (tomorrow,),
            "reported_at": (tomorrow, "2023-05-05T10:00:00"),
            "completed_at": (
                tomorrow,
                "2023-05-05T10:00:00",
                self.written(self.clock_time(self.today + DAY)),
            ),
            "occurred_at": ("2023-05-05T10:00:00", 20230505),
            "starts_on": ("2023-02-29", "29/02/2024"),
            "language": ("de",),
            "on": ("soon",),
            "topics": ("change_passwords",),
            "contract": ("", 7, None),
            "claim": ("", 7),
            "complaint": (True,),
        }
        choices = [name for name in fields if name in wrong]
        if not choices or self.chance(0.2):
            return command, fields | {"unknown_field": 1}
        name = self.pick(choices)
        return command, fields | {name: self.pick(wrong[name])}


def notice_ending(end: date) -> date:
    """The first day on which a notice, given after the gate, ends on that date or after it."""
    received = end - timedelta(days=33)
    while brussels.add_months(received + DAY, 1) < end:
        received += DAY
    return received


def history(
    seed: int, contracts: int = 3, steps: int = 60, wrong: float = 0.2, *, file_until: date | None = None
) -> list[Line]:
    """Import lines in order of `at`, but for the few that are out of order on purpose.

    contracts: how many are started; steps: about how many lines; wrong: the desk's share of mistakes;
    file_until: the last day of a history that `import` takes as a file, so without malformed lines.
    """
    return Desk(seed, contracts, steps, wrong, file_until).write()
