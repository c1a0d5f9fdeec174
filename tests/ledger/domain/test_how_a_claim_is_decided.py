"""I3 to I8, I13, I16, D8 to D10, D14, D17: opening, assistance, experts, acceptance, rejection."""

from dataclasses import replace
from datetime import date

import pytest
from desk import Desk, code
from in_memory import instant

from ledger.domain.claim.acceptance import move, room_for
from ledger.domain.claim.commands import AppointExpert
from ledger.domain.claim.decide import decide
from ledger.domain.claim.events import ClaimMoved
from ledger.domain.identifiers import claim_ref
from ledger.domain.limits import Context, Cover, LimitUse
from ledger.domain.refusals import LimitAmount

DAY = "2025-02-02T09:00"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.start()
    return desk


@pytest.fixture
def rescue(desk: Desk) -> Desk:
    desk.ready("2025-02-01", guarantee="data", cause="malware")
    return desk


def _refund_rows(desk: Desk) -> list[tuple[str, str | None]]:
    return [(row.status, row.met_on and str(row.met_on)) for row in desk.rows(claim_ref("K"), "refund")]


def test_a_claim_on_a_contract_that_does_not_exist_is_UNKNOWN_and_one_already_there_EXISTS(
    desk: Desk,
) -> None:
    assert code(desk.open("2025-02-01", contract="D")) == "UNKNOWN"
    assert code(desk.open("2025-02-01")) == "recorded"
    assert code(desk.open("2025-02-01")) == "EXISTS"
    assert code(desk.open("2025-02-01", contract="D")) == "UNKNOWN"


def test_an_incident_after_its_report_is_refused_by_INCIDENT_IN_FUTURE_by_Brussels_dates(desk: Desk) -> None:
    late = {"at": "2025-02-03T09:00", "reported_at": "2025-02-01T23:30:00Z"}

    assert code(desk.open("2025-02-03", **late)) == "INCIDENT_IN_FUTURE"
    assert code(desk.open("2025-02-02", **late)) == "recorded"
    assert desk.claim("K").reported_on == date(2025, 2, 2)
    assert code(desk.open("2025-02-04", "2025-02-03T09:00", claim="K2")) == "INCIDENT_IN_FUTURE"


def test_a_policyholder_who_is_not_the_contracts_own_person_is_refused_by_PERSON_MISMATCH(desk: Desk) -> None:
    assert code(desk.open("2025-02-01", victim={"person": "Q"})) == "PERSON_MISMATCH"
    assert code(desk.open("2025-02-01", victim={"person": "Q", "relation": "family"})) == "recorded"


def test_opening_registers_the_claim_with_its_contract(desk: Desk) -> None:
    answer = desk.open("2025-02-01")

    assert answer["events"] == ["claim.ClaimOpened", "contract.ClaimRegistered"]
    assert desk.contract("C").claims == ("K",)
    assert (desk.claim("K").status, desk.claim("K").insurance_year) == ("open", 1)
    assert desk.claim("K").deadlines == ()


def test_an_incident_before_S_has_no_insurance_year_and_lies_outside_cover_D10(desk: Desk) -> None:
    desk.ready("2024-12-31", "2025-01-02")

    assert desk.claim("K").insurance_year is None
    assert code(desk.accept(1, DAY)) == "OUTSIDE_COVER"


def test_the_first_day_is_covered_and_the_day_of_the_end_is_not_I4(desk: Desk) -> None:
    desk.notice("2025-07-15")
    desk.ready("2025-01-01", "2025-09-01", claim="K1")
    desk.ready("2025-08-15", "2025-09-01", claim="K2")
    desk.ready("2025-08-16", "2025-09-01", claim="K3")

    assert code(desk.accept(1, "2025-09-01T09:00", claim="K1")) == "recorded"
    assert code(desk.accept(1, "2025-09-01T09:00", claim="K2")) == "recorded"  # I5
    assert code(desk.accept(1, "2025-09-01T09:00", claim="K3")) == "OUTSIDE_COVER"


