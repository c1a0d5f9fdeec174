"""What makes a line invalid before any stream is looked at (R1, D10, D19), read a second time."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from oracle import brussels
from oracle.product import (
    ASSISTANCE,
    CAUSES,
    EXCLUSIONS,
    GUARANTEES,
    NOTICE_CHANNELS,
    RELATIONS,
    Malformed,
)

Reader = Callable[[object], object]
Fields = dict[str, Reader]


def text(given: object) -> str:
    if not isinstance(given, str) or not given or "\0" in given:
        raise Malformed
    return given


def texts(given: object) -> list[str]:
    if not isinstance(given, list):
        raise Malformed
    return [text(each) for each in given]


def yes_or_no(given: object) -> bool:
    if not isinstance(given, bool):
        raise Malformed
    return given


def day(given: object) -> date:
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", given):
        raise Malformed
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Malformed from None


def moment(given: object) -> date:
    """R1: an instant with an offset, or a bare date; read as the Brussels date either way."""
    if isinstance(given, str) and "T" in given:
        return brussels.brussels_date(instant(given))
    return day(given)


def instant(given: object) -> datetime:
    """R1: only a time without offset is invalid."""
    try:
        read = datetime.fromisoformat(text(given))
    except ValueError:
        raise Malformed from None
    if read.tzinfo is None:
        raise Malformed
    return read.astimezone(UTC)


def cents(given: object) -> int:
    """D10: negative amounts are invalid."""
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise Malformed
    return given


def cents_paid(given: object) -> int:
    """D10: a refund of 0 or less is invalid."""
    if cents(given) == 0:
        raise Malformed
    return cents(given)


def one_of(*names: str) -> Reader:
    """D19: what does not exist is invalid."""

    def read(given: object) -> object:
        if given not in names:
            raise Malformed
        return given

    return read


def record(needed: Fields, optional: Fields) -> Reader:
    def read(given: object) -> dict[str, object]:
        if not isinstance(given, dict) or not needed.keys() <= given.keys():
            raise Malformed
        known = needed | optional
        if not given.keys() <= known.keys():
            raise Malformed
        return {
            name: None if value is None and name in optional else known[name](value)
            for name, value in given.items()
        }

    return read


CONTACT: Fields = {"email": text, "address": text}
POLICYHOLDER = record({"person": text, "name": text}, CONTACT)
VICTIM = record({"person": text, "name": text, "relation": one_of(*RELATIONS), "same_roof": yes_or_no}, {})
ON_COMPLAINT = record({"complaint": text, "on": day}, {})
CLAIM_ONLY = record({"claim": text}, {})
PAYMENT = record({"claim": text, "payment_reference": text}, {})

COMMANDS: dict[str, Reader] = {
    "StartContract": record(
        {"contract": text, "product": one_of("cyber-care"), "starts_on": day, "policyholder": POLICYHOLDER},
        {
            "terms": text,
            "concluded_on": day,
            "distance_sale": yes_or_no,
            "language": one_of("nl", "fr", "en"),
        },
    ),
    "GiveNotice": record({"contract": text, "received_on": day, "channel": one_of(*NOTICE_CHANNELS)}, {}),
    "RevokeNotice": record({"contract": text, "reason": text}, {}),
    "SendTerminationNotice": record({"contract": text, "posted_on": day, "tracking": text}, {}),
    "RecordLetterReturned": record({"contract": text, "returned_on": day}, {}),
    "WithdrawFromContract": record({"contract": text, "received_on": day}, {}),
    "AnnulContract": record({"contract": text, "reason": text}, {}),
    "CorrectPerson": record({"contract": text, "person": text}, {"name": text} | CONTACT),
    "OpenClaim": record(
        {
            "claim": text,
            "contract": text,
            "guarantee": one_of(*GUARANTEES),
            "cause": one_of(*CAUSES),
            "occurred_at": moment,
            "channel": text,
            "victim": VICTIM,
        },
        {"reported_at": moment, "narrative": text},
    ),
    "IdentifyClaimant": record({"claim": text, "method": text}, {}),
    "GiveAdvice": record({"claim": text, "topics": texts}, {}),
    "ProvideAssistance": record({"claim": text, "kind": one_of(*ASSISTANCE), "provider": text}, {}),
    "AppointExpert": record({"claim": text, "provider": text}, {}),
    "CallOffExpert": record({"claim": text, "provider": text}, {}),
    "ReportFurtherIncident": record({"claim": text, "occurred_at": moment}, {"narrative": text}),
    "RequestDocuments": record({"claim": text, "documents": texts}, {}),
    "ReceiveDocument": record({"claim": text, "document": text, "sha256": text}, {}),
    "CompleteSubmission": record({"claim": text, "completed_at": moment}, {}),
    "AcceptClaim": record({"claim": text, "loss_cents": cents}, {"already_compensated_cents": cents}),
    "RejectClaim": record({"claim": text, "code": one_of(*EXCLUSIONS)}, {"reason": text}),
    "WithdrawClaim": CLAIM_ONLY,
    "IssueRefund": record(
        {"claim": text, "payment_reference": text}, {"amount_cents": cents_paid, "iban": text}
    ),
    "RecordRefundFailure": PAYMENT,
    "ReverseRefund": PAYMENT,
    "RecordRecovery": record({"claim": text, "amount_cents": cents, "payer": text}, {}),
    "CorrectIncident": record({"claim": text, "occurred_at": moment}, {}),
    "MoveClaim": record({"claim": text, "contract": text}, {}),
    "CloseClaim": record({"claim": text, "reason": text}, {}),
    "ReopenClaim": record({"claim": text, "reason": text}, {}),
    "LodgeComplaint": record(
        {"complaint": text, "contract": text, "received_on": day, "subject": text}, {"claim": text}
    ),
    "AcknowledgeComplaint": ON_COMPLAINT,
    "AnswerComplaint": ON_COMPLAINT,
    "EscalateToOmbudsman": ON_COMPLAINT,
    "RecordOmbudsmanOpinion": ON_COMPLAINT,
    "CloseComplaint": ON_COMPLAINT,
}

NOT_AFTER_AT = ("received_on", "posted_on", "reported_at", "completed_at")


def read(line: dict[str, object]) -> tuple[str, datetime, dict[str, object]]:
    """Command name, instant and fields of an import line. Raises Malformed."""
    name, at = line.get("command"), instant(line.get("at"))
    if not isinstance(name, str) or name not in COMMANDS:
        raise Malformed
    fields = COMMANDS[name](line.get("data"))
    assert isinstance(fields, dict)
    today = brussels.brussels_date(at)
    for field in NOT_AFTER_AT:  # R1: a later Brussels day than the command's at
        if fields.get(field) is not None and fields[field] > today:
            raise Malformed
    return name, at, fields
