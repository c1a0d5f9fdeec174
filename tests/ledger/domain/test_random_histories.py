"""Properties that hold of every history: limits, money, time, replay (I1, I2, R12, I9)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory import InMemoryLedger, folded, instant

from ledger.domain.calendar import brussels_date, brussels_midnight
from ledger.domain.claim.state import Claim
from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.deadlines import takes_effect_at
from ledger.domain.dispatch import elapse, fold, next_instant, state_from_json, state_to_json
from ledger.domain.refusals import REFUSALS
from ledger.domain.terms import packaged_terms

Step = tuple[str, dict[str, object], timedelta]

BEGIN = instant("2024-01-10T12:00")
CONTRACTS, CLAIMS = ("C", "D"), ("K1", "K2", "K3", "K4")
# Days before the command's `at`, mostly few: a desk records late, seldom by a year, and never ahead.
DAYS = st.one_of(st.integers(0, 10), st.integers(0, 500), st.integers(-5, 0)).map(timedelta)
CENTS = st.integers(0, 700_000)
SOME_CENTS = st.integers(0, 20_000)


def _command(
    name: str, **fields: st.SearchStrategy[object]
) -> st.SearchStrategy[tuple[str, dict[str, object]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(dict(fields)))


_contract = st.sampled_from(CONTRACTS)
_claim = st.sampled_from(CLAIMS)
_guarantee = st.sampled_from([("payment", "fraud"), ("data", "malware"), ("identity", "other")])


def _opened(drawn: tuple[str, str, tuple[str, str], timedelta, str, bool]) -> tuple[str, dict[str, object]]:
    claim, contract, (guarantee, cause), day, relation, same_roof = drawn
    victim = {"person": "P", "name": "Mila", "relation": relation, "same_roof": same_roof}
    return "OpenClaim", {
        "claim": claim,
        "contract": contract,
        "guarantee": guarantee,
        "cause": cause,
        "occurred_at": day,
        "channel": "phone",
        "victim": victim,
    }


COMMANDS: st.SearchStrategy[tuple[str, dict[str, object]]] = st.one_of(
    st.tuples(
        _claim, _contract, _guarantee, DAYS, st.sampled_from(["policyholder", "family"]), st.booleans()
    ).map(_opened),
    _command(
        "StartContract",
        contract=_contract,
        product=st.just("cyber-care"),
        starts_on=DAYS,
        distance_sale=st.booleans(),
        policyholder=st.just({"person": "P", "name": "Mila"}),
    ),
    _command("GiveNotice", contract=_contract, received_on=DAYS, channel=st.just("email")),
    _command("RevokeNotice", contract=_contract, reason=st.just("stays")),
    _command("SendTerminationNotice", contract=_contract, posted_on=DAYS, tracking=st.just("RR1BE")),
    _command("WithdrawFromContract", contract=_contract, received_on=DAYS),
    _command("AnnulContract", contract=st.just("D"), reason=st.just("twice")),
    _command("IdentifyClaimant", claim=_claim, method=st.just("callback")),
    _command("CompleteSubmission", claim=_claim, completed_at=DAYS),
    _command("AcceptClaim", claim=_claim, loss_cents=CENTS, already_compensated_cents=SOME_CENTS),
    _command("AcceptClaim", claim=_claim, loss_cents=CENTS),
    _command("AcceptClaim", claim=_claim, loss_cents=st.just(0)),
    _command("RejectClaim", claim=_claim, code=st.just("FORCE_MAJEURE")),
    _command("WithdrawClaim", claim=_claim),
    _command("AppointExpert", claim=_claim, provider=st.just("X")),
    _command("ProvideAssistance", claim=_claim, kind=st.just("data_recovery"), provider=st.just("X")),
    _command("CallOffExpert", claim=_claim, provider=st.just("X")),
    _command("IssueRefund", claim=_claim, payment_reference=st.sampled_from(["A", "B", "C"])),
    _command(
        "IssueRefund",
        claim=_claim,
        payment_reference=st.sampled_from(["A", "B", "C"]),
        amount_cents=st.integers(1, 200_000),
    ),
    _command("RecordRefundFailure", claim=_claim, payment_reference=st.sampled_from(["A", "B", "C"])),
    _command("ReverseRefund", claim=_claim, payment_reference=st.sampled_from(["A", "B", "C"])),
    _command("RecordRecovery", claim=_claim, amount_cents=SOME_CENTS, payer=st.just("bank")),
    _command("CorrectIncident", claim=_claim, occurred_at=st.integers(0, 1500).map(timedelta)),
    _command("MoveClaim", claim=_claim, contract=_contract),
    _command("CloseClaim", claim=_claim, reason=st.just("done")),
    _command("ReopenClaim", claim=_claim, reason=st.just("more")),
    _command(
        "LodgeComplaint",
        complaint=st.just("X"),
        contract=_contract,
        received_on=DAYS,
        subject=st.just("late"),
    ),
    _command("AnswerComplaint", complaint=st.just("X"), on=DAYS),
    _command("EscalateToOmbudsman", complaint=st.just("X"), on=DAYS),
    _command("CloseComplaint", complaint=st.just("X"), on=DAYS),
)

STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(COMMANDS, st.timedeltas(timedelta(), timedelta(days=40))).map(lambda step: (*step[0], step[1])),
    min_size=20,
    max_size=80,
)

PREPARED: Sequence[tuple[str, dict[str, object]]] = (
    *(
        (
            "StartContract",
            {
                "contract": contract,
                "product": "cyber-care",
                "starts_on": "2024-01-10",
                "distance_sale": True,
                "policyholder": {"person": "P", "name": "Mila"},
            },
        )
        for contract in CONTRACTS
    ),
    _opened(("K1", "C", ("payment", "fraud"), timedelta(), "policyholder", True)),
    _opened(("K2", "C", ("data", "malware"), timedelta(), "policyholder", True)),
    _opened(("K3", "C", ("data", "malware"), timedelta(), "policyholder", True)),
    *(("IdentifyClaimant", {"claim": claim, "method": "callback"}) for claim in CLAIMS[:3]),
    *(("CompleteSubmission", {"claim": claim, "completed_at": timedelta()}) for claim in CLAIMS[:3]),
)


def _dated(fields: dict[str, object], at: datetime) -> dict[str, object]:
    """Count the days back from a command's `at`."""
    today = brussels_date(at)
    return {key: str(today - of) if isinstance(of, timedelta) else of for key, of in fields.items()}


