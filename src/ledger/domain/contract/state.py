"""A contract as its events leave it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, assert_never

from ledger.domain.calendar import ONE_DAY, brussels_midnight, term_on, term_start
from ledger.domain.codes import ContractEnd, ContractStatus, Guarantee, Language
from ledger.domain.contract.events import (
    Cancelled,
    ClaimDeregistered,
    ClaimRegistered,
    ContractAnnulled,
    ContractExpired,
    ContractRenewed,
    ContractStarted,
    ContractWithdrawn,
    LimitConsumed,
    LimitConsumptionReversed,
    LimitReleased,
    LimitReserved,
    NoticeReceived,
    NoticeRevoked,
    TerminationNoticeSent,
)
from ledger.domain.deadlines import Deadline, fold_deadlines
from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import StreamRef
from ledger.domain.limits import Cover, LimitUsage, usage_of
from ledger.domain.terms import Catalogue, Terms

LimitEvent = LimitReserved | LimitReleased | LimitConsumed | LimitConsumptionReversed
_LIMIT_EVENTS = (LimitReserved, LimitReleased, LimitConsumed, LimitConsumptionReversed)


@dataclass(frozen=True, slots=True)
class Notice:
    """The policyholder's notice, while it stands."""

    received_on: date
    deemed_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Letter:
    """The insurer's timely letter, while it stands."""

    posted_on: date
    term: int
    ends_on: date


@dataclass(frozen=True, slots=True)
class LimitRow:
    """What is left of one guarantee in one insurance year; None where there is no limit."""

    contract: str
    insurance_year: int
    from_on: date
    to_on: date
    """The first day of the next insurance year, even where cover ends earlier (D7)."""
    guarantee: Guarantee
    amount_limit_cents: int | None
    amount_consumed_cents: int
    amount_reserved_cents: int
    amount_remaining_cents: int | None
    count_limit: int | None
    count_consumed: int
    count_reserved: int
    count_remaining: int | None


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract: its terms, how it will end or has ended, and what its limits hold."""

    number: str
    product: str
    terms: str
    language: Language
    person: str
    starts_on: date
    concluded_on: date
    distance_sale: bool
    notice_gate_on: date
    term: int
    """The number of the last term begun (D7)."""
    term_ends_on: date
    """E of that term."""
    years_begun: int
    """Insurance years that have rows in `limits`; they stay when a late letter takes a term back (D3)."""
    deadlines: tuple[Deadline, ...]
    last_at: datetime
    notice: Notice | None = None
    letter: Letter | None = None
    letters_sent: int = 0
    """Letters posted, late ones included."""
    named_first: Literal["notice", "letter"] | None = None
    """Which of a standing notice and a standing letter was recorded first."""
    ended: ContractEnd | None = None
    ended_on: date | None = None
    """The first day without cover, of an ended contract."""
    usages: tuple[LimitUsage, ...] = ()
    """Only insurance years and guarantees of which anything was ever used."""
    claims: tuple[str, ...] = ()
    accepted_claims: tuple[str, ...] = ()

    @property
    def ref(self) -> StreamRef:
        """The contract's stream."""
        return StreamRef("contract", self.number)

    @property
    def status(self) -> ContractStatus:
        """The status, as `contract show` gives it; of notice and letter, the one recorded first."""
        if self.ended is not None:
            return self.ended
        if self.named_first is None:
            return "active"
        return "notice_given" if self.named_first == "notice" else "termination_notified"

    @property
    def ends_on(self) -> date:
        """The first day without cover as known now; a notice past E names its own date (D2)."""
        if self.ended_on is not None:
            return self.ended_on
        ends = [standing.ends_on for standing in (self.notice, self.letter) if standing is not None]
        return min(ends, default=self.term_ends_on)

    @property
    def expires_at(self) -> datetime | None:
        """The instant (UTC) at which a standing letter ends the contract; None: none stands.

        A letter recorded after the renewal ends it at an E whose row is met already (D3).
        """
        if self.letter is None or self.ended is not None:
            return None
        return brussels_midnight(self.letter.ends_on)

    def applicable_terms(self, catalogue: Catalogue) -> Terms:
        """Return the terms that it was concluded under."""
        return catalogue.find(self.product, self.terms)

    def cover(self, catalogue: Catalogue) -> Cover:
        """Return the view of the contract that claims are decided by."""
        terms = self.applicable_terms(catalogue)
        return Cover(self.number, self.person, self.starts_on, self.ends_on, terms, self.usages)

    def usage(self, insurance_year: int, guarantee: Guarantee) -> LimitUsage:
        """Return what is consumed and reserved of a guarantee in an insurance year."""
        return usage_of(self.usages, insurance_year, guarantee)


def apply(contract: Contract | None, recorded: RecordedEvent, catalogue: Catalogue) -> Contract | None:
    """Fold one fact into the contract. Never refuses: it has already happened.

    None before ContractStarted: `--on` a date before S may leave out the start and keep what came before S.
    """
    event = recorded.event
    if isinstance(event, ContractStarted):
        return _started(recorded, event)
    return None if contract is None else _after(contract, recorded, catalogue)


def _after(contract: Contract, recorded: RecordedEvent, catalogue: Catalogue) -> Contract:
    """Fold one fact into a contract that has begun."""
    event = recorded.event
    told = replace(
        contract,
        deadlines=fold_deadlines(contract.deadlines, recorded),
        last_at=max(contract.last_at, recorded.at),
    )
    return _used(told, event) if isinstance(event, _LIMIT_EVENTS) else _changed(told, event, catalogue)


