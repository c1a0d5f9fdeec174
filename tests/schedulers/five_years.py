"""Five years of a book of business, from a seed: contracts that start and end, claims and complaints."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from oracle import brussels
from oracle.reading import Line

FIRST, LAST = date(2021, 7, 1), date(2026, 7, 1)
Fields = dict[str, object]
Told = tuple[datetime, str, Fields]


def lines(contracts: int, seed: int = 5) -> list[Line]:
    """Import lines in order of `at`, the last one before the end of the five years."""
    chance = Random(seed)  # noqa: S311  # chance that can be repeated
    told = [one for number in range(contracts) for one in _contract(number, chance)]
    told = sorted((one for one in told if one[0].date() < LAST), key=lambda one: one[0])
    return [
        {"command_id": f"five-{place}", "command": name, "at": at.isoformat(), "data": fields}
        for place, (at, name, fields) in enumerate(told)
    ]


def _at(day: date, chance: Random) -> datetime:
    return datetime.combine(day, time(chance.randint(8, 18), chance.randint(0, 59)), brussels.BRUSSELS)


def _contract(number: int, chance: Random) -> Iterator[Told]:
    name = f"CC-{number}"
    starts_on = FIRST + timedelta(days=chance.randint(0, 1000))
    person = {"person": f"P-{name}", "name": "Zoë Ünal"}
    fields: Fields = {
        "contract": name,
        "product": "cyber-care",
        "starts_on": starts_on.isoformat(),
        "policyholder": person,
        "distance_sale": chance.random() < 0.3,
    }
    yield _at(starts_on, chance), "StartContract", fields
    roll = chance.random()
    if roll < 0.05 and fields["distance_sale"]:
        day = starts_on + timedelta(days=chance.randint(1, 12))
        yield _at(day, chance), "WithdrawFromContract", {"contract": name, "received_on": day.isoformat()}
        return
    if roll < 0.35:
        day = starts_on + timedelta(days=chance.randint(20, 900))
        notice: Fields = {"contract": name, "received_on": day.isoformat(), "channel": "web_form"}
        yield _at(day, chance), "GiveNotice", notice
        if roll < 0.1:
            later = day + timedelta(days=chance.randint(0, 20))
            yield _at(later, chance), "RevokeNotice", {"contract": name, "reason": "stays"}
    elif roll < 0.75:
        yield from _letters(name, starts_on, chance)
    for claim in range(chance.choice((0, 0, 1, 1, 2, 3))):
        yield from _claim(f"K-{number}-{claim}", name, starts_on, chance)
    if chance.random() < 0.2:
        yield from _complaint(f"X-{number}", name, starts_on, chance)


def _letters(name: str, starts_on: date, chance: Random) -> Iterator[Told]:
    """A letter on its last timely day, near it, or a day late and then another one in the next term."""
    term = chance.randint(1, 3)
    last = brussels.last_timely_posting(brussels.term_end(starts_on, term))
    off = chance.choice((0, 0, 1, 1, -1, -10, 7))
    posted = last + timedelta(days=off)
    yield _at(posted, chance), "SendTerminationNotice", _posted(name, posted)
    if off > 0:
        again = brussels.last_timely_posting(brussels.term_end(starts_on, term + 1)) - timedelta(days=3)
        yield _at(again, chance), "SendTerminationNotice", _posted(name, again)


def _posted(name: str, on: date) -> Fields:
    return {"contract": name, "posted_on": on.isoformat(), "tracking": "RR1BE"}


def _claim(claim: str, contract: str, starts_on: date, chance: Random) -> Iterator[Told]:
    happened = starts_on + timedelta(days=chance.randint(0, 1100))
    day = happened + timedelta(days=chance.randint(0, 5))
    victim = {"person": f"P-{contract}", "name": "Zoë Ünal", "relation": "policyholder", "same_roof": True}
    opened: Fields = {
        "claim": claim,
        "contract": contract,
        "guarantee": "payment",
        "cause": "fraud",
        "occurred_at": happened.isoformat(),
        "channel": "phone",
        "victim": victim,
    }
    yield _at(day, chance), "OpenClaim", opened
    day += timedelta(days=1)
    yield _at(day, chance), "IdentifyClaimant", {"claim": claim, "method": "callback"}
    day += timedelta(days=chance.randint(0, 30))
    yield _at(day, chance), "CompleteSubmission", {"claim": claim, "completed_at": day.isoformat()}
    day += timedelta(days=chance.randint(1, 12))
    roll = chance.random()
    if roll < 0.2:
        yield _at(day, chance), "RejectClaim", {"claim": claim, "code": "PROFESSIONAL_USE"}
        return
    yield _at(day, chance), "AcceptClaim", {"claim": claim, "loss_cents": chance.randint(1_000, 300_000)}
    if roll < 0.9:
        day += timedelta(days=chance.choice((1, 2, 3, 5, 9, 30)))
        yield _at(day, chance), "IssueRefund", {"claim": claim, "payment_reference": f"R-{claim}"}
        if roll < 0.3:
            day += timedelta(days=chance.randint(1, 9))
            yield (
                _at(day, chance),
                "RecordRefundFailure",
                {
                    "claim": claim,
                    "payment_reference": f"R-{claim}",
                },
            )


def _complaint(complaint: str, contract: str, starts_on: date, chance: Random) -> Iterator[Told]:
    day = starts_on + timedelta(days=chance.randint(1, 1000))
    lodged: Fields = {
        "complaint": complaint,
        "contract": contract,
        "received_on": day.isoformat(),
        "subject": "Slow",
    }
    yield _at(day, chance), "LodgeComplaint", lodged
    for command, least, most in (
        ("AcknowledgeComplaint", 0, 8),
        ("AnswerComplaint", 1, 45),
        ("EscalateToOmbudsman", 1, 30),
        ("RecordOmbudsmanOpinion", 10, 120),
    ):
        if chance.random() < 0.25:
            return
        day += timedelta(days=chance.randint(least, most))
        yield _at(day, chance), command, {"complaint": complaint, "on": day.isoformat()}
