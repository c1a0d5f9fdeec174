"""A contract, read a second time (R3 to R6, R10 to R12, D1 to D7)."""

from dataclasses import dataclass, field
from datetime import date, datetime

from oracle import brussels, due, product
from oracle.due import Due
from oracle.product import AMOUNT_LIMIT, COUNT_LIMIT, GUARANTEES, refuse


@dataclass
class Use:
    """What one claim takes of one guarantee in one insurance year."""

    amount: int = 0
    count: int = 0
    reserved_amount: int = 0
    reserved_count: int = 0


@dataclass
class Contract:
    """One contract as it stands; every date is counted from S (R3)."""

    number: str
    person: str
    starts_on: date
    concluded_on: date
    distance_sale: bool
    term: int = 0
    years_begun: int = 0
    due: list[Due] = field(default_factory=list)
    ended_as: str | None = None
    ended_on: date | None = None
    notice: Due | None = None  # the notice_end row of the notice that stands
    letter_ends_on: date | None = None  # of a timely letter
    letters: int = 0
    first_to_end: str | None = None
    uses: dict[tuple[int, str], dict[str, Use]] = field(default_factory=dict)
    accepted_claims: set[str] = field(default_factory=set)
    last_at: datetime | None = None
    told: bool = False  # whether the command at hand records an event here

    def __post_init__(self) -> None:
        """D4: active from its recording, first limits rows included."""
        self.begin_term(1)
        if self.distance_sale:
            raw = brussels.withdrawal_raw(self.concluded_on, self.starts_on)
            self.due.append(due.rolled_forward(self.subject, "withdrawal_end", "R10", raw))

    @property
    def subject(self) -> str:
        return f"contract:{self.number}"

    def begin_term(self, term: int) -> None:
        """R11: fresh limits and deadlines."""
        self.term, self.years_begun = term, max(self.years_begun, term)
        end = brussels.term_end(self.starts_on, term)
        self.due.append(due.termination_letter(self.subject, end))
        self.due.append(due.end_of_cover(self.subject, "term_end", "R3", end))

    # What time does

    def running_end(self) -> date:
        """The date on which the contract ends or renews next: R5 and R11, whichever is first."""
        ends = [brussels.term_end(self.starts_on, self.term)]
        if self.notice:
            ends.append(self.notice.raw)
        if self.letter_ends_on:
            ends.append(self.letter_ends_on)
        return min(ends)

    def elapse(self, until: datetime) -> None:
        """R12: at one instant deadlines first, then ends and renewals."""
        while not self.ended_as:
            end = self.running_end()
            if brussels.midnight(end) > until:
                break
            due.let_time_act(self.due, brussels.midnight(end))
            self.reach(end)
        due.let_time_act(self.due, until)

    def reach(self, end: date) -> None:
        """R11, D1: a notice that ends exactly on E cancels; a timely letter expires; nothing renews."""
        ends = (self.notice.raw if self.notice else None, self.letter_ends_on)
        if end in ends:
            self.undo_the_past(end)
        if self.notice and self.notice.raw == end:
            self.notice.meet(end)
            self.end("cancelled", end)
            return
        for row in self.due:
            if row.kind == "term_end" and row.raw == end:
                row.meet(end)
        if self.letter_ends_on == end:
            self.end("expired", end)
        else:
            self.begin_term(self.term + 1)

    def end(self, status: str, on: date) -> None:
        """I11, I15, D3: what is still open is cancelled when the contract ends on or before its raw date."""
        self.ended_as, self.ended_on = status, on
        while self.term > 1 and brussels.term_end(self.starts_on, self.term - 1) >= on:
            self.term -= 1
        for row in self.due:
            if row.raw >= on:
                row.cancel()

    def undo_the_past(self, on: date) -> None:
        """Whether an end recorded late takes back what a later day had made of a row."""
        if not product.LATE_END_UNDOES_THE_PAST:
            return
        for row in self.due:
            if row.raw >= on and row.status != "cancelled" and (row.met_on is None or row.met_on >= on):
                row.status, row.met_on = "open", None

    # Commands

    def must_run(self, *, assumed: bool = False) -> None:
        if self.ended_as:
            refuse("CONTRACT_ENDED", assumed=assumed)

    def give_notice(self, received_on: date) -> None:
        self.must_run()  # I16
        if self.notice:
            refuse("NOTICE_STANDS")
        end = brussels.notice_end(self.starts_on, received_on)
        self.notice = due.end_of_cover(self.subject, "notice_end", "R5", end)
        self.due.append(self.notice)
        self.first_to_end = self.first_to_end or "notice_given"

    def revoke_notice(self) -> None:
        """D5; D19 puts UNKNOWN before state."""
        if not self.notice:
            refuse("UNKNOWN")
        self.must_run()
        self.notice.cancel()
        self.notice = None
        self.first_to_end = "termination_notified" if self.letter_ends_on else None

    def send_letter(self, posted_on: date) -> None:
        """R6, D3: a letter belongs to the term in which it was posted."""
        self.must_run()
        if self.letter_ends_on:
            refuse("LETTER_STANDS")
        self.letters += 1
        term = max(1, brussels.term_of(self.starts_on, posted_on))
        end = brussels.term_end(self.starts_on, term)
        if posted_on > brussels.last_timely_posting(end):
            return  # Q9: a late letter ends nothing
        for row in self.due:
            if row.kind == "termination_letter" and row.raw == brussels.last_timely_posting(end):
                row.meet(posted_on)
        self.letter_ends_on = end
        self.first_to_end = self.first_to_end or "termination_notified"

    def letter_returned(self) -> None:
        """D5: needs a letter and changes nothing else (Q8)."""
        if not self.letters:
            refuse("UNKNOWN", assumed=True)

    def withdraw(self, received_on: date) -> None:
        """R10, D6: only of a distance sale, in time by received_on; cover ends at the earliest on S."""
        self.must_run()
        if not self.distance_sale:
            refuse("NOT_DISTANCE_SALE")
        row = next(row for row in self.due if row.kind == "withdrawal_end")
        if received_on > row.due:
            refuse("WITHDRAWAL_TOO_LATE")
        self.undo_the_past(max(received_on, self.starts_on))
        row.status, row.met_on = "met", received_on
        self.end("withdrawn", max(received_on, self.starts_on))
        for other in self.due:
            other.cancel()

    def annul(self) -> None:
        """Recorded by mistake: no cover from S on. The page names neither code after an end nor ends_on."""
        self.must_run(assumed=True)
        if self.accepted_claims:
            refuse("HAS_CLAIMS")
        term = self.term
        self.end("annulled", self.starts_on)
        self.term = term

    def correct_person(self, person: str) -> None:
        if person != self.person:
            refuse("PERSON_MISMATCH", assumed=True)

    # Cover and limits

    def covers(self, incident: date) -> bool:
        """I4: the incident's date lies in [S, end)."""
        return self.starts_on <= incident < self.ends_on

    def year_of(self, incident: date) -> int | None:
        """I7, D10: the insurance year of the incident, null before S."""
        year = brussels.term_of(self.starts_on, incident)
        return year if year >= 1 else None

    def use(self, year: int, guarantee: str, claim: str) -> Use:
        self.told = True
        return self.uses.setdefault((year, guarantee), {}).setdefault(claim, Use())

    def leave_behind(self, claim: str) -> None:
        """Keep what a claim consumed here as spent, apart from what it may consume should it come back."""
        for uses in self.uses.values():
            if claim in uses:
                uses[f"{claim} before its move {len(uses)}"] = uses.pop(claim)

    def others(self, year: int, guarantee: str, claim: str) -> tuple[int, int]:
        """Amount and count that the other claims consumed or reserved (I1)."""
        uses = [use for key, use in self.uses.get((year, guarantee), {}).items() if key != claim]
        return (
            sum(use.amount + use.reserved_amount for use in uses),
            sum(use.count + use.reserved_count for use in uses),
        )

    # Views

    @property
    def ends_on(self) -> date:
        """The first day without cover as known now (D2: a notice's own date)."""
        if self.ended_on:
            return self.ended_on
        ends = [end for end in (self.notice.raw if self.notice else None, self.letter_ends_on) if end]
        return min(ends) if ends else brussels.term_end(self.starts_on, self.term)

    def row(self) -> dict[str, object]:
        return {
            "contract": self.number,
            "status": self.ended_as or self.first_to_end or "active",
            "product": "cyber-care",
            "starts_on": self.starts_on.isoformat(),
            "ends_on": self.ends_on.isoformat(),
            "notice_gate_on": brussels.notice_gate(self.starts_on).isoformat(),
            "term": self.term,
        }

    def limit_rows(self) -> list[dict[str, object]]:
        """D7: a row for each guarantee of each insurance year begun."""
        return [
            self.limit_row(year, guarantee)
            for year in range(1, self.years_begun + 1)
            for guarantee in GUARANTEES
        ]

    def limit_row(self, year: int, guarantee: str) -> dict[str, object]:
        uses = self.uses.get((year, guarantee), {}).values()
        amount, count = sum(use.amount for use in uses), sum(use.count for use in uses)
        reserved = sum(use.reserved_amount for use in uses)
        reserved_count = sum(use.reserved_count for use in uses)
        amount_limit, count_limit = AMOUNT_LIMIT[guarantee], COUNT_LIMIT[guarantee]
        return {
            "contract": self.number,
            "insurance_year": year,
            "from_on": brussels.term_end(self.starts_on, year - 1).isoformat(),
            "to_on": brussels.term_end(self.starts_on, year).isoformat(),
            "guarantee": guarantee,
            "amount_limit_cents": amount_limit,
            "amount_consumed_cents": amount,
            "amount_reserved_cents": reserved,
            "amount_remaining_cents": None if amount_limit is None else amount_limit - amount - reserved,
            "count_limit": count_limit,
            "count_consumed": count,
            "count_reserved": reserved_count,
            "count_remaining": None if count_limit is None else count_limit - count - reserved_count,
        }
