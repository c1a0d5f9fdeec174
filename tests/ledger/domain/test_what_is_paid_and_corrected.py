"""I2, I12, I14, I15, D11 to D13, D15, D16: refunds, recoveries, reopening, corrections."""

from datetime import date

import pytest
from desk import Desk, code

from ledger.domain.identifiers import claim_ref

DAY = "2025-02-02T09:00"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.start()
    return desk


@pytest.fixture
def accepted(desk: Desk) -> Desk:
    desk.ready("2025-02-01")  # refund due 2025-02-17, raw 2025-02-16
    desk.accept(300_000, DAY)
    return desk


def _refund_rows(desk: Desk) -> list[tuple[str, str | None]]:
    return [(row.status, row.met_on and str(row.met_on)) for row in desk.rows(claim_ref("K"), "refund")]


def _reopen(desk: Desk, at: str = DAY) -> None:
    assert code(desk.do("ReopenClaim", at, claim="K", reason="more loss")) == "recorded"


def test_a_refund_without_an_amount_pays_all_that_is_owed_and_meets_the_deadline_D11(accepted: Desk) -> None:
    assert code(accepted.refund("2025-02-05T09:00", iban="BE71096123456769")) == "recorded"

    assert accepted.claim("K").refunded_cents == 300_000
    assert _refund_rows(accepted) == [("met", "2025-02-05")]
    assert accepted.entries[-1].subject == "P"


def test_a_part_leaves_the_deadline_open_until_all_is_paid_I15(accepted: Desk) -> None:
    accepted.refund("2025-02-05T09:00", amount_cents=100_000)
    assert _refund_rows(accepted) == [("open", None)]

    accepted.refund("2025-02-06T09:00", reference="PAY-2", amount_cents=200_000)

    assert _refund_rows(accepted) == [("met", "2025-02-06")]


def test_more_than_is_owed_is_refused_by_REFUND_EXCEEDS_APPROVED_I2(accepted: Desk) -> None:
    assert code(accepted.refund(DAY, amount_cents=300_001)) == "REFUND_EXCEEDS_APPROVED"
    accepted.refund(DAY)
    assert code(accepted.refund(DAY, reference="PAY-2")) == "REFUND_EXCEEDS_APPROVED"
    assert code(accepted.refund(DAY, reference="PAY-2", amount_cents=1)) == "REFUND_EXCEEDS_APPROVED"


def test_a_payment_reference_is_used_once_EXISTS_D11(accepted: Desk) -> None:
    accepted.refund(DAY, amount_cents=1)
    accepted.do("RecordRefundFailure", DAY, claim="K", payment_reference="PAY-1")

    assert code(accepted.refund(DAY, amount_cents=1)) == "EXISTS"


def test_nothing_is_refunded_before_an_acceptance_NOT_ACCEPTED_I3(desk: Desk) -> None:
    desk.ready("2025-02-01")

    assert code(desk.refund(DAY)) == "NOT_ACCEPTED"
    recovery = desk.do("RecordRecovery", DAY, claim="K", amount_cents=1, payer="bank")
    assert code(recovery) == "NOT_ACCEPTED"


def test_a_refund_paid_late_leaves_the_deadline_missed_and_says_when_R12(accepted: Desk) -> None:
    accepted.elapse("2025-02-18")
    assert _refund_rows(accepted) == [("missed", None)]

    accepted.refund("2025-02-20T09:00")

    assert _refund_rows(accepted) == [("missed", "2025-02-20")]


def test_a_refund_is_not_missed_on_its_last_day_R12(accepted: Desk) -> None:
    accepted.elapse("2025-02-17T23:59")

    assert _refund_rows(accepted) == [("open", None)]


@pytest.mark.parametrize("command", ["RecordRefundFailure", "ReverseRefund"])
def test_a_payment_taken_back_in_time_opens_its_deadline_again_and_gives_no_limit_back_D12_I12(
    accepted: Desk, command: str
) -> None:
    accepted.refund(DAY)

    assert code(accepted.do(command, DAY, claim="K", payment_reference="PAY-1")) == "recorded"

    assert accepted.claim("K").refunded_cents == 0
    assert _refund_rows(accepted) == [("open", None)]
    assert accepted.limit("C", 1, "payment").amount_consumed_cents == 300_000
    assert code(accepted.do(command, DAY, claim="K", payment_reference="PAY-1")) == "UNKNOWN"
    assert code(accepted.do(command, DAY, claim="K", payment_reference="PAY-9")) == "UNKNOWN"


