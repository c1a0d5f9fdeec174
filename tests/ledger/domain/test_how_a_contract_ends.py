"""R3 to R6, R10 to R12, I11, D1 to D7: terms, notices, letters, withdrawal, annulment."""

from datetime import UTC, date, datetime

import pytest
from desk import Desk, code

from ledger.domain.identifiers import contract_ref

C = contract_ref("C")


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.start()
    return desk


def _states(desk: Desk, kind: str) -> list[tuple[str, str | None]]:
    return [(row.status, row.met_on and str(row.met_on)) for row in desk.rows(C, kind)]


def test_a_contract_is_recorded_once_EXISTS(desk: Desk) -> None:
    assert code(desk.start()) == "EXISTS"


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("GiveNotice", {"received_on": "2025-01-01", "channel": "email"}),
        ("RevokeNotice", {"reason": "changed mind"}),
        ("SendTerminationNotice", {"posted_on": "2025-01-01", "tracking": "RR1BE"}),
        ("RecordLetterReturned", {"returned_on": "2025-01-01"}),
        ("WithdrawFromContract", {"received_on": "2025-01-01"}),
        ("AnnulContract", {"reason": "twice"}),
        ("CorrectPerson", {"person": "P", "name": "Mila"}),
    ],
)
def test_a_command_on_a_contract_that_does_not_exist_is_refused_by_UNKNOWN(
    command: str, fields: dict[str, object]
) -> None:
    assert code(Desk().do(command, "2025-06-01T09:00", contract="C", **fields)) == "UNKNOWN"


def test_early_notice_is_deemed_given_on_the_gate_R4_Q6(desk: Desk) -> None:
    desk.notice("2025-05-20")

    contract = desk.contract("C")
    assert contract.notice is not None
    assert (contract.notice.deemed_on, contract.ends_on) == (date(2025, 7, 1), date(2025, 8, 2))


def test_the_gate_does_not_recur_in_later_terms_R4(desk: Desk) -> None:
    desk.notice("2026-02-10")

    assert desk.contract("C").ends_on == date(2026, 3, 11)


def test_a_second_notice_while_one_stands_is_refused_by_NOTICE_STANDS(desk: Desk) -> None:
    desk.notice("2025-07-15")

    assert code(desk.notice("2025-07-16")) == "NOTICE_STANDS"


def test_a_notice_past_E_stays_through_the_renewal_and_ends_the_renewed_contract_D2(desk: Desk) -> None:
    desk.notice("2025-12-15")
    assert desk.contract("C").ends_on == date(2026, 1, 16)

    desk.elapse("2026-01-01")
    renewed = desk.contract("C")
    assert (renewed.status, renewed.term, renewed.ends_on) == ("notice_given", 2, date(2026, 1, 16))
    assert desk.limit("C", 2, "payment").count_remaining == 3

    desk.elapse("2026-01-16")
    ended = desk.contract("C")
    assert (ended.status, ended.term, ended.ends_on) == ("cancelled", 2, date(2026, 1, 16))
    assert _states(desk, "term_end") == [("met", "2026-01-01"), ("cancelled", None)]
    assert _states(desk, "termination_letter") == [("missed", None), ("cancelled", None)]
    assert _states(desk, "notice_end") == [("met", "2026-01-16")]


def test_a_notice_that_ends_exactly_on_E_cancels_even_with_a_timely_letter_D1(desk: Desk) -> None:
    desk.letter("2025-09-01")
    desk.notice("2025-11-30")
    assert desk.contract("C").ends_on == date(2026, 1, 1)

    desk.elapse("2026-01-01")

    assert desk.contract("C").status == "cancelled"
    assert _states(desk, "term_end") == [("cancelled", None)]
    assert _states(desk, "notice_end") == [("met", "2026-01-01")]
    assert _states(desk, "termination_letter") == [("met", "2025-09-01")]