def limit_rows(contract: Contract, catalogue: Catalogue) -> Sequence[LimitRow]:
    """Return the rows of `limits`: each guarantee of each insurance year begun, in order (D7)."""
    terms = contract.applicable_terms(catalogue)
    rows = []
    for year in range(1, contract.years_begun + 1):
        from_on = term_start(contract.starts_on, year, terms.periods)
        to_on = term_start(contract.starts_on, year + 1, terms.periods)
        for guarantee in terms.guarantees:
            used = contract.usage(year, guarantee.code)
            amount_limit, count_limit = guarantee.amount_limit_cents, guarantee.count_limit
            amount_used = used.amount_consumed_cents + used.amount_reserved_cents
            count_used = used.count_consumed + used.count_reserved
            rows.append(
                LimitRow(
                    contract=contract.number,
                    insurance_year=year,
                    from_on=from_on,
                    to_on=to_on,
                    guarantee=guarantee.code,
                    amount_limit_cents=amount_limit,
                    amount_consumed_cents=used.amount_consumed_cents,
                    amount_reserved_cents=used.amount_reserved_cents,
                    amount_remaining_cents=None if amount_limit is None else amount_limit - amount_used,
                    count_limit=count_limit,
                    count_consumed=used.count_consumed,
                    count_reserved=used.count_reserved,
                    count_remaining=None if count_limit is None else count_limit - count_used,
                )
            )
    return rows


def _started(recorded: RecordedEvent, event: ContractStarted) -> Contract:
    return Contract(
        number=recorded.stream.number,
        product=event.product,
        terms=event.terms,
        language=event.language,
        person=event.policyholder.person,
        starts_on=event.starts_on,
        concluded_on=event.concluded_on,
        distance_sale=event.distance_sale,
        notice_gate_on=event.notice_gate_on,
        term=1,
        term_ends_on=event.ends_on,
        years_begun=1,
        deadlines=fold_deadlines((), recorded),
        last_at=recorded.at,
    )


def _changed(  # noqa: C901, PLR0911 - one return a kind of event
    contract: Contract, event: Event, catalogue: Catalogue
) -> Contract:
    match event:
        case NoticeReceived():
            notice = Notice(event.received_on, event.deemed_on, event.ends_on)
            return replace(contract, notice=notice, named_first=contract.named_first or "notice")
        case NoticeRevoked():
            # D5: the status is what it was without the notice.
            return replace(contract, notice=None, named_first="letter" if contract.letter else None)
        case TerminationNoticeSent():
            return _letter_sent(contract, event)
        case ContractRenewed():
            return replace(
                contract,
                term=event.term,
                term_ends_on=event.ends_on,
                years_begun=max(contract.years_begun, event.term),
            )
        case Cancelled():
            return _ended(contract, "cancelled", event.effective_on, catalogue)
        case ContractExpired():
            return _ended(contract, "expired", event.ends_on, catalogue)
        case ContractWithdrawn():
            return _ended(contract, "withdrawn", event.ends_on, catalogue)
        case ContractAnnulled():
            return replace(contract, ended="annulled", ended_on=event.ends_on)
        case ClaimRegistered():
            return replace(contract, claims=(*contract.claims, event.claim))
        case ClaimDeregistered():
            return replace(contract, claims=tuple(c for c in contract.claims if c != event.claim))
        case _:
            return contract


def _letter_sent(contract: Contract, event: TerminationNoticeSent) -> Contract:
    counted = replace(contract, letters_sent=contract.letters_sent + 1)
    if event.ends_on is None:
        # R11, Q9: a late letter ends nothing, later terms included.
        return counted
    letter = Letter(event.posted_on, event.term, event.ends_on)
    return replace(counted, letter=letter, named_first=contract.named_first or "letter")


def _ended(contract: Contract, how: ContractEnd, ended_on: date, catalogue: Catalogue) -> Contract:
    # D3: recorded late, an end takes back the terms that never came to be; `term` is that of the end again.
    periods = contract.applicable_terms(catalogue).periods
    last_day_in = term_on(contract.starts_on, ended_on - ONE_DAY, periods) or 1
    return replace(contract, ended=how, ended_on=ended_on, term=min(contract.term, last_day_in))


def _used(contract: Contract, event: LimitEvent) -> Contract:
    year, guarantee = event.insurance_year, event.guarantee
    before = contract.usage(year, guarantee)
    others = tuple(u for u in contract.usages if u.insurance_year != year or u.guarantee != guarantee)
    accepted_claims = contract.accepted_claims
    match event:
        case LimitReserved():
            after = _reserved(before, event.amount_cents, event.count)
        case LimitReleased():
            after = _reserved(before, -event.amount_cents, -event.count)
        case LimitConsumed():
            after = _consumed(before, event.amount_cents, event.count)
            if event.accepted and event.claim not in accepted_claims:
                accepted_claims = (*accepted_claims, event.claim)
        case LimitConsumptionReversed():
            after = _consumed(before, -event.amount_cents, -event.count)
            accepted_claims = tuple(claim for claim in accepted_claims if claim != event.claim)
        case unknown:
            assert_never(unknown)
    return replace(contract, usages=(*others, after), accepted_claims=accepted_claims)


def _reserved(usage: LimitUsage, amount_cents: int, count: int) -> LimitUsage:
    return replace(
        usage,
        amount_reserved_cents=usage.amount_reserved_cents + amount_cents,
        count_reserved=usage.count_reserved + count,
    )


def _consumed(usage: LimitUsage, amount_cents: int, count: int) -> LimitUsage:
    return replace(
        usage,
        amount_consumed_cents=usage.amount_consumed_cents + amount_cents,
        count_consumed=usage.count_consumed + count,
    )
