"""Events by their stable names, personal fields, folding what is cut by date, states as JSON."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from desk import Desk
from in_memory import instant
from pydantic import ValidationError

from ledger.domain.claim.events import ClaimOpened, RefundIssued, Victim
from ledger.domain.claim.state import Claim
from ledger.domain.command import Command
from ledger.domain.contract.events import ContractSubjectErased, PersonCorrected
from ledger.domain.deadlines import DEADLINES, Deadline, DeadlinePolicy, fold_deadlines, takes_effect_at
from ledger.domain.dispatch import decide, fold, needs, next_instant, state_from_json, state_to_json
from ledger.domain.event import RecordedEvent, Sealed, holds_personal_values, personal_fields
from ledger.domain.identifiers import StreamRef, claim_ref, contract_ref
from ledger.domain.refusals import Exists
from ledger.domain.registry import EVENT_TYPES, read_command
from ledger.domain.terms import Terms, load_terms

AT = datetime(2025, 6, 1, 8, tzinfo=UTC)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.start()
    desk.ready("2025-02-01")
    desk.accept(100, "2025-02-02T09:00")
    desk.refund("2025-02-03T09:00")
    desk.letter("2025-02-03")
    desk.notice("2025-02-03")
    complaint = {"complaint": "X", "contract": "C", "received_on": "2025-02-03", "subject": "late"}
    desk.do("LodgeComplaint", "2025-02-03T09:00", **complaint)
    return desk


def test_every_event_has_its_stable_name_and_a_docstring() -> None:
    for name, event_type in EVENT_TYPES.items():
        assert re.fullmatch(r"(contract|claim|complaint)\.[A-Z][A-Za-z]+", name)
        assert event_type.__doc__
        assert event_type.schema_version == 1


def test_the_six_events_that_the_owner_named_keep_their_names() -> None:
    named = {name.partition(".")[2] for name in EVENT_TYPES}

    assert named >= {
        "ContractStarted",
        "TerminationNoticeSent",
        "Cancelled",
        "LimitConsumed",
        "ClaimOpened",
        "RefundIssued",
    }


def test_personal_fields_are_those_marked_P() -> None:
    assert {
        name: personal_fields(event) for name, event in EVENT_TYPES.items() if personal_fields(event)
    } == {
        "contract.ContractStarted": ("policyholder.name", "policyholder.email", "policyholder.address"),
        "contract.PersonCorrected": ("name", "email", "address"),
        "claim.ClaimOpened": ("victim.name", "narrative"),
        "claim.FurtherIncidentReported": ("narrative",),
        "claim.ClaimRejected": ("reason",),
        "claim.RefundIssued": ("iban",),
        "complaint.ComplaintLodged": ("subject",),
    }


def test_an_event_wants_a_key_only_where_a_personal_field_is_filled() -> None:
    paid = RefundIssued(amount_cents=1, payment_reference="PAY-1", owed_cents=0)

    assert not holds_personal_values(paid)
    assert holds_personal_values(paid.model_copy(update={"iban": "BE71096123456769"}))
    assert not holds_personal_values(PersonCorrected(person="P"))


def test_a_sealed_value_is_carried_through_json_unopened() -> None:
    sealed = Sealed(person="P", box="c2VhbGVk")
    event = PersonCorrected(person="P", name=sealed)

    assert PersonCorrected.model_validate_json(event.model_dump_json()).name == sealed


def test_every_recorded_event_goes_through_json_unchanged(desk: Desk) -> None:
    for recorded in desk.history:
        event = recorded.event
        assert EVENT_TYPES[event.stable_name].model_validate_json(event.model_dump_json()) == event


def test_an_event_takes_no_field_that_it_does_not_know() -> None:
    with pytest.raises(ValidationError):
        ContractSubjectErased.model_validate_json('{"person": "P", "colour": "red"}')


def test_a_claims_personal_events_belong_to_its_victim_and_a_complaints_to_the_policyholder(
    desk: Desk,
) -> None:
    subjects = {entry.event.stable_name: entry.subject for entry in desk.entries}

    assert subjects["claim.ClaimOpened"] == "P"
    assert subjects["complaint.ComplaintLodged"] == "P"
    assert subjects["claim.SubmissionCompleted"] is None


def test_every_state_goes_through_json_unchanged(desk: Desk) -> None:
    desk.elapse("2027-01-01")

    for ref, state in desk.states.items():
        assert state_from_json(ref.kind, state_to_json(state)) == state


@pytest.mark.parametrize("ref", [contract_ref("C"), claim_ref("K"), StreamRef("complaint", "X")])
def test_a_history_cut_before_its_beginning_folds_to_nothing(desk: Desk, ref: StreamRef) -> None:
    later = [recorded for recorded in desk.history if recorded.stream == ref][1:]
    later.append(RecordedEvent(ref, 99, ContractSubjectErased(person="P"), AT.date(), AT))
    state = None

    for recorded in later:
        state = fold(state, recorded)

    assert state is None


@pytest.mark.parametrize("ref", [contract_ref("C"), claim_ref("K"), StreamRef("complaint", "X")])
def test_an_event_that_changes_no_rule_changes_only_when_the_stream_was_last_told(
    desk: Desk, ref: StreamRef
) -> None:
    before = desk.states[ref]

    after = fold(before, RecordedEvent(ref, 99, ContractSubjectErased(person="P"), AT.date(), AT))

    assert after is not None
    assert after.last_at == AT
    assert after.deadlines == before.deadlines
    assert fold_deadlines(
        before.deadlines, RecordedEvent(ref, 99, PersonCorrected(person="P"), AT.date(), AT)
    ) == (before.deadlines)


def test_the_due_view_folds_the_same_rows_as_the_aggregates(desk: Desk) -> None:
    desk.elapse("2027-01-01")

    for ref, state in desk.states.items():
        rows: tuple[Deadline, ...] = ()
        for recorded in desk.history:
            if recorded.stream == ref:
                rows = fold_deadlines(rows, recorded)
        assert rows == state.deadlines


def test_a_history_cut_by_effective_date_folds_without_the_acceptance_that_a_correction_corrects() -> None:
    desk = Desk()
    desk.start()
    desk.ready("2025-02-02", "2025-02-03")
    desk.accept(100, "2025-02-10T09:00")
    desk.do("CorrectIncident", "2025-02-11T09:00", claim="K", occurred_at="2025-02-01")
    state = None

    for recorded in desk.history:
        if recorded.stream == claim_ref("K") and recorded.effective_on <= date(2025, 2, 5):
            state = fold(state, recorded)

    assert state == desk.claim("K").__class__(
        **{
            **{name: getattr(state, name) for name in desk.claim("K").__slots__},
            "incident_on": date(2025, 2, 1),
            "status": "submitted",
            "approved_cents": 0,
        }
    )


def test_on_a_day_between_two_acceptances_a_correction_of_both_leaves_the_amounts_of_the_first() -> None:
    desk = Desk()
    desk.start()
    desk.ready("2025-02-02", "2025-02-03")
    desk.accept(100, "2025-02-10T09:00")
    desk.do("ReopenClaim", "2025-02-11T09:00", claim="K", reason="more loss")
    desk.accept(40, "2025-02-20T09:00")
    desk.do("CorrectIncident", "2025-02-21T09:00", claim="K", occurred_at="2025-02-01")

    def on(day: date) -> tuple[object, ...]:
        state = None
        for recorded in desk.history:
            if recorded.stream == claim_ref("K") and recorded.effective_on <= day:
                state = fold(state, recorded)
        assert isinstance(state, Claim)
        return state.incident_on, state.status, state.loss_cents, state.approved_cents

    assert on(date(2025, 2, 10)) == (date(2025, 2, 1), "accepted", 100, 100)
    assert on(date(2025, 2, 11)) == (date(2025, 2, 1), "submitted", 100, 100)
    assert on(date(2025, 2, 20)) == (date(2025, 2, 1), "accepted", 140, 140)


@pytest.mark.parametrize("policy", DEADLINES.policies, ids=lambda policy: policy.kind)
def test_a_deadline_policy_makes_nothing_of_an_event_that_it_does_not_listen_to(
    policy: DeadlinePolicy,
) -> None:
    unheard = ContractSubjectErased(person="P")

    assert type(unheard) not in policy.listens_to
    assert policy.fold((), RecordedEvent(contract_ref("C"), 1, unheard, AT.date(), AT)) == ()


@pytest.mark.parametrize("policy", DEADLINES.policies, ids=lambda policy: policy.kind)
def test_what_a_deadline_policy_opens_and_changes_is_made_of_events_of_its_own_type(
    policy: DeadlinePolicy, desk: Desk
) -> None:
    unheard = RecordedEvent(contract_ref("C"), 1, ContractSubjectErased(person="P"), AT.date(), AT)
    [row] = [row for row in desk.contract("C").deadlines if row.kind == "term_end"]

    assert [opening.dates(unheard) for opening in policy.opened_by] == [None for _ in policy.opened_by]
    for change in (*policy.met_by, *policy.reopened_by, *policy.cancelled_by):
        assert change.row(row, unheard) is row


def test_an_event_has_the_names_by_which_the_library_reads_it(desk: Desk) -> None:
    pending, recorded = desk.entries[0], desk.history[0]

    assert (recorded.originator_version, pending.originator_version) == (1, 0)
    assert pending.type == pending.event.stable_name


def test_time_owes_next_what_comes_first_and_nothing_after_the_end(desk: Desk) -> None:
    contract, claim = desk.contract("C"), desk.claim("K")
    assert next_instant(contract) == instant("2025-08-02")
    assert next_instant(claim) is None
    assert next_instant(desk.complaint("X")) == instant("2025-02-07")

    desk.elapse("2025-08-02")

    assert next_instant(desk.contract("C")) is None
    assert [takes_effect_at(row) for row in desk.contract("C").deadlines] == [None, None, None]


def test_a_command_needs_its_stream_and_where_it_is_decided_by_cover_the_contract() -> None:
    def of(name: str, **fields: object) -> Mapping[str, object]:
        wanted = needs(read_command(name, fields))
        return {"streams": [ref.name for ref in wanted.streams], "of": wanted.contract_of}

    assert of("AnnulContract", contract="C", reason="twice") == {"streams": ["contract/C"], "of": None}
    assert of("WithdrawClaim", claim="K") == {"streams": ["claim/K"], "of": claim_ref("K")}
    assert of("GiveAdvice", claim="K", topics=["a"]) == {"streams": ["claim/K"], "of": None}
    assert of("MoveClaim", claim="K", contract="D") == {
        "streams": ["claim/K", "contract/D"],
        "of": claim_ref("K"),
    }
    assert of("AnswerComplaint", complaint="X", on="2025-01-01") == {"streams": ["complaint/X"], "of": None}
    lodged = of(
        "LodgeComplaint", complaint="X", contract="C", claim="K", received_on="2025-01-01", subject="s"
    )
    assert lodged == {"streams": ["complaint/X", "contract/C", "claim/K"], "of": None}


def test_what_is_no_command_of_the_ledger_is_no_command() -> None:
    with pytest.raises(TypeError, match="Command is no command of the ledger"):
        needs(Command())


def test_a_claim_without_its_contract_loaded_is_not_decided(desk: Desk) -> None:
    command = read_command("WithdrawClaim", {"claim": "K"})

    with pytest.raises(KeyError, match="contract C was not loaded"):
        decide(command, {claim_ref("K"): desk.claim("K")}, AT)


def test_an_existing_complaint_is_told_apart_from_a_new_one(desk: Desk) -> None:
    command = read_command(
        "LodgeComplaint", {"complaint": "X", "contract": "C", "received_on": "2025-02-03", "subject": "s"}
    )

    with pytest.raises(Exists):
        decide(command, desk.states, AT)


def test_a_stream_is_named_with_a_slash_and_a_subject_of_due_with_a_colon() -> None:
    assert contract_ref("C").name == "contract/C"
    assert contract_ref("C").subject == "contract:C"


def test_a_victim_keeps_what_was_given() -> None:
    victim = Victim(person="P", name="Mila", relation="family", same_roof=False)

    assert ClaimOpened.model_fields["victim"].annotation is Victim
    assert victim.same_roof is False


@pytest.mark.parametrize(
    ("change", "wanted"),
    [({"guarantees": ()}, "each guarantee once"), ({"exclusions": {}}, "each exclusion code")],
)
def test_terms_name_each_guarantee_and_each_exclusion_code(change: dict[str, object], wanted: str) -> None:
    terms = load_terms("cyber-care")
    fields = {name: getattr(terms, name) for name in Terms.model_fields}

    with pytest.raises(ValidationError, match=wanted):
        Terms.model_validate(fields | change)


def test_a_reading_of_the_faq_that_no_rule_is_written_for_does_not_validate_Q9() -> None:
    readings = load_terms("cyber-care").readings

    with pytest.raises(ValidationError):
        type(readings).model_validate(readings.model_dump() | {"late_letter": "ends"})
