"""Random histories of a desk at work, mistakes included: seed in, import lines in order of `at` out.

The second reading itself steers: it knows what stands where, so that deep states (a fourth claim, a reopened
acceptance, a letter on its last day) are reached often, and wrong commands are wrong in telling ways.
"""

from datetime import date, timedelta

from oracle.brussels import DAY
from oracle.contract import Contract
from oracle.desk import THEMES, Move
from oracle.moves_on_claims import MovesOnClaims
from oracle.moves_on_complaints import MovesOnComplaints
from oracle.moves_on_contracts import MovesOnContracts
from oracle.reading import Line


class Writer(MovesOnContracts, MovesOnClaims, MovesOnComplaints):
    """Writes one history: what comes next, and what no book takes."""

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


def history(
    seed: int, contracts: int = 3, steps: int = 60, wrong: float = 0.2, *, file_until: date | None = None
) -> list[Line]:
    """Import lines in order of `at`, but for the few that are out of order on purpose.

    contracts: how many are started; steps: about how many lines; wrong: the desk's share of mistakes;
    file_until: the last day of a history that `import` takes as a file, so without malformed lines.
    """
    return Writer(seed, contracts, steps, wrong, file_until).write()