def test_where_a_letter_ends_the_contract_earlier_the_notice_keeps_its_date_and_is_cancelled_D2(
    desk: Desk,
) -> None:
    desk.letter("2025-09-01")
    desk.notice("2025-12-15")
    assert desk.contract("C").ends_on == date(2026, 1, 1)
    assert desk.contract("C").status == "termination_notified"

    desk.elapse("2026-02-01")

    (row,) = desk.rows(C, "notice_end")
    assert (desk.contract("C").status, row.due_on, row.status) == ("expired", date(2026, 1, 16), "cancelled")
    assert _states(desk, "term_end") == [("met", "2026-01-01")]


def test_of_notice_and_letter_the_one_recorded_first_gives_the_status(desk: Desk) -> None:
    desk.notice("2025-07-15")
    desk.letter("2025-07-16")

    assert desk.contract("C").status == "notice_given"


def test_a_revoked_notice_leaves_the_status_that_was_without_it_D5(desk: Desk) -> None:
    desk.notice("2025-07-15")
    desk.do("RevokeNotice", "2025-07-16T09:00", contract="C", reason="stays")
    assert desk.contract("C").status == "active"
    assert _states(desk, "notice_end") == [("cancelled", None)]

    desk.notice("2025-07-17")
    desk.letter("2025-07-18")
    desk.do("RevokeNotice", "2025-07-19T09:00", contract="C", reason="stays")

    assert desk.contract("C").status == "termination_notified"
    assert [row.seq for row in desk.rows(C, "notice_end")] == [1, 2]
    desk.elapse("2026-01-01")
    assert desk.contract("C").status == "expired"
    assert _states(desk, "notice_end") == [("cancelled", None), ("cancelled", None)]


def test_revoking_where_no_notice_stands_is_UNKNOWN_and_after_the_end_CONTRACT_ENDED_D5(desk: Desk) -> None:
    revoke = {"contract": "C", "reason": "stays"}
    assert code(desk.do("RevokeNotice", "2025-07-01T09:00", **revoke)) == "UNKNOWN"

    desk.notice("2025-07-15")

    assert code(desk.do("RevokeNotice", "2025-08-16T00:00", **revoke)) == "CONTRACT_ENDED"


def test_at_midnight_of_its_end_the_contract_ends_before_any_command_R12(desk: Desk) -> None:
    desk.notice("2025-07-15")

    assert code(desk.notice("2025-08-15", at="2025-08-16T00:00")) == "CONTRACT_ENDED"
    assert code(desk.letter("2025-08-15", at="2025-08-16T00:00")) == "CONTRACT_ENDED"


def test_a_late_letter_ends_nothing_and_a_new_one_must_be_sent_R11_Q9(desk: Desk) -> None:
    desk.letter("2025-10-01")
    assert desk.contract("C").status == "active"
    assert _states(desk, "termination_letter") == [("missed", None)]

    desk.elapse("2026-01-01")
    assert desk.contract("C").term == 2

    assert code(desk.letter("2026-03-01")) == "recorded"
    desk.elapse("2027-01-01")
    assert desk.contract("C").status == "expired"


def test_a_letter_posted_up_to_N_is_timely_though_its_deadline_rolled_back_R6() -> None:
    desk = Desk()
    desk.start("2024-02-29T09:00", starts_on="2024-02-29")
    (row,) = desk.rows(C, "termination_letter")
    assert (row.raw_due_on, row.due_on) == (date(2024, 11, 30), date(2024, 11, 29))

    desk.letter("2024-11-30")

    assert _states(desk, "termination_letter") == [("met", "2024-11-30")]


def test_a_letter_is_missed_at_midnight_after_N_not_after_its_due_day_R12() -> None:
    desk = Desk()
    desk.start("2024-02-29T09:00", starts_on="2024-02-29")

    desk.elapse("2024-11-30T23:59")
    assert _states(desk, "termination_letter") == [("open", None)]
    desk.elapse("2024-12-01")
    assert _states(desk, "termination_letter") == [("missed", None)]


def test_a_second_letter_while_a_timely_one_stands_is_refused_by_LETTER_STANDS_D3(desk: Desk) -> None:
    desk.letter("2025-09-01")

    assert code(desk.letter("2025-09-02")) == "LETTER_STANDS"


