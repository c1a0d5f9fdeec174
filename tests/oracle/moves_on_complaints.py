"""What a desk does to complaints, sensible or not."""

from oracle.desk import Desk, Fields, Move


class MovesOnComplaints(Desk):
    """From lodging to the Ombudsman."""

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