def test_a_payment_taken_back_after_the_day_leaves_its_deadline_missed_at_once_D12(accepted: Desk) -> None:
    accepted.refund(DAY)

    accepted.do("RecordRefundFailure", "2025-03-01T09:00", claim="K", payment_reference="PAY-1")

    assert _refund_rows(accepted) == [("missed", None)]
    missed = accepted.entries[-1]
    assert (missed.by_time, missed.effective_on) == (True, date(2025, 2, 18))
    assert missed.at == accepted.entries[-2].at


def test_a_late_payment_taken_back_leaves_its_deadline_missed_and_no_longer_met_D12(accepted: Desk) -> None:
    accepted.refund("2025-02-20T09:00")

    accepted.do("ReverseRefund", "2025-02-21T09:00", claim="K", payment_reference="PAY-1")

    assert _refund_rows(accepted) == [("missed", None)]


def test_a_payment_that_met_nothing_opens_nothing_again_D12(accepted: Desk) -> None:
    accepted.refund(DAY, amount_cents=100_000)
    accepted.refund(DAY, reference="PAY-2")

    accepted.do("RecordRefundFailure", DAY, claim="K", payment_reference="PAY-1")

    assert _refund_rows(accepted) == [("met", "2025-02-02")]
    assert accepted.claim("K").owed_cents == 100_000
    taken_back = [payment.taken_back for payment in accepted.claim("K").payments]
    assert taken_back == [True, False]


def test_a_submission_recorded_late_finds_its_deadline_missed_at_once(desk: Desk) -> None:
    desk.open("2025-02-01")

    desk.do("CompleteSubmission", "2025-06-01T09:00", claim="K", completed_at="2025-02-01")

    assert _refund_rows(desk) == [("missed", None)]


def test_recoveries_are_at_most_what_was_refunded_and_give_no_limit_back_D13_I12(accepted: Desk) -> None:
    accepted.refund(DAY, amount_cents=100)
    recovery = {"claim": "K", "payer": "bank"}

    assert code(accepted.do("RecordRecovery", DAY, amount_cents=60, **recovery)) == "recorded"
    assert (
        code(accepted.do("RecordRecovery", DAY, amount_cents=41, **recovery)) == "RECOVERY_EXCEEDS_REFUNDED"
    )
    assert code(accepted.do("RecordRecovery", DAY, amount_cents=40, **recovery)) == "recorded"
    assert accepted.claim("K").recovered_cents == 100
    assert accepted.limit("C", 1, "payment").amount_consumed_cents == 300_000


def test_a_claim_is_closed_once_decided_with_nothing_owed_D15(accepted: Desk) -> None:
    close = {"claim": "K", "reason": "done"}
    assert code(accepted.do("CloseClaim", DAY, **close)) == "REFUND_OWED"
    accepted.refund(DAY)

    assert code(accepted.do("CloseClaim", DAY, **close)) == "recorded"

    assert accepted.claim("K").status == "closed"


def test_an_undecided_claim_is_neither_closed_nor_reopened_NOT_DECIDED(desk: Desk) -> None:
    desk.open("2025-02-01")

    assert code(desk.do("CloseClaim", DAY, claim="K", reason="done")) == "NOT_DECIDED"
    assert code(desk.do("ReopenClaim", DAY, claim="K", reason="more")) == "NOT_DECIDED"


def test_a_reopened_claim_is_submitted_again_if_it_ever_was_else_open_I14(desk: Desk) -> None:
    desk.open("2025-02-01", claim="K")
    desk.do("RejectClaim", DAY, claim="K", code="PROFESSIONAL_USE")
    _reopen(desk)
    assert (desk.claim("K").status, desk.claim("K").rejection_code) == ("open", None)
    desk.do("CompleteSubmission", DAY, claim="K", completed_at="2025-02-02")
    desk.do("WithdrawClaim", DAY, claim="K")

    _reopen(desk)

    assert desk.claim("K").status == "submitted"


def test_a_further_acceptance_adds_the_further_loss_and_the_claim_counts_once_I14_D15(accepted: Desk) -> None:
    accepted.refund(DAY)
    _reopen(accepted)

    assert code(accepted.accept(400_000, "2025-03-01T09:00", compensated=50_000)) == "recorded"

    claim = accepted.claim("K")
    assert (claim.loss_cents, claim.approved_cents, claim.excess_cents) == (700_000, 500_000, 150_000)
    row = accepted.limit("C", 1, "payment")
    assert (row.count_consumed, row.amount_consumed_cents) == (1, 500_000)