def test_a_claim_consumes_the_year_of_its_incident_not_of_its_report_I7(desk: Desk) -> None:
    desk.ready("2025-12-31", "2026-02-01")

    desk.accept(100, "2026-02-02T09:00")

    assert desk.limit("C", 1, "payment").amount_consumed_cents == 100
    assert desk.limit("C", 2, "payment").amount_consumed_cents == 0


def test_opened_rejected_and_withdrawn_claims_count_nothing_I6(desk: Desk) -> None:
    desk.open("2025-02-01", claim="K1")
    desk.open("2025-02-01", claim="K2")
    desk.open("2025-02-01", claim="K3")
    desk.do("RejectClaim", DAY, claim="K2", code="UNLAWFUL_ACTIVITY", reason="see file")
    desk.do("WithdrawClaim", DAY, claim="K3")

    assert desk.limit("C", 1, "payment").count_consumed == 0
    assert (desk.claim("K2").status, desk.claim("K2").rejection_code) == ("rejected", "UNLAWFUL_ACTIVITY")
    assert desk.claim("K3").status == "withdrawn"


def test_acceptance_names_the_first_check_that_fails_in_the_order_of_I13(desk: Desk) -> None:
    desk.open(
        "2024-12-31", "2025-01-02T09:00", guarantee="data", cause="other", victim={"relation": "non_family"}
    )
    assert code(desk.accept(0, "2025-01-02T09:00")) == "NOT_IDENTIFIED"
    desk.do("IdentifyClaimant", "2025-01-02T09:00", claim="K", method="callback")
    assert code(desk.accept(0, "2025-01-02T09:00")) == "NOT_SUBMITTED"
    desk.do("RejectClaim", "2025-01-02T09:00", claim="K", code="NOT_MALWARE")
    assert code(desk.accept(0, "2025-01-02T09:00")) == "NOT_SUBMITTED"
    desk.do("ReopenClaim", "2025-01-02T09:00", claim="K", reason="again")
    desk.do("CompleteSubmission", "2025-01-02T09:00", claim="K", completed_at="2025-01-02")
    desk.do("RejectClaim", "2025-01-02T10:00", claim="K", code="NOT_MALWARE")
    assert code(desk.accept(0, "2025-01-02T10:00")) == "ALREADY_DECIDED"
    desk.do("ReopenClaim", "2025-01-02T10:00", claim="K", reason="again")
    assert code(desk.accept(0, "2025-01-02T10:00")) == "NOT_INSURED_PERSON"


def test_a_loss_that_others_paid_in_full_is_refused_by_ALREADY_COMPENSATED(desk: Desk) -> None:
    desk.ready("2025-02-01", claim="K1")
    desk.ready("2025-02-01", claim="K2", guarantee="identity", cause="other")

    assert code(desk.accept(100, DAY, claim="K1", compensated=100)) == "ALREADY_COMPENSATED"
    assert code(desk.accept(100, DAY, claim="K1", compensated=101)) == "ALREADY_COMPENSATED"
    assert code(desk.accept(0, DAY, claim="K2", compensated=1)) == "ALREADY_COMPENSATED"
    assert code(desk.accept(100, DAY, claim="K1", compensated=99)) == "recorded"
    assert desk.claim("K1").approved_cents == 1


def test_the_excess_is_the_loss_less_what_others_paid_less_what_is_approved_D10(desk: Desk) -> None:
    desk.ready("2025-02-01")

    desk.accept(700_000, DAY, compensated=100_000)

    claim = desk.claim("K")
    assert (claim.loss_cents, claim.approved_cents, claim.excess_cents) == (700_000, 500_000, 100_000)


def test_an_acceptance_that_approves_nothing_cancels_the_refund_I15(desk: Desk) -> None:
    desk.ready("2025-02-01", guarantee="reputation", cause="cyberstalking")

    desk.accept(0, DAY)

    assert _refund_rows(desk) == [("cancelled", None)]


