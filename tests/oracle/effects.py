"""What time must have done to each stream by itself, told from the second reading's rows (R11, R12)."""

from collections import Counter
from datetime import date, timedelta

from oracle.due import Due
from oracle.reading import Book

Effect = tuple[str, str, date]
"""Stream, event type, the business date on which it took effect."""

ENDED = {"cancelled": "contract.Cancelled", "expired": "contract.ContractExpired"}


def effects_of_time(book: Book) -> "Counter[Effect]":
    """Every deadline missed, every renewal, every end by time, and each withdrawal period that went by.

    Only for histories in which no end is recorded late (D3): that takes back what a row once was.
    """
    told: Counter[Effect] = Counter()
    for number, contract in book.contract_streams.items():
        stream = f"contract/{number}"
        told.update(missed(stream, contract.due))
        for row in contract.due:
            if row.kind == "term_end" and row.status == "met" and row.raw != contract.ended_on:
                told[stream, "contract.ContractRenewed", row.raw] += 1
            if row.kind == "withdrawal_end" and row.status == "met" and contract.ended_as != "withdrawn":
                told[stream, "contract.WithdrawalPeriodEnded", row.due] += 1
        if contract.ended_as in ENDED and contract.ended_on is not None:
            told[stream, ENDED[contract.ended_as], contract.ended_on] += 1
    for number, claim in book.claim_streams.items():
        told.update(missed(f"claim/{number}", claim.due))
    for number, complaint in book.complaint_streams.items():
        told.update(missed(f"complaint/{number}", complaint.due))
    return told


def missed(stream: str, rows: list[Due]) -> "Counter[Effect]":
    kind = stream.partition("/")[0]
    return Counter(
        (
            stream,
            f"{kind}.DeadlineMissed",
            (row.raw if row.kind == "termination_letter" else row.due) + timedelta(days=1),
        )
        for row in rows
        if row.status == "missed"
    )
