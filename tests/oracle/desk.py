"""A desk at work: its clock, its chances, and the lines that it has written."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from typing import Any

from oracle import brussels
from oracle.brussels import DAY
from oracle.claim import Claim
from oracle.complaint import Complaint
from oracle.contract import Contract
from oracle.reading import Book, Line

Fields = dict[str, Any]
Move = tuple[str, Fields]

FIRST_DAYS = (  # leap days, last days of months, plain days
    date(2020, 2, 29),
    date(2021, 8, 31),
    date(2022, 3, 31),
    date(2022, 10, 30),
    date(2023, 1, 29),
    date(2023, 5, 31),
    date(2023, 8, 29),
    date(2023, 8, 30),
    date(2023, 11, 30),
    date(2023, 12, 31),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 8, 31),
    date(2025, 1, 1),
    date(2026, 6, 29),
    date(2026, 6, 30),
)
CLOCK_CHANGES = (
    date(2023, 3, 26),
    date(2023, 10, 29),
    date(2024, 3, 31),
    date(2024, 10, 27),
    date(2025, 3, 30),
)
LAST_DAY = date(2034, 12, 31)
THEMES = {  # shares of moves on a contract, of claims opened, of moves on a complaint; the rest is on claims
    "all": (0.12, 0.12, 0.05),
    "contracts": (0.6, 0.1, 0.02),
    "claims": (0.02, 0.07, 0.01),
    "years": (0.01, 0.13, 0.0),
    "rescues": (0.02, 0.07, 0.0),
    "complaints": (0.1, 0.1, 0.7),
}


class Desk:
    """One history in the making."""

    def __init__(self, seed: int, contracts: int, steps: int, wrong: float, file_until: date | None) -> None:
        self.random = Random(seed)  # noqa: S311  # histories are no secrets
        self.book = Book()
        self.contracts, self.steps, self.wrong = contracts, steps, wrong
        self.for_a_file, self.last_day = file_until is not None, file_until or LAST_DAY
        self.now = self.clock_time(self.pick(FIRST_DAYS))
        self.lines: list[Line] = []
        self.numbers = 0
        # Each history has its own pace and its own theme, so that some go deep and some go far.
        self.pace = self.pick((0.15, 0.4, 1.0))
        self.theme = self.pick(
            (
                "all",
                "all",
                "contracts",
                "contracts",
                "claims",
                "claims",
                "rescues",
                "years",
                "years",
                "complaints",
            )
        )

    def pick(self, options: Any) -> Any:  # noqa: ANN401  # whatever the options are
        return self.random.choice(list(options))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def days(self, least: int, most: int) -> timedelta:
        return timedelta(days=self.random.randint(least, most))

    def fresh(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}-{self.numbers}"

    @property
    def today(self) -> date:
        return brussels.brussels_date(self.now)

    def clock_time(self, day: date) -> datetime:
        """An instant of that Brussels day, often near its edges."""
        edges = (
            time(0, 0),
            time(0, 0, 1),
            time(0, 30),
            time(2, 30),
            time(12, 0),
            time(23, 30),
            time(23, 59, 59),
        )
        edge = self.pick(edges) if self.chance(0.5) else time(self.random.randint(7, 19), 15)
        return datetime.combine(day, edge, brussels.BRUSSELS).astimezone(UTC)

    def pass_time(self) -> None:
        """Move the clock: often not at all or little, sometimes to a day that matters."""
        before = self.now
        roll = self.random.random() / self.pace
        if self.theme == "contracts" and self.chance(0.4):
            self.now = self.clock_time(self.day_that_matters())
        elif self.pace < 1 and self.chance(0.5):
            pass
        elif roll < 0.25:
            self.now += timedelta(minutes=self.random.randint(0, 90))
        elif roll < 0.6:
            self.now = self.clock_time(self.today + self.days(0, 9))
        elif roll < 0.75:
            self.now = self.clock_time(self.today + self.days(10, 90))
        elif roll < 0.78:
            self.now = self.clock_time(self.today + self.days(200, 500))
        elif roll < 1 or self.chance(0.1):
            self.now = self.clock_time(self.day_that_matters())
        if self.now < before or self.today > self.last_day:
            self.now = before
        self.book.elapse(self.now)

    def day_that_matters(self) -> date:
        days = [self.today, *CLOCK_CHANGES]
        for stream in self.streams():
            for row in stream.due:
                if row.status == "open":
                    days += [row.raw, row.due, row.alert]
        for contract in self.book.contract_streams.values():
            end = brussels.term_end(contract.starts_on, contract.term)
            days += [
                contract.ends_on,
                notice_ending(end),
                notice_ending(end),
                brussels.notice_gate(contract.starts_on),
                contract.starts_on,
            ]
        near = [day for day in days if self.today <= day <= self.today + timedelta(days=200)]
        return self.pick(near or [self.today]) + self.days(-1, 1)

    def streams(self) -> Iterator[Contract | Claim | Complaint]:
        yield from self.book.contract_streams.values()
        yield from self.book.claim_streams.values()
        yield from self.book.complaint_streams.values()

    def written(self, instant: datetime) -> str:
        """An instant as different desks write it: Brussels time, UTC, or far away."""
        zone = self.pick((brussels.BRUSSELS, brussels.BRUSSELS, UTC, timezone(timedelta(hours=9))))
        return instant.astimezone(zone).isoformat()

    def moment(self, day: date) -> str:
        """A field named …_at: a bare date or an instant of that Brussels day."""
        return day.isoformat() if self.chance(0.6) else self.written(self.clock_time(day))

    def not_later(self, day: date) -> date:
        return min(day, self.today)

    def say(self, command: str, fields: Fields, at: datetime | None = None) -> None:
        line = {
            "command_id": self.fresh("cmd"),
            "command": command,
            "at": self.written(at or self.now),
            "actor": "desk",
            "data": fields,
        }
        self.lines.append(line)
        self.book.submit(line)

    def repeat(self) -> None:
        """The same id again: with the same content, or with other content."""
        known = [line for line in self.lines if self.book.knows(line["command_id"])]
        if self.for_a_file:  # whose lines are in order of `at`
            known = [line for line in known[-1:] if datetime.fromisoformat(line["at"]) == self.now]
        if not known:
            return
        line = self.pick(known)
        if self.chance(0.4):
            others = [name for name in ("reason", "tracking", "provider", "method") if name in line["data"]]
            wrong = {"contract": "CC-other"} if not self.for_a_file else {}
            line = line | {"data": line["data"] | dict.fromkeys(others, "other") | wrong}
        self.lines.append(line)
        self.book.submit(line)

    def number(self, held: dict[str, Any]) -> str:
        """Now and then a number that nobody holds."""
        return "nobody" if not held or self.chance(self.wrong * 0.1) else self.pick(held)


def notice_ending(end: date) -> date:
    """The first day on which a notice, given after the gate, ends on that date or after it."""
    received = end - timedelta(days=33)
    while brussels.add_months(received + DAY, 1) < end:
        received += DAY
    return received
