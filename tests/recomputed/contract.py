"""A contract, added up from its raw events: its place in the register, its limits, what is due."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from oracle import brussels, product
from recomputed.due import DueList
from recomputed.raw import RawEvent

Row = dict[str, object]

ENDS = {
    "Cancelled": ("cancelled", "effective_on"),
    "ContractExpired": ("expired", "ends_on"),
    "ContractWithdrawn": ("withdrawn", "ends_on"),
    "ContractAnnulled": ("annulled", "ends_on"),
}
MOVES = {
    "LimitConsumed": ("consumed", 1),
    "LimitConsumptionReversed": ("consumed", -1),
    "LimitReserved": ("reserved", 1),
    "LimitReleased": ("reserved", -1),
}
MET_BY = {"Cancelled": "notice_end", "ContractExpired": "term_end"}
ALL_DUE = ("termination_letter", "term_end", "notice_end", "withdrawal_end")


@dataclass
class Contract:
    """One contract as its raw events leave it."""

    number: str
    started: RawEvent
    term: int = 1
    years: int = 1
    """Insurance years begun: they keep their limits even where a late end takes a term back."""
    term_ends_on: date = date.min
    standing: dict[str, date] = field(default_factory=dict)
    """`notice` and `letter` while they stand, in order of recording, and when each ends the contract."""
    ended: tuple[str, date] | None = None
    used: Counter[tuple[int, str, str, str]] = field(default_factory=Counter)
    """By insurance year, guarantee, consumed or reserved, and amount or count."""
    due: DueList = field(default_factory=DueList)

    @property
    def status(self) -> str:
        if self.ended is not None:
            return self.ended[0]
        names = {"notice": "notice_given", "letter": "termination_notified"}
        return names[next(iter(self.standing))] if self.standing else "active"

    @property
    def ends_on(self) -> date:
        return self.ended[1] if self.ended else min(self.standing.values(), default=self.term_ends_on)

    def take(self, event: RawEvent) -> None:
        said = event.said
        self._take_due(event)
        match event.name:
            case "ContractStarted":
                self.term_ends_on = event.day("ends_on")
            case "ContractRenewed":
                self.term, self.term_ends_on = said["term"], event.day("ends_on")
                self.years = max(self.years, self.term)
            case "NoticeReceived":
                self.standing["notice"] = event.day("ends_on")
            case "NoticeRevoked":
                del self.standing["notice"]
            case "TerminationNoticeSent" if said["timely"]:
                self.standing["letter"] = event.day("ends_on")
            case name if name in ENDS:
                status, end = ENDS[name]
                self.ended = (status, event.day(end))
                if name != "ContractAnnulled":
                    last_day = self.ended[1] - timedelta(days=1)
                    self.term = min(self.term, max(1, brussels.term_of(event_start(self), last_day)))
            case name if name in MOVES:
                what, sign = MOVES[name]
                place = (said["insurance_year"], said["guarantee"], what)
                self.used[*place, "amount"] += sign * said["amount_cents"]
                self.used[*place, "count"] += sign * said["count"]

    def _take_due(self, event: RawEvent) -> None:  # noqa: C901, PLR0912  # one case a kind of event
        due, said = self.due, event.said
        match event.name:
            case "ContractStarted":
                due.backward("termination_letter", "R6", event.day("letter_raw_due_on"))
                due.on_the_day("term_end", "R3", event.day("ends_on"))
                if said["withdrawal_raw_due_on"] is not None:
                    due.forward("withdrawal_end", "R10", event.day("withdrawal_raw_due_on"))
            case "ContractRenewed":
                due.backward("termination_letter", "R6", event.day("letter_raw_due_on"))
                for row in due.of("term_end"):
                    if row.raw == event.day("starts_on"):
                        row.meet(row.raw)
                due.on_the_day("term_end", "R3", event.day("ends_on"))
            case "NoticeReceived":
                due.on_the_day("notice_end", "R5", event.day("ends_on"))
            case "NoticeRevoked":
                due.become("cancelled", "notice_end")
            case "TerminationNoticeSent" if said["timely"]:
                for row in due.of("termination_letter"):
                    if row.raw == event.day("letter_raw_due_on"):
                        row.meet(event.day("posted_on"))
            case "WithdrawalPeriodEnded":
                due.meet("withdrawal_end", event.day("due_on"))
            case "DeadlineMissed":
                due.miss(event)
            case "ContractAnnulled":
                due.become("cancelled", *ALL_DUE)
            case name if name in ENDS:
                self._end_due(name, event, event.day(ENDS[name][1]))

    def _end_due(self, name: str, event: RawEvent, end: date) -> None:
        for row in self.due.rows:
            if row.kind == MET_BY.get(name) and row.raw == end:
                row.meet(end)
            elif name == "ContractWithdrawn" and row.kind == "withdrawal_end":
                row.status, row.met_on = "met", event.day("received_on")
            else:
                row.end_with(end)

    def rows(self) -> dict[str, list[Row]]:
        return {"contracts": [self._register()], "limits": self._limits(), "due": self._due()}

    def _register(self) -> Row:
        said = self.started.said
        return {
            "contract": self.number,
            "opened_position": self.started.position,
            "status": self.status,
            "product": said["product"],
            "terms": said["terms"],
            "starts_on": event_start(self),
            "ends_on": self.ends_on,
            "notice_gate_on": brussels.notice_gate(event_start(self)),
            "term": self.term,
            "policyholder": said["policyholder"]["person"],
            "language": said["language"],
        }

    def _limits(self) -> list[Row]:
        start = event_start(self)
        return [
            {
                "contract": self.number,
                "insurance_year": year,
                "guarantee": guarantee,
                "guarantee_order": order,
                "contract_position": self.started.position,
                "from_on": brussels.term_end(start, year - 1),
                "to_on": brussels.term_end(start, year),
                "amount_limit_cents": product.AMOUNT_LIMIT[guarantee],
                "amount_consumed_cents": self.used[year, guarantee, "consumed", "amount"],
                "amount_reserved_cents": self.used[year, guarantee, "reserved", "amount"],
                "count_limit": product.COUNT_LIMIT[guarantee],
                "count_consumed": self.used[year, guarantee, "consumed", "count"],
                "count_reserved": self.used[year, guarantee, "reserved", "count"],
            }
            for year in range(1, self.years + 1)
            for order, guarantee in enumerate(product.GUARANTEES)
        ]

    def _due(self) -> list[Row]:
        place = {
            "subject_rank": 0,
            "subject_position": self.started.position,
            "contract": self.number,
            "contract_position": self.started.position,
            "guarantee": None,
        }
        return [place | row for row in self.due.shown(f"contract:{self.number}")]


def event_start(contract: Contract) -> date:
    """S, from which everything is counted."""
    return contract.started.day("starts_on")
