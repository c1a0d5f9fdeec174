"""What is counted over a whole book, and who stands in its directory, from raw events."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from oracle import product
from recomputed.book import Recomputed
from recomputed.raw import RawEvent

Figures = dict[str, int | None]
Place = tuple[int, str]
"""A calendar year and a guarantee."""

DAYS_OF_A_YEAR = 365
AMOUNTS = (
    "loss", "approved", "excess", "reserved", "refunded", "owed", "recovered", "net", "incurred",
)  # fmt: skip


def guarantees(book: Recomputed, until: date) -> dict[Place, Figures]:
    """Count claims by the calendar year of their incident, and days of cover up to and including a day."""
    counted: dict[Place, Counter[str]] = defaultdict(Counter)
    for claim in book.claims.values():
        [row] = claim.rows(lambda _: 0)["reserves"]
        place = counted[claim.figures.incident_on.year, claim.figures.opened.said["guarantee"]]
        place["claims_opened"] += 1
        place["claims_counted"] += claim.figures.counted
        place["claims_undecided"] += claim.figures.status in {"open", "submitted"}
        for status in ("rejected", "withdrawn"):
            place[f"claims_{status}"] += claim.figures.status == status
        for name in AMOUNTS:
            place[f"{name}_cents"] += int(str(row[f"{name}_cents"]))
    for contract in book.contracts.values():
        start, end = contract.started.day("starts_on"), min(contract.ends_on, until + timedelta(days=1))
        for year in range(start.year, end.year + 1):
            begin, stop = max(start, date(year, 1, 1)), min(end, date(year + 1, 1, 1))
            for guarantee in product.GUARANTEES:
                counted[year, guarantee]["exposed_days"] += max(0, (stop - begin).days)
    return {place: dict(figures) | _a_year(figures) for place, figures in counted.items()}


def _a_year(figures: Counter[str]) -> Figures:
    days = figures["exposed_days"]
    return {
        f"{name}_cents_per_year": (
            None if days == 0 else (figures[f"{name}_cents"] * DAYS_OF_A_YEAR * 2 + days) // (days * 2)
        )
        for name in ("net", "incurred")
    }


def directory(events: Iterable[RawEvent]) -> set[tuple[str, str]]:
    """Name who stands in the directory, and by which fields: nobody who was erased."""
    standing: set[tuple[str, str]] = set()
    erased: set[str] = set()
    for event in events:
        match event.kind, event.name:
            case "contract", "ContractStarted":
                named, fields = event.said["policyholder"], {"name": "name", "email": "email"}
            case "contract", "PersonCorrected":
                named, fields = event.said, {"name": "name", "email": "email"}
            case "claim", "ClaimOpened":
                named, fields = event.said["victim"], {"name": "victim_name"}
            case _, "SubjectErased":
                erased.add(event.said["person"])
                continue
            case _:
                continue
        standing |= {
            (named["person"], known) for said, known in fields.items() if named.get(said) is not None
        }
    return {(person, known) for person, known in standing if person not in erased}
