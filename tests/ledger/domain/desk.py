"""The desk of the tests: commands with everything that a test does not care about filled in."""

from collections.abc import Mapping

from in_memory import InMemoryLedger

Answer = Mapping[str, object]


class Desk(InMemoryLedger):
    """One contract `C` from 2025-01-01, one claim `K`, one complaint `X`, unless told otherwise."""

    def do(self, command: str, at: str, /, **fields: object) -> Answer:
        return self.submit(command, fields, at)

    def start(self, at: str = "2025-01-01T09:00", *, contract: str = "C", **fields: object) -> Answer:
        given: dict[str, object] = {
            "contract": contract,
            "product": "cyber-care",
            "starts_on": "2025-01-01",
            "policyholder": {"person": "P", "name": "Mila Peeters"},
        }
        return self.submit("StartContract", given | fields, at)

    def notice(self, received_on: str, at: str | None = None, channel: str = "web_form") -> Answer:
        moment = at or received_on + "T09:00"
        return self.do("GiveNotice", moment, contract="C", received_on=received_on, channel=channel)

    def letter(self, posted_on: str, at: str | None = None) -> Answer:
        moment = at or posted_on + "T09:00"
        return self.do("SendTerminationNotice", moment, contract="C", posted_on=posted_on, tracking="RR1BE")

    def open(
        self,
        occurred_at: str,
        at: str | None = None,
        *,
        claim: str = "K",
        victim: Mapping[str, object] | None = None,
        **fields: object,
    ) -> Answer:
        given: dict[str, object] = {
            "claim": claim,
            "contract": "C",
            "guarantee": "payment",
            "cause": "fraud",
            "occurred_at": occurred_at,
            "channel": "phone",
            "victim": {"person": "P", "name": "Mila Peeters", "relation": "policyholder", "same_roof": True}
            | dict(victim or {}),
        }
        return self.submit("OpenClaim", given | fields, at or occurred_at + "T09:00")

    def ready(
        self, occurred_at: str, completed_at: str | None = None, *, claim: str = "K", **fields: object
    ) -> None:
        """Open a claim, identify its claimant and complete its submission."""
        day = completed_at or occurred_at
        assert self.open(occurred_at, day + "T09:00", claim=claim, **fields)["status"] == "recorded"
        self.do("IdentifyClaimant", day + "T09:00", claim=claim, method="callback")
        answer = self.do("CompleteSubmission", day + "T09:00", claim=claim, completed_at=day)
        assert answer["status"] == "recorded"

    def accept(self, loss_cents: int, at: str, *, claim: str = "K", compensated: int = 0) -> Answer:
        return self.do(
            "AcceptClaim", at, claim=claim, loss_cents=loss_cents, already_compensated_cents=compensated
        )

    def refund(self, at: str, *, claim: str = "K", reference: str = "PAY-1", **fields: object) -> Answer:
        return self.do("IssueRefund", at, claim=claim, payment_reference=reference, **fields)


def code(answer: Answer) -> object:
    """The code of a refusal, or the status where there is none."""
    return answer.get("code", answer["status"])