def _played(steps: list[Step]) -> tuple[InMemoryLedger, datetime]:
    """Play steps upon a book that is never quite empty; each is recorded, refused with a code, or invalid."""
    ledger = InMemoryLedger()
    at = BEGIN
    for name, fields in PREPARED:
        assert ledger.submit(name, _dated(fields, at), at)["status"] == "recorded"
    for name, fields, later in steps:
        at += later
        answer = ledger.submit(name, _dated(fields, at), at)
        assert answer["status"] in ("recorded", "invalid") or answer["code"] in REFUSALS
        _limits_hold(ledger)
        _money_holds(ledger)
    return ledger, at


def _limits_hold(ledger: InMemoryLedger) -> None:
    """I1."""
    for contract in ledger.states.values():
        if isinstance(contract, Contract):
            for row in limit_rows(contract, packaged_terms()):
                assert min(row.amount_consumed_cents, row.amount_reserved_cents) >= 0
                assert min(row.count_consumed, row.count_reserved) >= 0
                assert row.amount_remaining_cents is None or row.amount_remaining_cents >= 0
                assert row.count_remaining is None or row.count_remaining >= 0


def _money_holds(ledger: InMemoryLedger) -> None:
    """I2."""
    for claim in ledger.states.values():
        if isinstance(claim, Claim):
            net_cents = claim.loss_cents - claim.compensated_cents
            assert 0 <= claim.refunded_cents <= claim.approved_cents <= max(net_cents, 0)
            assert claim.excess_cents == net_cents - claim.approved_cents


@settings(max_examples=150)
@given(STEPS)
def test_limits_and_money_hold_after_every_command_I1_I2(steps: list[Step]) -> None:
    _played(steps)