def test_a_letter_posted_before_S_belongs_to_term_1_D3() -> None:
    desk = Desk()
    desk.start("2024-12-01T09:00")

    desk.letter("2024-12-15")

    assert desk.contract("C").ends_on == date(2026, 1, 1)
    assert _states(desk, "termination_letter") == [("met", "2024-12-15")]


def test_a_timely_letter_recorded_after_the_renewal_ends_the_contract_at_that_E_all_the_same_D3(
    desk: Desk,
) -> None:
    desk.ready("2026-02-01")
    desk.accept(100, "2026-02-02T09:00")

    answer = desk.letter("2025-09-15", at="2026-03-01T09:00")

    contract = desk.contract("C")
    assert answer["events"] == ["contract.TerminationNoticeSent"]
    assert (contract.status, contract.ends_on, contract.term) == ("expired", date(2026, 1, 1), 1)
    assert contract.years_begun == 2
    assert desk.claim("K").status == "accepted"
    assert _states(desk, "term_end") == [("met", "2026-01-01"), ("cancelled", None)]
    assert _states(desk, "termination_letter") == [("missed", "2025-09-15"), ("cancelled", None)]
    ended = desk.entries[-1]
    assert (ended.by_time, ended.effective_on) == (True, date(2026, 1, 1))
    assert ended.at == datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_what_a_later_term_missed_or_met_goes_with_it_when_the_letter_comes_to_light_D3(desk: Desk) -> None:
    desk.elapse("2027-06-01")

    desk.letter("2025-09-15", at="2027-06-01T09:00")

    assert _states(desk, "term_end") == [("met", "2026-01-01"), ("cancelled", None), ("cancelled", None)]
    assert _states(desk, "termination_letter") == [
        ("missed", "2025-09-15"),
        ("cancelled", None),
        ("cancelled", None),
    ]


def test_a_notice_recorded_after_its_end_ends_the_contract_in_the_past_D3(desk: Desk) -> None:
    desk.notice("2025-07-15", at="2026-02-01T09:00")

    contract = desk.contract("C")
    assert (contract.status, contract.ends_on, contract.term) == ("cancelled", date(2025, 8, 16), 1)
    assert _states(desk, "notice_end") == [("met", "2025-08-16")]
    assert _states(desk, "term_end") == [("cancelled", None), ("cancelled", None)]
    assert _states(desk, "termination_letter") == [("cancelled", None), ("cancelled", None)]
    assert desk.entries[-1].effective_on == date(2025, 8, 16)


def test_a_letter_met_before_the_end_that_comes_to_light_stays_met_I15(desk: Desk) -> None:
    desk.letter("2025-08-01")

    desk.notice("2025-07-15", at="2025-09-01T09:00")

    assert _states(desk, "termination_letter") == [("met", "2025-08-01")]
    assert _states(desk, "term_end") == [("cancelled", None)]


def test_a_letter_that_came_back_changes_nothing_and_needs_a_letter_D5_Q8(desk: Desk) -> None:
    back = {"contract": "C", "returned_on": "2025-09-20"}
    assert code(desk.do("RecordLetterReturned", "2025-09-01T09:00", **back)) == "UNKNOWN"
    desk.letter("2025-09-15")

    assert code(desk.do("RecordLetterReturned", "2025-09-21T09:00", **back)) == "recorded"

    assert desk.contract("C").status == "termination_notified"


def test_a_contract_recorded_after_S_catches_up_at_once_D4() -> None:
    desk = Desk()

    desk.start("2026-02-01T09:00")

    contract = desk.contract("C")
    assert (contract.term, contract.years_begun, contract.ends_on) == (2, 2, date(2027, 1, 1))
    assert _states(desk, "termination_letter") == [("missed", None), ("open", None)]
    names = [(entry.event.stable_name, str(entry.effective_on), entry.by_time) for entry in desk.entries]
    assert names == [
        ("contract.ContractStarted", "2025-01-01", False),
        ("contract.DeadlineMissed", "2025-10-01", True),
        ("contract.ContractRenewed", "2026-01-01", True),
    ]
    assert {entry.at for entry in desk.entries} == {datetime(2026, 2, 1, 8, tzinfo=UTC)}


