"""What commands and time make happen to a contract."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import assert_never

from ledger.domain.calendar import (
    brussels_date,
    last_timely_letter,
    notice_deemed,
    notice_ends,
    notice_gate,
    roll_forward,
    term_end,
    term_on,
    withdrawal_raw_last_day,
)
from ledger.domain.codes import Guarantee
from ledger.domain.contract.commands import (
    AnnulContract,
    ContractCommand,
    CorrectPerson,
    GiveNotice,
    RecordLetterReturned,
    RevokeNotice,
    SendTerminationNotice,
    StartContract,
    WithdrawFromContract,
)
from ledger.domain.contract.events import (
    AppliedDocument,
    Cancelled,
    ClaimDeregistered,
    ClaimRegistered,
    ContractAnnulled,
    ContractEvent,
    ContractExpired,
    ContractRenewed,
    ContractStarted,
    ContractWithdrawn,
    LetterReturned,
    LimitConsumed,
    LimitConsumptionReversed,
    LimitReleased,
    LimitReserved,
    NoticeReceived,
    NoticeRevoked,
    PersonCorrected,
    Policyholder,
    TerminationNoticeSent,
    WithdrawalPeriodEnded,
)
from ledger.domain.contract.state import Contract
from ledger.domain.deadlines import Deadline, takes_effect_at
from ledger.domain.event import PendingEvent, holds_personal_values
from ledger.domain.identifiers import contract_ref
from ledger.domain.limits import Context, LimitChange, Registration
from ledger.domain.refusals import (
    ContractEnded,
    Exists,
    HasClaims,
    LetterStands,
    NotDistanceSale,
    NoticeStands,
    PersonMismatch,
    ProductClosed,
    Unknown,
    WithdrawalTooLate,
)
from ledger.domain.terms import load_terms


def decide(contract: Contract | None, command: ContractCommand, context: Context) -> Sequence[PendingEvent]:
    """Return what the command makes happen to a contract. Raises a Refusal."""
    at, today = context.at, context.today
    if isinstance(command, StartContract):
        return _start(contract, command, context)
    if contract is None:
        message = f"contract {command.contract} does not exist; check its number"
        raise Unknown(message)
    match command:
        case GiveNotice():
            event, effective_on = _give_notice(contract, command)
        case RevokeNotice():
            event, effective_on = _revoke_notice(contract, command, today)
        case SendTerminationNotice():
            event, effective_on = _send_letter(contract, command)
        case RecordLetterReturned():
            event, effective_on = _letter_returned(contract, command, today)
        case WithdrawFromContract():
            event, effective_on = _withdraw(contract, command)
        case AnnulContract():
            event, effective_on = _annul(contract, command)
        case CorrectPerson():
            event, effective_on = _correct_person(contract, command)
        case unknown:
            assert_never(unknown)
    subject = contract.person if holds_personal_values(event) else None
    return [PendingEvent(contract.ref, event, effective_on, at, subject=subject)]


def _start(contract: Contract | None, command: StartContract, context: Context) -> Sequence[PendingEvent]:
    if contract is not None:
        message = f"contract {command.contract} is already recorded; correct it, or take another number"
        raise Exists(message)
    terms = load_terms(command.product, command.terms)
    if command.starts_on > terms.last_day_of_sale:
        message = f"{terms.name} was last sold on {terms.last_day_of_sale}; a contract cannot start later"
        raise ProductClosed(message)
    periods = terms.periods
    starts_on = command.starts_on
    concluded_on = command.concluded_on or context.today
    ends_on = term_end(starts_on, 1, periods)
    language = command.language or terms.default_language
    holder = command.policyholder
    event = ContractStarted(
        product=terms.product,
        terms=terms.version,
        starts_on=starts_on,
        concluded_on=concluded_on,
        distance_sale=command.distance_sale,
        language=language,
        policyholder=Policyholder(
            person=holder.person, name=holder.name, email=holder.email, address=holder.address
        ),
        ends_on=ends_on,
        notice_gate_on=notice_gate(starts_on, periods),
        letter_raw_due_on=last_timely_letter(ends_on, periods.insurer_notice_months),
        withdrawal_raw_due_on=(
            withdrawal_raw_last_day(starts_on, concluded_on, periods) if command.distance_sale else None
        ),
        documents=tuple(
            AppliedDocument(
                kind=document.kind,
                language=document.language,
                version=document.version,
                sha256=document.sha256,
            )
            for document in terms.documents_in(language)
        ),
    )
    return [PendingEvent(contract_ref(command.contract), event, starts_on, context.at, subject=holder.person)]


def _give_notice(contract: Contract, command: GiveNotice) -> tuple[ContractEvent, date]:
    # Q7: every channel gives notice from the day of receipt, the web form too.
    _refuse_if_ended(contract)
    if contract.notice is not None:
        message = f"the notice of {contract.notice.received_on} stands; revoke it before a new one"
        raise NoticeStands(message)
    periods = contract.applicable_terms.periods
    deemed_on = notice_deemed(contract.starts_on, command.received_on, periods)
    event = NoticeReceived(
        received_on=command.received_on,
        deemed_on=deemed_on,
        ends_on=notice_ends(deemed_on, periods),
        channel=command.channel,
    )
    return event, command.received_on


def _revoke_notice(contract: Contract, command: RevokeNotice, today: date) -> tuple[ContractEvent, date]:
    if contract.notice is None:
        message = f"no notice stands on contract {contract.number}; there is nothing to revoke"
        raise Unknown(message)
    _refuse_if_ended(contract)
    return NoticeRevoked(reason=command.reason), today


def _send_letter(contract: Contract, command: SendTerminationNotice) -> tuple[ContractEvent, date]:
    _refuse_if_ended(contract)
    if contract.letter is not None:
        message = f"the letter posted on {contract.letter.posted_on} stands and is timely; send no other"
        raise LetterStands(message)
    periods = contract.applicable_terms.periods
    # D3: a letter belongs to the term in which it was posted; before S, to term 1.
    term = term_on(contract.starts_on, command.posted_on, periods) or 1
    ends_on = term_end(contract.starts_on, term, periods)
    last_timely_on = last_timely_letter(ends_on, periods.insurer_notice_months)
    timely = command.posted_on <= last_timely_on
    event = TerminationNoticeSent(
        posted_on=command.posted_on,
        tracking=command.tracking,
        term=term,
        timely=timely,
        ends_on=ends_on if timely else None,
        letter_raw_due_on=last_timely_on,
    )
    return event, command.posted_on


def _letter_returned(
    contract: Contract, command: RecordLetterReturned, today: date
) -> tuple[ContractEvent, date]:
    if contract.letters_sent == 0:
        message = f"no letter was sent on contract {contract.number}; record it first"
        raise Unknown(message)
    return LetterReturned(returned_on=command.returned_on), today


def _withdraw(contract: Contract, command: WithdrawFromContract) -> tuple[ContractEvent, date]:
    _refuse_if_ended(contract)
    if not contract.distance_sale:
        message = f"contract {contract.number} was not sold at a distance; a notice can end it"
        raise NotDistanceSale(message)
    last_day = roll_forward(
        withdrawal_raw_last_day(contract.starts_on, contract.concluded_on, contract.applicable_terms.periods)
    )
    if command.received_on > last_day:
        message = f"the last day of withdrawal was {last_day}; a notice can end the contract"
        raise WithdrawalTooLate(message)
    # D6: cover ends on receipt, at the earliest on S.
    ends_on = max(command.received_on, contract.starts_on)
    return ContractWithdrawn(received_on=command.received_on, ends_on=ends_on), command.received_on


def _annul(contract: Contract, command: AnnulContract) -> tuple[ContractEvent, date]:
    _refuse_if_ended(contract)  # I11: one end a contract
    if contract.accepted_claims:
        message = f"contract {contract.number} has accepted claims; move them before it is annulled"
        raise HasClaims(message)
    # Recorded by mistake: there never was cover, so the end is S, the date of what this corrects.
    return ContractAnnulled(reason=command.reason, ends_on=contract.starts_on), contract.starts_on


def _correct_person(contract: Contract, command: CorrectPerson) -> tuple[ContractEvent, date]:
    if command.person != contract.person:
        message = f"person {command.person} is not the policyholder of {contract.number}; check the person"
        raise PersonMismatch(message)
    event = PersonCorrected(
        person=command.person, name=command.name, email=command.email, address=command.address
    )
    # A correction takes the date of what it corrects: that of ContractStarted.
    return event, contract.starts_on


def _refuse_if_ended(contract: Contract) -> None:
    """Raise ContractEnded where the contract has ended (I16)."""
    if contract.ended is not None:
        message = f"contract {contract.number} ended on {contract.ended_on}; nothing can end it again"
        raise ContractEnded(message)


def registered(claim: str, registration: Registration, at: datetime) -> PendingEvent:
    """Record on a contract that a claim was opened on it, or moved to or from it."""
    event = ClaimRegistered(claim=claim) if registration.present else ClaimDeregistered(claim=claim)
    return PendingEvent(contract_ref(registration.contract), event, registration.effective_on, at)


def limit_changed(claim: str, guarantee: Guarantee, change: LimitChange, at: datetime) -> PendingEvent:
    """Record on a contract what a claim's decision does to its limits."""
    held = change.holding
    year, amount, count = held.insurance_year, held.amount_cents, held.count
    event: ContractEvent
    match change.action:
        case "reserve":
            event = LimitReserved(
                insurance_year=year, guarantee=guarantee, claim=claim, amount_cents=amount, count=count
            )
        case "release":
            event = LimitReleased(
                insurance_year=year, guarantee=guarantee, claim=claim, amount_cents=amount, count=count
            )
        case "consume":
            event = LimitConsumed(
                insurance_year=year,
                guarantee=guarantee,
                claim=claim,
                amount_cents=amount,
                count=count,
                accepted=change.accepted,
            )
        case "reverse":
            event = LimitConsumptionReversed(
                insurance_year=year, guarantee=guarantee, claim=claim, amount_cents=amount, count=count
            )
        case unknown:
            assert_never(unknown)
    return PendingEvent(contract_ref(change.contract), event, change.effective_on or brussels_date(at), at)


def end_at(contract: Contract, instant: datetime) -> ContractEvent:
    """Return the first end or renewal of which the time has come at an instant (R12)."""
    owed = {row.kind: row for row in contract.deadlines if takes_effect_at(row) == instant}
    # D1: a notice that ends exactly on E cancels, even with a timely letter.
    if notice_end := owed.get("notice_end"):
        return Cancelled(effective_on=notice_end.due_on)
    if contract.letter is not None and contract.expires_at == instant:
        return ContractExpired(ends_on=contract.letter.ends_on)
    if end := owed.get("term_end"):
        return _renewed(contract, end)
    # Last at its instant: a contract that ends on the row's raw date finds it open, and cancels it (I15).
    return WithdrawalPeriodEnded(due_on=owed["withdrawal_end"].due_on)


def _renewed(contract: Contract, row: Deadline) -> ContractRenewed:
    periods = contract.applicable_terms.periods
    term = contract.term + 1
    # R3: every E is counted from S, never from an earlier E.
    ends_on = term_end(contract.starts_on, term, periods)
    return ContractRenewed(
        term=term,
        starts_on=row.due_on,
        ends_on=ends_on,
        letter_raw_due_on=last_timely_letter(ends_on, periods.insurer_notice_months),
    )
