"""What can become of a contract, a claim, a complaint and a due date, and which kinds of due dates there are.

Types alone, so that a program that only reads words, as `--help` does, loads no model.
"""

from typing import Literal

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
DeadlineStatus = Literal["open", "met", "missed", "cancelled"]