def test_a_contract_that_starts_later_is_active_from_its_recording_D4() -> None:
    desk = Desk()

    desk.start("2024-11-01T09:00")

    assert (desk.contract("C").status, desk.contract("C").term) == ("active", 1)
    assert desk.limit("C", 1, "payment").to_on == date(2026, 1, 1)


def test_every_E_is_counted_from_S_R3() -> None:
    desk = Desk()
    desk.start("2024-02-29T09:00", starts_on="2024-02-29")

    desk.elapse("2027-03-01")

    assert desk.contract("C").ends_on == date(2028, 2, 29)
    assert [str(row.due_on) for row in desk.rows(C, "term_end")] == [
        "2025-03-01",
        "2026-03-01",
        "2027-03-01",
        "2028-02-29",
    ]


def test_an_event_before_the_streams_last_is_refused_by_OUT_OF_ORDER(desk: Desk) -> None:
    desk.elapse("2025-10-01")

    assert code(desk.notice("2025-07-15", at="2025-09-30T23:59")) == "OUT_OF_ORDER"


def _sold_at_a_distance() -> Desk:
    desk = Desk()
    desk.start("2025-03-01T09:00", starts_on="2025-03-01", distance_sale=True)
    return desk


def test_a_distance_sale_can_be_withdrawn_from_for_14_days_rolled_forward_R10_D6() -> None:
    desk = _sold_at_a_distance()
    (row,) = desk.rows(C, "withdrawal_end")
    assert (row.raw_due_on, row.due_on, row.rule) == (date(2025, 3, 15), date(2025, 3, 17), "R10")

    answer = desk.do("WithdrawFromContract", "2025-03-17T18:00", contract="C", received_on="2025-03-17")

    assert code(answer) == "recorded"
    assert (desk.contract("C").status, desk.contract("C").ends_on) == ("withdrawn", date(2025, 3, 17))
    assert _states(desk, "withdrawal_end") == [("met", "2025-03-17")]
    assert _states(desk, "term_end") == [("cancelled", None)]
    assert _states(desk, "termination_letter") == [("cancelled", None)]


def test_the_days_of_withdrawal_are_met_unused_on_their_day_D6() -> None:
    desk = _sold_at_a_distance()

    desk.elapse("2025-03-17")

    assert _states(desk, "withdrawal_end") == [("met", "2025-03-17")]
    assert desk.entries[-1].event.stable_name == "contract.WithdrawalPeriodEnded"


def test_a_withdrawal_in_time_may_be_recorded_late_and_one_out_of_time_is_refused_D6() -> None:
    desk = _sold_at_a_distance()
    withdraw = "WithdrawFromContract"
    late = desk.do(withdraw, "2025-03-20T09:00", contract="C", received_on="2025-03-18")
    assert code(late) == "WITHDRAWAL_TOO_LATE"

    assert code(desk.do(withdraw, "2025-03-20T10:00", contract="C", received_on="2025-03-10")) == "recorded"

    assert desk.contract("C").ends_on == date(2025, 3, 10)
    assert _states(desk, "withdrawal_end") == [("met", "2025-03-10")]
    assert (
        code(desk.do(withdraw, "2025-03-20T11:00", contract="C", received_on="2025-03-10"))
        == "CONTRACT_ENDED"
    )


def test_cover_that_is_withdrawn_from_before_S_ends_on_S_D6() -> None:
    desk = Desk()
    desk.start("2024-12-01T09:00", distance_sale=True, concluded_on="2024-12-01")

    desk.do("WithdrawFromContract", "2024-12-10T09:00", contract="C", received_on="2024-12-10")

    assert desk.contract("C").ends_on == date(2025, 1, 1)
    assert _states(desk, "withdrawal_end") == [("met", "2024-12-10")]


