"""The sentences of the FAQ, each as it is kept."""

from datetime import date

import pytest
from desk import Desk, code

from ledger.domain.identifiers import claim_ref, contract_ref
from ledger.domain.terms import load_terms


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.start()
    return desk


def test_the_contract_is_concluded_for_one_year(desk: Desk) -> None:
    assert desk.contract("C").ends_on == date(2026, 1, 1)


def test_it_can_be_terminated_after_6_months_with_one_months_notice(desk: Desk) -> None:
    desk.notice("2025-07-15")

    assert desk.contract("C").ends_on == date(2025, 8, 16)
    desk.elapse("2025-08-16")
    assert desk.contract("C").status == "cancelled"


def test_three_months_before_the_end_a_registered_letter_terminates_it(desk: Desk) -> None:
    desk.letter("2025-09-30")

    assert desk.contract("C").status == "termination_notified"
    desk.elapse("2026-01-01")
    assert desk.contract("C").status == "expired"


def test_means_of_payment_are_insured_for_up_to_5000_euro_a_year(desk: Desk) -> None:
    desk.ready("2025-02-01", claim="K1")
    desk.ready("2025-02-01", claim="K2")

    desk.accept(300_000, "2025-02-02T09:00", claim="K1")
    desk.accept(300_000, "2025-02-02T10:00", claim="K2")

    second = desk.claim("K2")
    assert (second.approved_cents, second.excess_cents, second.capped_by) == (
        200_000,
        100_000,
        "LIMIT_AMOUNT",
    )
    assert desk.limit("C", 1, "payment").amount_remaining_cents == 0


def test_a_fourth_payment_claim_in_the_year_is_refused_by_LIMIT_COUNT(desk: Desk) -> None:
    for number in range(1, 5):
        desk.ready("2025-02-01", claim=f"K{number}")
    for number in range(1, 4):
        assert code(desk.accept(100, "2025-02-02T09:00", claim=f"K{number}")) == "recorded"

    assert code(desk.accept(100, "2025-02-02T09:00", claim="K4")) == "LIMIT_COUNT"


def test_a_payment_claim_when_the_5000_euro_are_used_up_is_refused_by_LIMIT_AMOUNT(desk: Desk) -> None:
    desk.ready("2025-02-01", claim="K1")
    desk.ready("2025-02-01", claim="K2")
    desk.accept(500_000, "2025-02-02T09:00", claim="K1")

    assert code(desk.accept(1, "2025-02-02T09:00", claim="K2")) == "LIMIT_AMOUNT"


def test_data_are_restored_for_up_to_800_euro_and_one_intervention_a_year(desk: Desk) -> None:
    desk.ready("2025-02-01", claim="K1", guarantee="data", cause="malware")
    desk.ready("2025-02-01", claim="K2", guarantee="data", cause="malware")

    desk.accept(90_000, "2025-02-02T09:00", claim="K1")

    assert desk.claim("K1").approved_cents == 80_000
    assert code(desk.accept(1, "2025-02-02T09:00", claim="K2")) == "LIMIT_COUNT"


def test_data_lost_otherwise_than_by_malicious_software_are_refused_by_NOT_MALWARE(desk: Desk) -> None:
    desk.ready("2025-02-01", guarantee="data", cause="other")

    assert code(desk.accept(1, "2025-02-02T09:00")) == "NOT_MALWARE"


def test_reputation_is_protected_for_up_to_3_claims_a_year_without_any_amount(desk: Desk) -> None:
    for number in range(1, 5):
        desk.ready("2025-02-01", claim=f"K{number}", guarantee="reputation", cause="cyberstalking")
    for number in range(1, 4):
        assert code(desk.accept(0, "2025-02-02T09:00", claim=f"K{number}")) == "recorded"

    assert code(desk.accept(0, "2025-02-02T09:00", claim="K4")) == "LIMIT_COUNT"
    assert desk.limit("C", 1, "reputation").amount_limit_cents is None


def test_identity_has_no_limit_and_is_counted_all_the_same(desk: Desk) -> None:
    for number in range(1, 7):
        desk.ready("2025-02-01", claim=f"K{number}", guarantee="identity", cause="identity_theft")
        assert code(desk.accept(0, "2025-02-01T09:00", claim=f"K{number}")) == "recorded"

    row = desk.limit("C", 1, "identity")
    assert (row.count_consumed, row.count_limit, row.count_remaining) == (6, None, None)


def test_a_guarantee_of_services_pays_no_loss_and_one_of_money_needs_one_NO_INDEMNITY(desk: Desk) -> None:
    desk.ready("2025-02-01", claim="K1", guarantee="identity", cause="identity_theft")
    desk.ready("2025-02-01", claim="K2")

    assert code(desk.accept(1, "2025-02-02T09:00", claim="K1")) == "NO_INDEMNITY"
    assert code(desk.accept(0, "2025-02-02T09:00", claim="K2")) == "NO_INDEMNITY"


@pytest.mark.parametrize(
    ("relation", "same_roof", "insured"),
    [
        ("policyholder", True, True),
        ("policyholder", False, True),
        ("family", True, True),
        ("family", False, False),
        ("non_family", True, False),
        ("non_family", False, False),
    ],
)
def test_family_under_the_same_roof_is_protected_and_others_living_there_are_not(
    desk: Desk, relation: str, *, same_roof: bool, insured: bool
) -> None:
    desk.ready("2025-02-01", victim={"relation": relation, "same_roof": same_roof})

    answer = desk.accept(100, "2025-02-02T09:00")

    assert code(answer) == ("recorded" if insured else "NOT_INSURED_PERSON")


def test_you_are_refunded_within_15_days_of_the_complete_submission(desk: Desk) -> None:
    desk.ready("2025-03-07")

    (row,) = desk.rows(claim_ref("K"), "refund")
    assert (row.raw_due_on, row.due_on, row.alert_on) == (
        date(2025, 3, 22),
        date(2025, 3, 24),
        date(2025, 3, 21),
    )
    assert row.rule == "R7"


def test_a_contract_that_nobody_ends_renews_with_fresh_limits(desk: Desk) -> None:
    desk.ready("2025-02-01")
    desk.accept(500_000, "2025-02-02T09:00")

    desk.elapse("2026-01-01")

    contract = desk.contract("C")
    assert (contract.status, contract.term, contract.ends_on) == ("active", 2, date(2027, 1, 1))
    assert desk.limit("C", 2, "payment").amount_remaining_cents == 500_000
    letters = [row.status for row in desk.rows(contract_ref("C"), "termination_letter")]
    assert letters == ["missed", "open"]


def test_the_insurance_is_no_longer_offered_after_its_last_day_of_sale() -> None:
    desk = Desk()

    assert code(desk.start("2026-06-01T09:00", starts_on="2026-06-30")) == "recorded"
    assert code(desk.start("2026-06-01T09:00", contract="C2", starts_on="2026-07-01")) == "PRODUCT_CLOSED"


def test_the_assistance_line_the_quality_department_and_the_ombudsman_are_named() -> None:
    terms = load_terms("cyber-care")

    assert terms.contact("assistance").phone == "02 552 51 65"
    assert terms.contact("quality").address == "Regentlaan 7, 1000 Brussels"
    assert terms.contact("ombudsman").phone == "02 547 58 71"