def test_a_further_acceptance_skips_LIMIT_COUNT_D15(desk: Desk) -> None:
    for number in range(1, 4):
        desk.ready("2025-02-01", claim=f"K{number}")
    for number in range(1, 4):
        desk.accept(100, DAY, claim=f"K{number}")
    desk.do("ReopenClaim", DAY, claim="K1", reason="more")

    assert code(desk.accept(100, DAY, claim="K1")) == "recorded"
    assert desk.limit("C", 1, "payment").count_consumed == 3


def test_without_a_new_submission_a_further_refund_counts_from_the_further_acceptance_D15(
    accepted: Desk,
) -> None:
    accepted.refund(DAY)
    _reopen(accepted)
    assert _refund_rows(accepted) == [("met", "2025-02-02")]

    accepted.accept(100, "2025-03-01T09:00")

    (_, row) = accepted.rows(claim_ref("K"), "refund")
    assert (row.seq, row.raw_due_on, row.status) == (2, date(2025, 3, 16), "open")
    accepted.refund("2025-03-02T09:00", reference="PAY-2")
    assert _refund_rows(accepted) == [("met", "2025-02-02"), ("met", "2025-03-02")]


def test_a_new_submission_opens_a_further_row_once_met_when_all_then_approved_is_paid_D15(
    accepted: Desk,
) -> None:
    _reopen(accepted)
    complete = {"claim": "K", "completed_at": "2025-02-02"}
    assert code(accepted.do("CompleteSubmission", DAY, **complete)) == "recorded"
    assert code(accepted.do("CompleteSubmission", DAY, **complete)) == "ALREADY_SUBMITTED"
    accepted.refund(DAY)
    assert _refund_rows(accepted) == [("met", "2025-02-02"), ("open", None)]
    accepted.accept(100, DAY)

    accepted.refund("2025-02-03T09:00", reference="PAY-2")

    assert _refund_rows(accepted) == [("met", "2025-02-02"), ("met", "2025-02-03")]


def test_a_further_acceptance_that_approves_nothing_opens_no_row_I15(desk: Desk) -> None:
    desk.ready("2025-02-01", guarantee="identity", cause="identity_theft")
    desk.accept(0, DAY)
    _reopen(desk)

    assert code(desk.accept(0, DAY)) == "recorded"

    assert _refund_rows(desk) == [("cancelled", None)]
    assert desk.limit("C", 1, "identity").count_consumed == 1


def test_rejecting_a_reopened_claim_gives_nothing_back_D15(accepted: Desk) -> None:
    _reopen(accepted)

    accepted.do("RejectClaim", DAY, claim="K", code="FORCE_MAJEURE")

    assert accepted.limit("C", 1, "payment").amount_consumed_cents == 300_000
    assert code(accepted.refund(DAY)) == "recorded"
    assert _refund_rows(accepted) == [("cancelled", None)]


# Corrections: D16.


def test_a_corrected_incident_moves_its_consumption_to_its_own_year_D16(desk: Desk) -> None:
    desk.ready("2026-01-01", "2026-01-10")
    desk.accept(100_000, "2026-01-11T09:00")

    answer = desk.do("CorrectIncident", "2026-01-12T09:00", claim="K", occurred_at="2025-12-31")

    assert answer["events"] == [
        "claim.IncidentCorrected",
        "contract.LimitConsumptionReversed",
        "contract.LimitConsumed",
    ]
    assert [str(entry.effective_on) for entry in desk.entries[-3:]] == [
        "2026-01-10",
        "2026-01-11",
        "2026-01-11",
    ]
    assert (desk.claim("K").incident_on, desk.claim("K").insurance_year) == (date(2025, 12, 31), 1)
    year_1, year_2 = desk.limit("C", 1, "payment"), desk.limit("C", 2, "payment")
    assert (year_1.amount_consumed_cents, year_1.count_consumed) == (100_000, 1)
    assert (year_2.amount_consumed_cents, year_2.count_consumed) == (0, 0)
    assert desk.contract("C").accepted_claims == ("K",)


