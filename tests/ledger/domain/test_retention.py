"""R13: records may go ten years after the contract's end and the last payment on its claims."""

from datetime import UTC, date, datetime

import pytest

from ledger.domain.claim.events import (
    AdviceGiven,
    ClaimMoved,
    ClaimOpened,
    ClaimSubjectErased,
    RecoveryReceived,
    RefundIssued,
    Victim,
)
from ledger.domain.contract.events import (
    Cancelled,
    ContractAnnulled,
    ContractExpired,
    ContractStarted,
    ContractSubjectErased,
    ContractWithdrawn,
    NoticeRevoked,
    Policyholder,
)
from ledger.domain.event import Event, RecordedEvent
from ledger.domain.identifiers import claim_ref, contract_ref
from ledger.domain.retention import (
    KeptClaim,
    KeptContract,
    keep_claim,
    keep_contract,
    paid,
    retention,
)

AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
START = ContractStarted(
    product="cyber-care",
    terms="1",
    starts_on=date(2024, 2, 29),
    concluded_on=date(2024, 2, 29),
    distance_sale=False,
    language="nl",
    policyholder=Policyholder(person="P-1", name="Ada"),
    ends_on=date(2025, 3, 1),
    notice_gate_on=date(2024, 8, 29),
    letter_raw_due_on=date(2024, 11, 30),
)
OPENED = ClaimOpened(
    contract="CC-1",
    guarantee="payment",
    cause="fraud",
    incident_on=date(2024, 6, 1),
    insurance_year=1,
    reported_on=date(2024, 6, 1),
    channel="phone",
    victim=Victim(person="P-2", name="Bo", relation="family", same_roof=True),
)
REFUND = RefundIssued(amount_cents=1, payment_reference="R-1", owed_cents=0)


def contract(*events: Event) -> KeptContract | None:
    kept: KeptContract | None = None
    for version, event in enumerate(events, 1):
        recorded = RecordedEvent(contract_ref("CC-1"), version, event, date(2026, 3, 2), AT)
        kept = keep_contract(kept, recorded)
    return kept


def claim(*events: tuple[Event, date]) -> KeptClaim | None:
    kept: KeptClaim | None = None
    for version, (event, on) in enumerate(events, 1):
        kept = keep_claim(kept, RecordedEvent(claim_ref("K-1"), version, event, on, AT))
    return kept


def started(*events: Event) -> KeptContract:
    kept = contract(START, *events)
    assert kept is not None
    return kept


def test_a_contract_that_runs_has_no_retention() -> None:
    assert retention(started(NoticeRevoked(reason="mistake"))) is None


@pytest.mark.parametrize(
    ("end", "raw"),
    [
        (ContractExpired(ends_on=date(2025, 3, 1)), date(2035, 3, 1)),
        (Cancelled(effective_on=date(2024, 10, 4)), date(2034, 10, 4)),
        (ContractWithdrawn(received_on=date(2024, 3, 5), ends_on=date(2024, 3, 5)), date(2034, 3, 5)),
        # There never was cover: ten years from its annulment, which is at 00:30 of 2 March in Brussels.
        (ContractAnnulled(reason="twice", ends_on=date(2024, 2, 29)), date(2036, 3, 2)),
    ],
)
def test_it_runs_ten_years_from_whatever_ended_the_contract(end: Event, raw: date) -> None:
    row = retention(started(end))
    assert row is not None
    assert (row.subject.subject, row.kind, row.rule, row.seq) == ("contract:CC-1", "retention", "R13", 1)
    assert (row.raw_due_on, row.status, row.met_on) == (raw, "open", None)


def test_it_rolls_forward_to_a_working_day_with_its_alert_before_it() -> None:
    # 4 March 2034 is a Saturday.
    row = retention(started(Cancelled(effective_on=date(2024, 3, 4))))
    assert row is not None
    assert (row.raw_due_on, row.due_on, row.alert_on) == (
        date(2034, 3, 4),
        date(2034, 3, 6),
        date(2034, 3, 3),
    )


def test_a_leap_day_counts_to_the_1st_of_march() -> None:
    row = retention(started(Cancelled(effective_on=date(2024, 2, 29))))
    assert row is not None
    assert row.raw_due_on == date(2034, 3, 1)


def test_a_later_payment_moves_it_and_an_earlier_one_does_not() -> None:
    ended = started(ContractExpired(ends_on=date(2025, 3, 1)))
    for paid_on, raw in ((date(2024, 8, 1), date(2035, 3, 1)), (date(2026, 5, 6), date(2036, 5, 6))):
        kept = claim((OPENED, date(2024, 6, 1)), (REFUND, paid_on))
        assert kept is not None
        row = retention(paid(ended, kept))
        assert row is not None
        assert row.raw_due_on == raw


def test_the_last_payment_counts_out_or_in_whatever_order_it_became_known_in() -> None:
    recovery = RecoveryReceived(amount_cents=1, payer="bank")
    kept = claim(
        (OPENED, date(2024, 6, 1)),
        (REFUND, date(2024, 8, 1)),
        (recovery, date(2025, 9, 1)),
        (REFUND, date(2024, 9, 1)),
        (AdviceGiven(topics=("passwords",)), date(2026, 1, 1)),
    )
    assert kept == KeptClaim("CC-1", "P-2", date(2025, 9, 1))


def test_a_claim_that_moves_takes_its_payment_along() -> None:
    moved = ClaimMoved(from_contract="CC-1", contract="CC-2", insurance_year=1)
    kept = claim((OPENED, date(2024, 6, 1)), (REFUND, date(2025, 8, 1)), (moved, date(2025, 9, 1)))
    assert kept == KeptClaim("CC-2", "P-2", date(2025, 8, 1))


def test_a_claim_without_payment_moves_nothing() -> None:
    kept = claim((OPENED, date(2024, 6, 1)))
    assert kept is not None
    assert paid(started(), kept) == started()


def test_it_is_met_once_the_policyholder_is_erased() -> None:
    row = retention(started(Cancelled(effective_on=date(2024, 10, 4)), ContractSubjectErased(person="P-1")))
    assert row is not None
    assert (row.status, row.met_on) == ("met", None)
    erased = claim((OPENED, date(2024, 6, 1)), (ClaimSubjectErased(person="P-2"), date(2024, 6, 1)))
    assert erased == KeptClaim("CC-1", "P-2", erased=True)


def test_a_history_cut_before_its_beginning_has_nothing_to_keep() -> None:
    assert contract(Cancelled(effective_on=date(2024, 10, 4))) is None
    assert claim((REFUND, date(2024, 8, 1))) is None