def test_the_days_of_withdrawal_run_from_the_conclusion_where_it_is_later_than_S_R10() -> None:
    desk = Desk()

    desk.start("2025-02-03T09:00", distance_sale=True)

    assert [str(row.due_on) for row in desk.rows(C, "withdrawal_end")] == ["2025-02-17"]


def test_only_a_distance_sale_can_be_withdrawn_from_NOT_DISTANCE_SALE(desk: Desk) -> None:
    answer = desk.do("WithdrawFromContract", "2025-01-05T09:00", contract="C", received_on="2025-01-05")

    assert code(answer) == "NOT_DISTANCE_SALE"


def _recorded_in_december() -> Desk:
    desk = Desk()
    desk.start("2025-12-22T09:00", distance_sale=True)  # withdrawal until Monday 2026-01-05
    return desk


def test_an_end_on_or_before_its_raw_date_cancels_the_days_of_withdrawal_I15() -> None:
    desk = _recorded_in_december()
    desk.letter("2025-09-01", at="2025-12-22T10:00")

    desk.elapse("2026-01-05")

    assert desk.contract("C").status == "expired"
    assert _states(desk, "withdrawal_end") == [("cancelled", None)]


def test_a_notice_that_ends_cover_cancels_the_days_of_withdrawal_I15() -> None:
    desk = _recorded_in_december()
    desk.notice("2025-12-01", at="2025-12-22T10:00")

    desk.elapse("2026-01-05")

    assert desk.contract("C").ends_on == date(2026, 1, 2)
    assert _states(desk, "withdrawal_end") == [("cancelled", None)]


def test_a_contract_recorded_by_mistake_is_annulled_as_if_there_never_was_cover_I11(desk: Desk) -> None:
    desk.notice("2025-07-15")
    desk.open("2025-02-01", "2025-07-16T09:00")
    desk.do("IdentifyClaimant", "2025-07-16T09:00", claim="K", method="callback")
    desk.do("CompleteSubmission", "2025-07-16T09:00", claim="K", completed_at="2025-07-16")

    assert code(desk.do("AnnulContract", "2025-07-17T09:00", contract="C", reason="twice")) == "recorded"

    assert (desk.contract("C").status, desk.contract("C").ends_on) == ("annulled", date(2025, 1, 1))
    assert {row.status for row in desk.contract("C").deadlines} == {"cancelled"}
    assert code(desk.accept(100, "2025-07-18T09:00")) == "OUTSIDE_COVER"
    assert (
        code(desk.do("AnnulContract", "2025-07-19T09:00", contract="C", reason="twice")) == "CONTRACT_ENDED"
    )


def test_annulling_cancels_the_days_of_withdrawal_too() -> None:
    desk = _sold_at_a_distance()

    desk.do("AnnulContract", "2025-03-02T09:00", contract="C", reason="twice")

    assert _states(desk, "withdrawal_end") == [("cancelled", None)]


def test_a_contract_with_accepted_claims_is_not_annulled_HAS_CLAIMS(desk: Desk) -> None:
    desk.ready("2025-02-01")
    desk.accept(100, "2025-02-02T09:00")

    assert code(desk.do("AnnulContract", "2025-02-03T09:00", contract="C", reason="twice")) == "HAS_CLAIMS"


def test_what_is_held_on_the_policyholder_can_be_corrected_and_on_nobody_else_PERSON_MISMATCH(
    desk: Desk,
) -> None:
    correct = "CorrectPerson"
    assert code(desk.do(correct, "2025-02-01T09:00", contract="C", person="Q", name="X")) == "PERSON_MISMATCH"

    assert code(desk.do(correct, "2025-02-01T09:00", contract="C", person="P", name="Mia")) == "recorded"

    entry = desk.entries[-1]
    assert (entry.subject, entry.effective_on) == ("P", date(2025, 1, 1))


def test_the_documents_that_applied_are_named_in_the_contracts_language() -> None:
    desk = Desk()

    desk.start(language="fr")

    event = desk.entries[0].event.model_dump()
    kinds = [(document["kind"], document["language"]) for document in event["documents"]]
    assert kinds == [("ipid", "fr"), ("general_terms", "fr")]
    assert desk.contract("C").language == "fr"