def test_a_correction_computes_approved_and_excess_afresh_D16(desk: Desk) -> None:
    desk.ready("2025-06-01", "2026-01-10", claim="K1")
    desk.accept(400_000, "2026-01-10T10:00", claim="K1")
    desk.ready("2026-01-01", "2026-01-11")
    desk.accept(300_000, "2026-01-11T10:00")
    before = _refund_rows(desk)

    desk.do("CorrectIncident", "2026-01-12T09:00", claim="K", occurred_at="2025-12-31")

    claim = desk.claim("K")
    assert (claim.approved_cents, claim.excess_cents, claim.capped_by) == (100_000, 200_000, "LIMIT_AMOUNT")
    assert _refund_rows(desk) == before


def test_a_refused_correction_changes_nothing_D16(desk: Desk) -> None:
    for number in range(1, 4):
        desk.ready("2025-06-01", "2026-01-10", claim=f"K{number}")
        desk.accept(100_000, "2026-01-10T09:00", claim=f"K{number}")
    desk.ready("2026-01-01", "2026-01-11")
    desk.accept(300_000, "2026-01-11T10:00")
    before = dict(desk.states)
    correct = "CorrectIncident"

    outside = desk.do(correct, "2026-01-12T09:00", claim="K", occurred_at="2024-12-31")
    counted = desk.do(correct, "2026-01-12T09:00", claim="K", occurred_at="2025-12-31")
    future = desk.do(correct, "2026-01-12T09:00", claim="K", occurred_at="2026-01-12")

    assert [code(a) for a in (outside, counted, future)] == [
        "OUTSIDE_COVER",
        "LIMIT_COUNT",
        "INCIDENT_IN_FUTURE",
    ]
    assert desk.states == before


def test_a_correction_that_leaves_less_than_is_refunded_is_refused_D16(desk: Desk) -> None:
    desk.ready("2025-06-01", "2026-01-10", claim="K1")
    desk.accept(400_000, "2026-01-10T10:00", claim="K1")
    desk.ready("2026-01-01", "2026-01-11")
    desk.accept(300_000, "2026-01-11T10:00")
    desk.refund("2026-01-11T11:00", amount_cents=100_001)

    answer = desk.do("CorrectIncident", "2026-01-12T09:00", claim="K", occurred_at="2025-12-31")

    assert code(answer) == "REFUND_EXCEEDS_APPROVED"


def test_a_correction_into_a_used_up_year_is_refused_by_LIMIT_AMOUNT_D16(desk: Desk) -> None:
    desk.ready("2025-06-01", "2026-01-10", claim="K1")
    desk.accept(500_000, "2026-01-10T10:00", claim="K1")
    desk.ready("2026-01-01", "2026-01-11")
    desk.accept(300_000, "2026-01-11T10:00")

    answer = desk.do("CorrectIncident", "2026-01-12T09:00", claim="K", occurred_at="2025-12-31")

    assert code(answer) == "LIMIT_AMOUNT"


def test_on_a_claim_not_accepted_a_correction_changes_the_date_only_D16(desk: Desk) -> None:
    desk.open("2025-02-01")

    answer = desk.do("CorrectIncident", "2025-02-03T09:00", claim="K", occurred_at="2024-12-31")

    assert answer["events"] == ["claim.IncidentCorrected"]
    assert (desk.claim("K").incident_on, desk.claim("K").insurance_year) == (date(2024, 12, 31), None)


def test_what_a_failed_rescue_consumed_stays_in_its_year_and_the_claim_counts_once_D16(desk: Desk) -> None:
    desk.ready("2025-12-31", "2026-01-10", guarantee="data", cause="malware")
    day = "2026-01-10T10:00"
    desk.do("AppointExpert", day, claim="K", provider="Rescue NV")
    desk.do("ProvideAssistance", day, claim="K", kind="data_recovery", provider="Rescue NV")
    desk.do("RejectClaim", day, claim="K", code="FORCE_MAJEURE")
    desk.do("CorrectIncident", day, claim="K", occurred_at="2026-01-01")
    assert desk.limit("C", 1, "data").count_consumed == 1
    _reopen(desk, day)

    assert code(desk.accept(10_000, day)) == "recorded"

    assert (desk.limit("C", 1, "data").count_consumed, desk.limit("C", 2, "data").count_consumed) == (1, 0)
    assert desk.limit("C", 2, "data").amount_consumed_cents == 10_000
    desk.do("CorrectIncident", day, claim="K", occurred_at="2026-01-02")
    assert (desk.limit("C", 1, "data").count_consumed, desk.limit("C", 2, "data").count_consumed) == (0, 1)