@pytest.mark.parametrize("command", [("RejectClaim", {"code": "FORCE_MAJEURE"}), ("WithdrawClaim", {})])
def test_a_decided_claim_is_decided_once_and_its_refund_is_cancelled_D9(
    desk: Desk, command: tuple[str, dict[str, object]]
) -> None:
    name, fields = command
    desk.ready("2025-02-01")

    assert code(desk.do(name, DAY, claim="K", **fields)) == "recorded"

    assert _refund_rows(desk) == [("cancelled", None)]
    assert code(desk.do("RejectClaim", DAY, claim="K", code="FORCE_MAJEURE")) == "ALREADY_DECIDED"
    assert code(desk.do("WithdrawClaim", DAY, claim="K")) == "ALREADY_DECIDED"
    assert code(desk.accept(1, DAY)) == "ALREADY_DECIDED"
    completed = desk.do("CompleteSubmission", DAY, claim="K", completed_at="2025-02-02")
    assert code(completed) == "ALREADY_DECIDED"


def test_a_submission_is_completed_once_D9(desk: Desk) -> None:
    desk.ready("2025-02-01")

    answer = desk.do("CompleteSubmission", DAY, claim="K", completed_at="2025-02-02")

    assert code(answer) == "ALREADY_SUBMITTED"


def test_identification_advice_assistance_and_documents_are_taken_in_any_status_D9(desk: Desk) -> None:
    desk.open("2025-02-01", guarantee="identity", cause="identity_theft")
    desk.do("RejectClaim", DAY, claim="K", code="UNLAWFUL_ACTIVITY")
    before = desk.claim("K")

    taken = [
        desk.do("IdentifyClaimant", DAY, claim="K", method="callback"),
        desk.do("GiveAdvice", DAY, claim="K", topics=["block_card"]),
        desk.do("ProvideAssistance", DAY, claim="K", kind="legal", provider="Lex NV"),
        desk.do("RequestDocuments", DAY, claim="K", documents=["police_report"]),
        desk.do("ReceiveDocument", DAY, claim="K", document="police_report", sha256="0" * 64),
    ]

    assert [code(answer) for answer in taken] == ["recorded"] * 5
    assert (desk.claim("K").status, desk.claim("K").deadlines) == (before.status, before.deadlines)


def test_assistance_outside_the_guarantees_services_is_refused_by_NO_SUCH_SERVICE(desk: Desk) -> None:
    desk.open("2025-02-01", claim="K1", guarantee="identity", cause="identity_theft")
    desk.open("2025-02-01", claim="K2")

    technical = desk.do("ProvideAssistance", DAY, claim="K1", kind="technical", provider="X")
    legal = desk.do("ProvideAssistance", DAY, claim="K2", kind="legal", provider="X")

    assert (code(technical), code(legal)) == ("NO_SUCH_SERVICE", "NO_SUCH_SERVICE")


CLAIM_COMMANDS: list[tuple[str, dict[str, object]]] = [
    ("IdentifyClaimant", {"method": "callback"}),
    ("AcceptClaim", {"loss_cents": 1}),
    ("MoveClaim", {"contract": "C"}),
]


@pytest.mark.parametrize(("command", "fields"), CLAIM_COMMANDS)
def test_a_command_on_a_claim_that_does_not_exist_is_refused_by_UNKNOWN(
    desk: Desk, command: str, fields: dict[str, object]
) -> None:
    assert code(desk.do(command, DAY, claim="K", **fields)) == "UNKNOWN"


def test_a_further_incident_of_the_series_changes_neither_incident_nor_year_D17(desk: Desk) -> None:
    desk.open("2025-12-31", "2026-02-01T09:00")
    further = "ReportFurtherIncident"

    taken = desk.do(further, "2026-02-01T09:00", claim="K", occurred_at="2026-01-15", narrative="again")
    too_early = desk.do(further, "2026-02-01T09:00", claim="K", occurred_at="2025-12-30")
    too_late = desk.do(further, "2026-02-01T09:00", claim="K", occurred_at="2026-02-02")

    assert [code(a) for a in (taken, too_early, too_late)] == [
        "recorded",
        "INCIDENT_IN_FUTURE",
        "INCIDENT_IN_FUTURE",
    ]
    assert (desk.claim("K").incident_on, desk.claim("K").insurance_year) == (date(2025, 12, 31), 1)
    desk.do("WithdrawClaim", "2026-02-01T09:00", claim="K")
    refused = desk.do(further, "2026-02-01T09:00", claim="K", occurred_at="2026-01-15")
    assert code(refused) == "ALREADY_DECIDED"


