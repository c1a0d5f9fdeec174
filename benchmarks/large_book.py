"""A large book for the site: contracts of two years, one in five with a claim that went all its way."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Final

from ledger.domain.calendar import BRUSSELS

FIRST: Final = date(2024, 3, 1)
DAYS: Final = 700
UNTIL: Final = date(2026, 3, 1)
ONE_IN: Final = 5
"""Contracts to a claim."""
GUARANTEES: Final = (
    ("payment", "fraud", 3),
    ("identity", "identity_theft", 1),
    ("data", "malware", 1),
    ("reputation", "cyberstalking", 1),
)
"""Guarantee, cause, and how often of all claims."""

Line = dict[str, object]


def write_large_book(file: Path, contracts: int) -> int:
    """Write the commands of a book, in order of `at`; how many."""
    lines = sorted(_lines(contracts), key=lambda line: str(line["at"]))
    with file.open("w", encoding="utf-8") as written:
        for line in lines:
            written.write(json.dumps(line) + "\n")
    return len(lines)


def _lines(contracts: int) -> Iterator[Line]:
    chance = Random(7)  # noqa: S311  # a book, not a secret
    for place in range(contracts):
        number, person = f"BIG-{place:06d}", f"P-{place:06d}"
        starts_on = FIRST + timedelta(days=place * DAYS // contracts)
        holder = {"person": person, "name": f"Holder {place}", "email": f"h{place}@example.org"}
        fields: Line = {"contract": number, "product": "cyber-care", "starts_on": starts_on.isoformat()}
        yield _line(number, "StartContract", starts_on, 9, fields | {"policyholder": holder})
        if place % 40 == 0:
            noticed = starts_on + timedelta(days=200)
            if noticed < UNTIL:
                notice = {"contract": number, "received_on": noticed.isoformat(), "channel": "web_form"}
                yield _line(number, "GiveNotice", noticed, 9, notice)
        elif place % ONE_IN == 0:
            yield from _claim(chance, number, person, starts_on + timedelta(days=chance.randrange(20, 150)))


def _claim(chance: Random, contract: str, person: str, day: date) -> Iterator[Line]:
    if day + timedelta(days=30) >= UNTIL:
        return
    guarantee, cause, _ = chance.choices(GUARANTEES, [often for *_, often in GUARANTEES])[0]
    claim = f"C-{contract}"
    victim = {"person": person, "name": "Holder", "relation": "policyholder", "same_roof": True}
    opened: Line = {"claim": claim, "contract": contract, "guarantee": guarantee, "cause": cause}
    yield _line(
        claim,
        "OpenClaim",
        day,
        10,
        opened | {"occurred_at": day.isoformat(), "channel": "phone", "victim": victim},
    )
    yield _line(claim, "IdentifyClaimant", day, 11, {"claim": claim, "method": "callback"})
    completed = {"claim": claim, "completed_at": day.isoformat()}
    yield _line(claim, "CompleteSubmission", day, 12, completed)
    indemnity = guarantee in {"payment", "data"}
    loss = chance.randrange(5_000, 600_000) if indemnity else 0
    decided = day + timedelta(days=chance.randrange(1, 10))
    yield _line(claim, "AcceptClaim", decided, 13, {"claim": claim, "loss_cents": loss})
    if indemnity:
        paid = decided + timedelta(days=chance.randrange(1, 12))
        yield _line(claim, "IssueRefund", paid, 14, {"claim": claim, "payment_reference": f"PAY-{claim}"})


def _line(number: str, command: str, day: date, hour: int, fields: Line) -> Line:
    at = datetime.combine(day, time(hour), BRUSSELS)
    return {
        "command_id": f"{number}-{command}",
        "command": command,
        "at": at.isoformat(),
        "actor": "migration",
        "data": fields,
    }
