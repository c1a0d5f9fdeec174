"""Why the ledger says no: one class a code, each naming the rule that is broken.

A refusal's docstring defines it; its message says in one line what is wrong and what to do next.
Refused means: no event was recorded. `Invalid` is not a refusal: the command could not be read at all.

Messages are English, to be read and never to be taken apart: what a program needs of them (which field,
which fault) stands beside, as codes.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

FaultCode = Literal["MISSING", "UNKNOWN_FIELD", "AFTER_AT", "NOT_TAKEN"]
"""What is wrong with a field; `AFTER_AT`: a day after that of the command (R1)."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that a command cannot have as it stands."""

    field: str
    """Dotted, `victim.person`; empty: the command as a whole."""
    code: FaultCode
    text: str
    """In English, what follows the field's name in a line."""

    def __str__(self) -> str:
        return f"{self.field}: {self.text}" if self.field else self.text


class Invalid(Exception):
    """The command is malformed, whatever the ledger holds (R1, D19)."""

    def __init__(self, *faults: FieldFault, command: str | None = None) -> None:
        """Keep every wrong field. `command`: its name, where the line is to begin with it."""
        self.faults = faults
        line = " ".join("; ".join(map(str, faults)).split())
        self.message = line if command is None else f"{command}: {line}"
        super().__init__(self.message)


class Refusal(Exception):
    """A rule of the product forbids the command as things stand."""

    code: ClassVar[str]
    rule: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Keep the line that says what is wrong and what to do next."""
        super().__init__(message)
        self.message = message


class Unknown(Refusal):
    """What the command names does not exist."""

    code = "UNKNOWN"
    rule = "I16"


class Exists(Refusal):
    """What the command would make is already there."""

    code = "EXISTS"
    rule = "I16"


class OutOfOrder(Refusal):
    """The command's `at` is earlier than that of its stream's last event."""

    code = "OUT_OF_ORDER"
    rule = "interfaces"


class ProductClosed(Refusal):
    """The contract would start after the product's last day of sale."""

    code = "PRODUCT_CLOSED"
    rule = "terms"


class ContractEnded(Refusal):
    """The contract has ended, so it takes no notice, letter, withdrawal or second end (I11)."""

    code = "CONTRACT_ENDED"
    rule = "I16"


class NoticeStands(Refusal):
    """The policyholder's notice already stands."""

    code = "NOTICE_STANDS"
    rule = "I16"


class LetterStands(Refusal):
    """A timely letter of the insurer already stands."""

    code = "LETTER_STANDS"
    rule = "D3"


class NotDistanceSale(Refusal):
    """Only a contract sold at a distance can be withdrawn from."""

    code = "NOT_DISTANCE_SALE"
    rule = "D6"


class WithdrawalTooLate(Refusal):
    """The withdrawal was received after its last day."""

    code = "WITHDRAWAL_TOO_LATE"
    rule = "R10"


class HasClaims(Refusal):
    """A contract with accepted claims cannot be annulled."""

    code = "HAS_CLAIMS"
    rule = "contract"


class PersonMismatch(Refusal):
    """The policyholder named is not the contract's own person."""

    code = "PERSON_MISMATCH"
    rule = "D8"


class IncidentInFuture(Refusal):
    """The incident would lie outside the days in which it can have been reported."""

    code = "INCIDENT_IN_FUTURE"
    rule = "I16"


class NotIdentified(Refusal):
    """The claimant has not been identified."""

    code = "NOT_IDENTIFIED"
    rule = "I3"


class NotSubmitted(Refusal):
    """The claim's submission is not complete."""

    code = "NOT_SUBMITTED"
    rule = "I3"


class AlreadySubmitted(Refusal):
    """The submission is already complete."""

    code = "ALREADY_SUBMITTED"
    rule = "D9"


class AlreadyDecided(Refusal):
    """The claim is accepted, rejected, withdrawn or closed."""

    code = "ALREADY_DECIDED"
    rule = "D9"


class NotDecided(Refusal):
    """The claim is neither accepted, rejected, withdrawn nor closed."""

    code = "NOT_DECIDED"
    rule = "D15"


class NotInsuredPerson(Refusal):
    """The victim is neither the policyholder nor family under the same roof."""

    code = "NOT_INSURED_PERSON"
    rule = "I13"


class OutsideCover(Refusal):
    """The incident's date does not lie in the contract's cover."""

    code = "OUTSIDE_COVER"
    rule = "I4"


class NotMalware(Refusal):
    """Data are insured against malicious software only."""

    code = "NOT_MALWARE"
    rule = "I13"


class NoIndemnity(Refusal):
    """A loss on a guarantee of services alone, or none where money is what is insured."""

    code = "NO_INDEMNITY"
    rule = "I13"


class AlreadyCompensated(Refusal):
    """Others have paid the whole loss."""

    code = "ALREADY_COMPENSATED"
    rule = "I13"


class LimitCount(Refusal):
    """The insurance year has no claim left for this guarantee."""

    code = "LIMIT_COUNT"
    rule = "I8"


class LimitAmount(Refusal):
    """The insurance year has no amount left for this guarantee."""

    code = "LIMIT_AMOUNT"
    rule = "I8"


class NoSuchService(Refusal):
    """The guarantee does not give this kind of assistance."""

    code = "NO_SUCH_SERVICE"
    rule = "D9"


class ExpertStands(Refusal):
    """An expert is already appointed to the claim."""

    code = "EXPERT_STANDS"
    rule = "D14"


class NotAccepted(Refusal):
    """No acceptance was ever recorded."""

    code = "NOT_ACCEPTED"
    rule = "D11"


class RefundExceedsApproved(Refusal):
    """More would be refunded than is approved."""

    code = "REFUND_EXCEEDS_APPROVED"
    rule = "I2"


class RefundOwed(Refusal):
    """Something is still owed on the claim."""

    code = "REFUND_OWED"
    rule = "D15"


class RecoveryExceedsRefunded(Refusal):
    """More would be recovered than was refunded."""

    code = "RECOVERY_EXCEEDS_REFUNDED"
    rule = "D13"


class Closed(Refusal):
    """The complaint is closed."""

    code = "CLOSED"
    rule = "D18"


REFUSALS: dict[str, type[Refusal]] = {refusal.code: refusal for refusal in Refusal.__subclasses__()}
"""Every refusal by its code."""
