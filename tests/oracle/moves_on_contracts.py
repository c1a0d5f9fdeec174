"""What a desk does to contracts, sensible or not."""

from collections.abc import Callable
from datetime import timedelta

from oracle import brussels, product
from oracle.brussels import DAY
from oracle.contract import Contract
from oracle.desk import FIRST_DAYS, Desk, Fields, Move, notice_ending


class MovesOnContracts(Desk):
    """From the start to each way in which one ends."""

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