@settings(max_examples=50)
@given(STEPS)
def test_what_the_claims_hold_is_what_their_contracts_have_used_I1(steps: list[Step]) -> None:
    ledger, _ = _played(steps)

    claims = [state for state in ledger.states.values() if isinstance(state, Claim)]
    for contract in [state for state in ledger.states.values() if isinstance(state, Contract)]:
        registered = [claim for claim in claims if claim.contract == contract.number]
        assert sorted(contract.claims) == sorted(claim.number for claim in registered)
        assert set(contract.accepted_claims) == {claim.number for claim in registered if claim.accepted}
        reserved = sum(usage.amount_reserved_cents for usage in contract.usages)
        assert reserved == sum(claim.reserved.amount_cents for claim in registered if claim.reserved)
        consumed = sum(usage.amount_consumed_cents for usage in contract.usages)
        assert consumed == sum(claim.approved_cents for claim in registered)


@settings(max_examples=50)
@given(STEPS, st.lists(st.integers(0, 3000), max_size=6), st.integers(0, 3000))
def test_time_owes_the_same_in_one_step_or_many_and_nothing_twice_R12(
    steps: list[Step], pauses: list[int], horizon: int
) -> None:
    ledger, at = _played(steps)
    until = at + timedelta(days=horizon)

    for state in ledger.states.values():
        at_once = list(elapse(state, until))
        standing, in_steps = state, []
        for pause in sorted(pause for pause in pauses if pause < horizon):
            entries = elapse(standing, at + timedelta(days=pause))
            in_steps.extend(entries)
            standing = folded(standing, entries)
        in_steps.extend(elapse(standing, until))
        assert in_steps == at_once
        after = folded(state, at_once)
        assert elapse(after, until) == []
        due = next_instant(after)
        assert due is None or due > until


@settings(max_examples=50)
@given(STEPS)
def test_within_a_stream_at_never_decreases_and_time_never_acts_early(steps: list[Step]) -> None:
    ledger, at = _played(steps)
    ledger.elapse(at + timedelta(days=1000))

    last: dict[object, datetime] = {}
    for entry in ledger.entries:
        assert entry.at >= last.get(entry.stream, entry.at)
        last[entry.stream] = entry.at
        if entry.by_time:
            assert brussels_midnight(entry.effective_on) <= entry.at


@settings(max_examples=50)
@given(STEPS)
def test_every_due_row_ends_consistent_I15(steps: list[Step]) -> None:
    ledger, at = _played(steps)
    until = at + timedelta(days=1000)
    ledger.elapse(until)

    for state in ledger.states.values():
        for row in state.deadlines:
            takes_effect = takes_effect_at(row)
            assert (takes_effect is None) == (row.status != "open")
            assert takes_effect is None or takes_effect > until
            assert (row.met_on is None) <= (row.status != "met")
            assert (row.met_on is None) >= (row.status in ("open", "cancelled"))
            assert row.status != "missed" or row.kind not in ("term_end", "notice_end", "withdrawal_end")
        seqs = [(row.kind, row.seq) for row in state.deadlines]
        assert len(seqs) == len(set(seqs))


@settings(max_examples=50)
@given(STEPS)
def test_a_contract_that_ended_has_one_end_and_nothing_open_after_it_I11(steps: list[Step]) -> None:
    ledger, at = _played(steps)
    ledger.elapse(at + timedelta(days=1000))
    ends = ("Cancelled", "ContractExpired", "ContractWithdrawn", "ContractAnnulled")

    for contract in ledger.states.values():
        if isinstance(contract, Contract):
            names = [r.event.stable_name for r in ledger.history if r.stream == contract.ref]
            count = sum(name.removeprefix("contract.") in ends for name in names)
            assert count == (0 if contract.ended is None else 1)
            if contract.ended_on is not None and contract.ended != "annulled":
                late = [row for row in contract.deadlines if row.raw_due_on > contract.ended_on]
                assert {row.status for row in late} <= {"cancelled", "met"}
                assert all(row.met_on <= contract.ended_on for row in late if row.met_on is not None)


@settings(max_examples=50)
@given(STEPS, st.dates(date(2023, 12, 1), date(2028, 12, 31)))
def test_any_cut_of_a_history_by_effective_date_folds_without_refusal_and_round_trips(
    steps: list[Step], day: date
) -> None:
    ledger, _ = _played(steps)

    for ref, state in ledger.states.items():
        assert state_from_json(ref.kind, state_to_json(state)) == state
        cut = None
        for recorded in ledger.history:
            if recorded.stream == ref and recorded.effective_on <= day:
                cut = fold(cut, recorded)
        assert cut is None or state_from_json(ref.kind, state_to_json(cut)) == cut