# Experts: D14 and Q11.


def test_an_expert_reserves_one_count_and_all_that_remains_of_the_amount_D14(rescue: Desk) -> None:
    answer = rescue.do("AppointExpert", DAY, claim="K", provider="Rescue NV")

    assert answer["events"] == ["claim.ExpertAppointed", "contract.LimitReserved"]
    row = rescue.limit("C", 1, "data")
    assert (row.amount_reserved_cents, row.amount_remaining_cents) == (80_000, 0)
    assert (row.count_reserved, row.count_remaining) == (1, 0)


def test_a_claims_own_reservation_never_counts_against_it_and_others_do_D14(rescue: Desk) -> None:
    rescue.do("AppointExpert", DAY, claim="K", provider="Rescue NV")
    rescue.ready("2025-02-02", claim="K2", guarantee="data", cause="malware")
    assert code(rescue.accept(100, DAY, claim="K2")) == "LIMIT_COUNT"
    assert code(rescue.do("AppointExpert", DAY, claim="K2", provider="Rescue NV")) == "LIMIT_COUNT"

    answer = rescue.accept(30_000, DAY)

    assert answer["events"] == ["claim.ClaimAccepted", "contract.LimitReleased", "contract.LimitConsumed"]
    row = rescue.limit("C", 1, "data")
    assert (row.amount_consumed_cents, row.amount_reserved_cents) == (30_000, 0)
    assert (row.count_consumed, row.count_reserved) == (1, 0)


def test_an_expert_is_appointed_once_a_claim_EXPERT_STANDS(rescue: Desk) -> None:
    expert = {"claim": "K", "provider": "Rescue NV"}
    rescue.do("AppointExpert", DAY, **expert)
    assert code(rescue.do("AppointExpert", DAY, **expert)) == "EXPERT_STANDS"
    assert rescue.do("CallOffExpert", DAY, **expert)["events"] == [
        "claim.ExpertCalledOff",
        "contract.LimitReleased",
    ]
    assert rescue.limit("C", 1, "data").count_remaining == 1

    assert code(rescue.do("AppointExpert", DAY, **expert)) == "EXPERT_STANDS"
    assert code(rescue.do("CallOffExpert", DAY, **expert)) == "UNKNOWN"


def test_an_expert_is_for_an_undecided_claim_on_data_alone_D14(desk: Desk) -> None:
    desk.open("2025-02-01", claim="K1")
    desk.open("2025-02-01", claim="K2", guarantee="data", cause="malware")
    desk.open("2025-02-01", claim="K3", guarantee="data", cause="other")
    desk.do("WithdrawClaim", DAY, claim="K2")

    answers = [desk.do("AppointExpert", DAY, claim=f"K{n}", provider="Rescue NV") for n in (1, 2, 3)]

    assert [code(answer) for answer in answers] == ["NO_SUCH_SERVICE", "ALREADY_DECIDED", "NOT_MALWARE"]


def _rescue_started(desk: Desk) -> None:
    desk.do("AppointExpert", DAY, claim="K", provider="Rescue NV")
    answer = desk.do("ProvideAssistance", DAY, claim="K", kind="data_recovery", provider="Rescue NV")
    assert code(answer) == "recorded"


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("RejectClaim", {"code": "FORCE_MAJEURE"}),
        ("WithdrawClaim", {}),
        ("CallOffExpert", {"provider": "Rescue NV"}),
    ],
)
def test_a_failed_rescue_consumes_the_intervention_and_no_amount_once_the_expert_started_Q11(
    rescue: Desk, command: str, fields: dict[str, object]
) -> None:
    _rescue_started(rescue)

    answer = rescue.do(command, DAY, claim="K", **fields)

    assert isinstance(answer["events"], list)
    assert answer["events"][1:] == ["contract.LimitReleased", "contract.LimitConsumed"]
    row = rescue.limit("C", 1, "data")
    assert (row.count_consumed, row.count_reserved, row.amount_consumed_cents) == (1, 0, 0)
    assert rescue.contract("C").accepted_claims == ()


