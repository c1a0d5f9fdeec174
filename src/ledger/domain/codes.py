"""Codes of the trade, and what can become of a contract, a claim, a complaint and a due date.

Types alone, so that a program that only reads words, as `--help` does, loads no model.
"""

from typing import Literal, get_args

Guarantee = Literal["identity", "payment", "data", "reputation"]
GUARANTEES: tuple[Guarantee, ...] = get_args(Guarantee)
Cause = Literal["fraud", "abuse", "identity_theft", "malware", "cyberstalking", "other"]
Relation = Literal["policyholder", "family", "non_family"]
Assistance = Literal["legal", "psychological", "technical", "data_recovery"]
NoticeChannel = Literal["web_form", "registered_letter", "email", "counter"]
# The page lists channels for a notice only; a claim comes by phone, the FAQ's own way, or as people write.
ClaimChannel = Literal[
    "phone",
    "web_form",
    "registered_letter",
    "email",
    "counter",
    "letter",
    "web",
    "app",
    "chat",
    "broker",
    "partner",
]
Language = Literal["nl", "fr", "en"]
ExclusionCode = Literal[
    "UNLAWFUL_ACTIVITY",
    "NOT_INSURED_PERSON",
    "PROVIDER_DELAY",
    "FORCE_MAJEURE",
    "DAMAGE_DURING_SUPPORT",
    "NOT_MALWARE",
    "OUTSIDE_COVER",
    "LIMIT_AMOUNT",
    "LIMIT_COUNT",
    "ALREADY_COMPENSATED",
    "PROFESSIONAL_USE",
]


ContractEnd = Literal["cancelled", "expired", "withdrawn", "annulled"]
ContractStatus = Literal["active", "notice_given", "termination_notified", ContractEnd]
ClaimStatus = Literal["open", "submitted", "accepted", "rejected", "withdrawn", "closed"]
ComplaintStatus = Literal["open", "acknowledged", "answered", "escalated", "opinion_received", "closed"]

DeadlineKind = Literal[
    "termination_letter",
    "term_end",
    "notice_end",
    "refund",
    "complaint_acknowledgement",
    "complaint_answer",
    "ombudsman_opinion",
    "withdrawal_end",
    "retention",
]
DeadlineRule = Literal["R3", "R5", "R6", "R7", "R9", "R10", "R13"]
DeadlineStatus = Literal["open", "met", "missed", "cancelled"]
