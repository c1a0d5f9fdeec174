"""A book in which one person is all that a person can be, and another one stands beside.

P-ADA: policyholder of CC-1 and CC-2, victim of K-1 (hers), of K-3 on Ben's contract and of K-2, which was
moved from CC-1 to CC-2; complained of CC-1. P-BEN: policyholder of CC-3, victim of K-4 on it.
"""

from fixtures.desk import Fields, send
from ledger.app import App

ADA = "P-ADA"
BEN = "P-BEN"

ADAS = (
    "Ada Wouters-Ämilie",
    "Ada Wauters",
    "ada.wouters@example.org",
    "Kerkstraat 77, 9000 Gent",
    "A web shop that never was",
    "and then a second web shop",
    "She had lent the card to her neighbour",
    "BE68539007547034",
    "Nobody calls me back, says Ada",
)
"""Every value of hers that was ever typed."""
BENS = ("Ben Claessens", "ben@example.org")

HOLDS_ADA = (
    "contract/CC-1",
    "contract/CC-2",
    "claim/K-1",
    "claim/K-2",
    "claim/K-3",
    "complaint/X-1",
)


def started(number: str, person: str, name: str, **more: str) -> Fields:
    return {
        "contract": number,
        "product": "cyber-care",
        "starts_on": "2026-01-01",
        "policyholder": {"person": person, "name": name} | more,
    }


def opened(number: str, on: str, person: str, name: str, narrative: str | None = None) -> Fields:
    relation = "policyholder" if person == ADA and on != "CC-3" else "family"
    return {
        "claim": number,
        "contract": on,
        "guarantee": "payment",
        "cause": "fraud",
        "occurred_at": "2026-02-01",
        "channel": "phone",
        "victim": {"person": person, "name": name, "relation": relation, "same_roof": True},
    } | ({} if narrative is None else {"narrative": narrative})


ACTS: tuple[tuple[str, str, Fields], ...] = (
    ("StartContract", "2026-01-01", started("CC-1", ADA, ADAS[0], email=ADAS[2], address=ADAS[3])),
    ("StartContract", "2026-01-01", started("CC-2", ADA, ADAS[0])),
    ("StartContract", "2026-01-01", started("CC-3", BEN, BENS[0], email=BENS[1])),
    ("CorrectPerson", "2026-01-05", {"contract": "CC-1", "person": ADA, "name": ADAS[1]}),
    ("OpenClaim", "2026-02-02", opened("K-1", "CC-1", ADA, ADAS[0], ADAS[4])),
    (
        "ReportFurtherIncident",
        "2026-02-03",
        {"claim": "K-1", "occurred_at": "2026-02-02", "narrative": ADAS[5]},
    ),
    ("IdentifyClaimant", "2026-02-03", {"claim": "K-1", "method": "callback"}),
    ("CompleteSubmission", "2026-02-03", {"claim": "K-1", "completed_at": "2026-02-03"}),
    ("AcceptClaim", "2026-02-04", {"claim": "K-1", "loss_cents": 120_000}),
    ("IssueRefund", "2026-02-05", {"claim": "K-1", "payment_reference": "PAY-1", "iban": ADAS[7]}),
    ("OpenClaim", "2026-02-06", opened("K-2", "CC-1", ADA, ADAS[0])),
    ("MoveClaim", "2026-02-07", {"claim": "K-2", "contract": "CC-2"}),
    ("OpenClaim", "2026-02-06", opened("K-3", "CC-3", ADA, ADAS[0])),
    ("RejectClaim", "2026-02-07", {"claim": "K-3", "code": "NOT_INSURED_PERSON", "reason": ADAS[6]}),
    ("OpenClaim", "2026-02-06", opened("K-4", "CC-3", BEN, BENS[0])),
    (
        "LodgeComplaint",
        "2026-02-08",
        {"complaint": "X-1", "contract": "CC-1", "received_on": "2026-02-08", "subject": ADAS[8]},
    ),
)


def record(wiring: App) -> None:
    for name, day, fields in ACTS:
        answer = send(wiring, name, fields, f"{day}T10:00:00+01:00")
        assert answer.status == "recorded", answer
    wiring.seal()