def test_an_expert_who_never_started_consumes_nothing_D14(rescue: Desk) -> None:
    rescue.do("AppointExpert", DAY, claim="K", provider="Rescue NV")

    rescue.do("RejectClaim", DAY, claim="K", code="FORCE_MAJEURE")

    assert rescue.limit("C", 1, "data").count_remaining == 1


def test_a_rescue_without_loss_may_be_accepted_with_loss_0_once_the_expert_started_D14(rescue: Desk) -> None:
    assert code(rescue.accept(0, DAY)) == "NO_INDEMNITY"
    _rescue_started(rescue)

    assert code(rescue.accept(0, DAY)) == "recorded"

    row = rescue.limit("C", 1, "data")
    assert (row.count_consumed, row.amount_consumed_cents) == (1, 0)


def test_a_claim_that_counts_by_a_failed_rescue_counts_no_further_when_accepted_D15(rescue: Desk) -> None:
    _rescue_started(rescue)
    rescue.do("CallOffExpert", DAY, claim="K", provider="Rescue NV")

    assert code(rescue.accept(50_000, DAY)) == "recorded"

    row = rescue.limit("C", 1, "data")
    assert (row.count_consumed, row.amount_consumed_cents) == (1, 50_000)
    assert rescue.contract("C").accepted_claims == ("K",)


def _on_other_terms(cover: Cover, **changes: object) -> Cover:
    """Another contract without any usage, on terms that give data other limits."""
    terms = cover.terms
    data = terms.by_guarantee["data"].model_copy(update=changes)
    others = [guarantee for guarantee in terms.guarantees if guarantee.code != "data"]
    fields = {name: getattr(terms, name) for name in type(terms).model_fields}
    other_terms = type(terms).model_validate(fields | {"guarantees": (*others, data)})
    return replace(cover, contract="D", terms=other_terms, usages=())


def test_a_used_up_amount_leaves_an_expert_nothing_to_reserve_LIMIT_AMOUNT(rescue: Desk) -> None:
    cover = _on_other_terms(rescue.contract("C").cover, amount_limit_cents=0)

    with pytest.raises(LimitAmount):
        decide(
            rescue.claim("K"), AppointExpert(claim="K", provider="Rescue NV"), Context(instant(DAY), cover)
        )


def test_an_expert_on_terms_without_an_amount_reserves_the_count_alone(rescue: Desk) -> None:
    cover = _on_other_terms(rescue.contract("C").cover, amount_limit_cents=None)

    outcome = decide(
        rescue.claim("K"), AppointExpert(claim="K", provider="Rescue NV"), Context(instant(DAY), cover)
    )

    assert [change.holding for change in outcome.limits] == [LimitUse(1, 0, 1)]


def test_where_there_is_no_limit_there_is_always_room(rescue: Desk) -> None:
    claim = replace(rescue.claim("K"), guarantee="identity")
    room = room_for(claim, rescue.contract("C").cover, 1).less(LimitUse(1, 10**9, 10))

    assert (room.amount_cents, room.count, room.has_amount, room.has_count) == (None, None, True, True)


@pytest.mark.parametrize(("count_limit", "reserved"), [(2, LimitUse(1, 79_900, 1)), (1, None)])
def test_a_moved_reservation_finds_only_the_room_that_the_moved_consumption_leaves_I1(
    rescue: Desk, count_limit: int, reserved: LimitUse | None
) -> None:
    rescue.accept(100, DAY)
    claim = replace(rescue.claim("K"), reserved=LimitUse(1, 79_900, 1))

    event = move(claim, _on_other_terms(rescue.contract("C").cover, count_limit=count_limit)).event

    assert isinstance(event, ClaimMoved)
    assert event.reserved == reserved