def test_a_claim_is_moved_with_its_consumption_to_the_contract_that_it_belongs_to_D16(accepted: Desk) -> None:
    accepted.start("2025-02-03T09:00", contract="D")

    answer = accepted.do("MoveClaim", "2025-02-04T09:00", claim="K", contract="D")

    assert answer["events"] == [
        "claim.ClaimMoved",
        "contract.ClaimDeregistered",
        "contract.ClaimRegistered",
        "contract.LimitConsumptionReversed",
        "contract.LimitConsumed",
    ]
    assert [entry.stream.name for entry in accepted.entries[-4:]] == [
        "contract/C",
        "contract/D",
        "contract/C",
        "contract/D",
    ]
    assert (accepted.contract("C").claims, accepted.contract("D").claims) == ((), ("K",))
    assert accepted.limit("C", 1, "payment").count_consumed == 0
    assert accepted.limit("D", 1, "payment").amount_consumed_cents == 300_000
    assert accepted.claim("K").contract == "D"
    assert code(accepted.refund("2025-02-05T09:00")) == "recorded"


def test_a_claim_is_moved_to_another_contract_that_exists_UNKNOWN_EXISTS_D16(accepted: Desk) -> None:
    assert code(accepted.do("MoveClaim", DAY, claim="K", contract="D")) == "UNKNOWN"
    assert code(accepted.do("MoveClaim", DAY, claim="K", contract="C")) == "EXISTS"


def test_an_accepted_claim_is_not_moved_outside_the_other_contracts_cover_D16(accepted: Desk) -> None:
    accepted.start("2025-02-03T09:00", contract="D", starts_on="2025-02-02")

    answer = accepted.do("MoveClaim", "2025-02-04T09:00", claim="K", contract="D")

    assert code(answer) == "OUTSIDE_COVER"


def test_a_claim_not_accepted_is_moved_as_it_is_D16(desk: Desk) -> None:
    desk.open("2025-02-01")
    desk.start("2025-02-03T09:00", contract="D", starts_on="2025-02-02")

    answer = desk.do("MoveClaim", "2025-02-04T09:00", claim="K", contract="D")

    assert answer["events"] == ["claim.ClaimMoved", "contract.ClaimDeregistered", "contract.ClaimRegistered"]
    assert desk.claim("K").insurance_year is None


def _expert_stands(desk: Desk) -> None:
    desk.ready("2025-02-01", guarantee="data", cause="malware")
    desk.do("AppointExpert", DAY, claim="K", provider="Rescue NV")


def test_a_standing_experts_reservation_goes_along_with_the_claim(desk: Desk) -> None:
    _expert_stands(desk)
    desk.start("2025-02-03T09:00", contract="D")

    desk.do("MoveClaim", "2025-02-04T09:00", claim="K", contract="D")

    assert desk.limit("C", 1, "data").count_reserved == 0
    assert desk.limit("D", 1, "data").amount_reserved_cents == 80_000
    assert code(desk.accept(100, "2025-02-04T09:00")) == "recorded"
    assert desk.limit("D", 1, "data").amount_reserved_cents == 0


@pytest.mark.parametrize("starts_on", ["2025-02-02", "2023-02-01"])
def test_a_reservation_lapses_where_the_other_contract_does_not_cover_the_incident(
    desk: Desk, starts_on: str
) -> None:
    _expert_stands(desk)
    desk.start("2025-02-03T09:00", contract="D", starts_on=starts_on)
    ended = {"contract": "D", "received_on": "2023-08-01", "channel": "email"}
    desk.do("GiveNotice", "2025-02-03T09:00", **ended)

    desk.do("MoveClaim", "2025-02-04T09:00", claim="K", contract="D")

    assert desk.limit("C", 1, "data").count_reserved == 0
    assert desk.claim("K").reserved is None


def test_a_reservation_lapses_where_the_other_contract_has_no_room(desk: Desk) -> None:
    _expert_stands(desk)
    desk.start("2025-02-03T09:00", contract="D")
    desk.ready("2025-02-03", claim="K2", contract="D", guarantee="data", cause="malware")
    desk.accept(100, "2025-02-03T10:00", claim="K2")

    desk.do("MoveClaim", "2025-02-04T09:00", claim="K", contract="D")

    assert (desk.limit("D", 1, "data").count_reserved, desk.claim("K").reserved) == (0, None)
