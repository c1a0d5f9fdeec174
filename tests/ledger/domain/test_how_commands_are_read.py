"""R1, D10, D19: what is malformed is invalid, in one line that names every wrong field."""

from datetime import UTC, date, datetime

import pytest
from desk import Desk
from in_memory import instant

from ledger.domain import registry
from ledger.domain.claim.commands import OpenClaim
from ledger.domain.contract.commands import StartContract
from ledger.domain.refusals import REFUSALS, Invalid, Refusal
from ledger.domain.registry import COMMANDS, check, read_command
from ledger.domain.terms import load_terms

START: dict[str, object] = {
    "contract": "C",
    "product": "cyber-care",
    "starts_on": "2025-01-01",
    "policyholder": {"person": "P", "name": "Mila Peeters"},
}
OPEN: dict[str, object] = {
    "claim": "K",
    "contract": "C",
    "guarantee": "payment",
    "cause": "fraud",
    "occurred_at": "2025-02-01",
    "channel": "phone",
    "victim": {"person": "P", "name": "Mila Peeters", "relation": "policyholder", "same_roof": True},
}
ACCEPT: dict[str, object] = {"claim": "K", "loss_cents": 1}


def _invalid(name: str, fields: dict[str, object] | bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read_command(name, fields)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_there_are_35_commands_each_by_its_name() -> None:
    assert len(COMMANDS) == 35
    assert all(command.__name__ == name for name, command in COMMANDS.items())


def test_a_command_is_read_from_json_bytes_as_from_fields() -> None:
    text = b'{"claim": "K", "loss_cents": 1}'

    assert read_command("AcceptClaim", text) == read_command("AcceptClaim", ACCEPT)


def test_an_optional_field_given_as_null_is_a_field_not_given() -> None:
    nothing: dict[str, object] = {"distance_sale": None, "language": None, "concluded_on": None}

    assert read_command("StartContract", START | nothing) == read_command("StartContract", START)
    assert read_command("AcceptClaim", ACCEPT | {"already_compensated_cents": None}) == read_command(
        "AcceptClaim", ACCEPT
    )


def test_a_required_field_given_as_null_is_missing() -> None:
    assert "claim: is missing" in _invalid("AcceptClaim", ACCEPT | {"claim": None})


def test_python_dates_and_instants_are_read_as_json_would_write_them() -> None:
    fields = OPEN | {"occurred_at": datetime(2025, 6, 30, 22, 30, tzinfo=UTC)}
    command = read_command("OpenClaim", fields)

    assert isinstance(command, OpenClaim)
    assert command.occurred_at == date(2025, 7, 1)


def test_a_command_can_be_made_from_python_values_too() -> None:
    command = OpenClaim.model_validate(OPEN | {"occurred_at": datetime(2025, 6, 30, 22, 30, tzinfo=UTC)})
    assert command.occurred_at == date(2025, 7, 1)
    start = StartContract.model_validate(START | {"starts_on": date(2025, 1, 1)})
    assert start.starts_on == date(2025, 1, 1)

    with pytest.raises(ValueError, match="no offset"):
        OpenClaim.model_validate(OPEN | {"occurred_at": datetime(2025, 6, 30, 22, 30)})  # noqa: DTZ001 - a naive time is what is refused


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-06-30", "2025-06-30"),
        ("2025-06-30T22:30:00Z", "2025-07-01"),
        ("2025-06-30t22:30:00z", "2025-07-01"),
        ("2025-12-31T23:30Z", "2026-01-01"),
        ("2025-06-30 23:59:59.999999999+02:00", "2025-06-30"),
        ("2025-06-30T23:59:59.5+0200", "2025-06-30"),
    ],
)
def test_an_instant_stands_for_its_Brussels_date_and_a_bare_date_for_itself_R1(
    written: str, day: str
) -> None:
    command = read_command("OpenClaim", OPEN | {"occurred_at": written})

    assert isinstance(command, OpenClaim)
    assert str(command.occurred_at) == day


@pytest.mark.parametrize(
    "written",
    [
        "2025-06-30T22:30:00",
        "2025-06-30T25:30:00Z",
        "2025-13-01",
        "2025-06-30T22:30:00 Z",
        "20250630",
        "yesterday",
        "1899-12-31",
        "2200-01-01",
        1751322600,
        None,
        True,
    ],
)
def test_what_is_neither_an_instant_with_offset_nor_a_date_is_invalid_R1(written: object) -> None:
    assert "occurred_at" in _invalid("OpenClaim", OPEN | {"occurred_at": written})


@pytest.mark.parametrize(
    "written", ["2025-1-1", "2025-01-01T00:00:00Z", "1735689600", 1735689600, "1899-12-31"]
)
def test_a_field_named_on_takes_a_date_alone(written: object) -> None:
    assert "starts_on" in _invalid("StartContract", START | {"starts_on": written})


@pytest.mark.parametrize("amount", [1.0, "1", True, -1, 10**13 + 1, None])
def test_an_amount_is_whole_cents_from_0_to_10_to_the_13(amount: object) -> None:
    assert "loss_cents" in _invalid("AcceptClaim", ACCEPT | {"loss_cents": amount})


def test_a_refund_of_0_is_invalid_D10() -> None:
    refund = {"claim": "K", "payment_reference": "PAY-1", "amount_cents": 0}

    assert "amount_cents" in _invalid("IssueRefund", refund)


@pytest.mark.parametrize("number", ["", "x" * 129, "a\x00b", "a\nb", "a\x7fb", "a\x85b", "\ud800", 1, None])
def test_a_number_is_1_to_128_characters_none_a_control_character(number: object) -> None:
    _invalid("StartContract", START | {"contract": number})


def test_a_narrative_may_run_over_lines_and_holds_no_other_control_character() -> None:
    command = read_command("OpenClaim", OPEN | {"narrative": "First they rang.\r\n\tThen they wrote."})
    assert isinstance(command, OpenClaim)

    assert "narrative" in _invalid("OpenClaim", OPEN | {"narrative": "a\x00b"})
    assert "narrative" in _invalid("OpenClaim", OPEN | {"narrative": "x" * 10_001})


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("OpenClaim", OPEN | {"guarantee": "house"}, "guarantee"),
        ("OpenClaim", OPEN | {"cause": "fire"}, "cause"),
        ("OpenClaim", OPEN | {"channel": "pigeon"}, "channel"),
        ("OpenClaim", OPEN | {"victim": OPEN["victim"] | {"relation": "cat"}}, "victim.relation"),  # type: ignore[operator]
        ("GiveNotice", {"contract": "C", "received_on": "2025-01-01", "channel": "phone"}, "channel"),
        ("RejectClaim", {"claim": "K", "code": "BORED"}, "code"),
        ("ProvideAssistance", {"claim": "K", "kind": "magic", "provider": "X"}, "kind"),
        ("StartContract", START | {"language": "de"}, "language"),
        ("ReceiveDocument", {"claim": "K", "document": "d", "sha256": "ABC"}, "sha256"),
    ],
)
def test_a_name_that_does_not_exist_is_invalid_D19(name: str, fields: dict[str, object], field: str) -> None:
    assert field in _invalid(name, fields)


def test_every_wrong_field_is_named_in_one_line() -> None:
    message = _invalid("AcceptClaim", {"loss_cents": 1.5, "colour": "red"})

    assert message.startswith("AcceptClaim: ")
    assert "claim: is missing; give it" in message
    assert "loss_cents: " in message
    assert "colour: is no field of this command; leave it out" in message


def test_an_unknown_command_and_what_is_no_json_are_invalid() -> None:
    assert "must be one of" in _invalid("SendFlowers", {})
    assert "JSON" in _invalid("AcceptClaim", {"claim": object()})
    assert "JSON" in _invalid("AcceptClaim", b"{not json")
    assert "AcceptClaim: " in _invalid("AcceptClaim", b"[]")
    assert "AcceptClaim: " in _invalid("AcceptClaim", b'"\xff"')


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("GiveNotice", {"contract": "C", "channel": "email", "received_on": "2025-07-02"}),
        ("SendTerminationNotice", {"contract": "C", "tracking": "RR1BE", "posted_on": "2025-07-02"}),
        ("WithdrawFromContract", {"contract": "C", "received_on": "2025-07-02"}),
        ("OpenClaim", OPEN | {"reported_at": "2025-07-01T22:00:00Z"}),
        ("CompleteSubmission", {"claim": "K", "completed_at": "2025-07-02"}),
        ("LodgeComplaint", {"complaint": "X", "contract": "C", "subject": "s", "received_on": "2025-07-02"}),
    ],
)
def test_a_day_after_at_is_invalid_and_the_same_Brussels_day_is_not_R1(
    name: str, fields: dict[str, object]
) -> None:
    command = read_command(name, fields)

    with pytest.raises(Invalid, match="lies after 2025-07-01"):
        check(command, instant("2025-07-01T23:59"))
    check(command, instant("2025-07-02T00:00"))


def test_days_that_the_page_does_not_bind_may_lie_ahead() -> None:
    check(read_command("StartContract", START | {"concluded_on": "2025-06-01"}), instant("2025-01-01T09:00"))


def test_a_product_or_terms_that_do_not_exist_are_invalid_D19() -> None:
    at = instant("2025-01-01T09:00")

    with pytest.raises(Invalid, match=r"product.*cyber-care"):
        check(read_command("StartContract", START | {"product": "moon-care"}), at)
    with pytest.raises(Invalid, match=r"terms.*1"):
        check(read_command("StartContract", START | {"terms": "0"}), at)
    check(read_command("StartContract", START | {"terms": "1", "language": "en"}), at)


def test_a_language_in_which_the_terms_have_no_documents_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    dutch = load_terms("cyber-care").model_copy(update={"languages": ("nl",)})
    monkeypatch.setattr(registry, "load_terms", lambda _product, _version: dutch)

    with pytest.raises(Invalid, match="language: fr is not among"):
        check(read_command("StartContract", START | {"language": "fr"}), instant("2025-01-01T09:00"))


REFUND: dict[str, object] = {"claim": "K", "payment_reference": "PAY-1"}


@pytest.mark.parametrize(
    "iban",
    [
        "BE71096123456769",
        "BE68 5390 0754 7034",  # of a bank that is no more
        "be68\u00a05390\u202f07547034",
        "NL91ABNA0417164300",
        "NO9386011117947",
        "FR1420041010050500013M02606",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_fault_37_an_account_number_is_kept_as_it_was_written(iban: str) -> None:
    assert getattr(read_command("IssueRefund", REFUND | {"iban": iban}), "iban") == iban  # noqa: B009 # any command


@pytest.mark.parametrize(
    "iban",
    [
        "onzin",
        " ",
        "BE71096123456768",
        "BE7109612345676",
        "BE710961234567690",
        "BE71 0961 2345 676O",
        "\u0392\u039571096123456769",
        "BE71\u200b096123456769",
        "\uff22\uff25\uff17\uff11096123456769",
        "XX71096123456769",
        "DE71096123456769",
        "BE71096123456769 Ada",
        "71096123456769",
        "BE00096123456769",
        "9" * 5_000,
    ],
)
def test_fault_37_what_is_no_iban_is_invalid_and_not_quoted(iban: str) -> None:
    said = _invalid("IssueRefund", REFUND | {"iban": iban})
    assert said == "IssueRefund: iban: is no IBAN: its country, length or check digits are wrong"


@pytest.mark.parametrize(
    ("reference", "is_taken"),
    [
        ("+++090/9337/55493+++", True),
        ("***090/9337/55493***", True),
        ("+++ 090/9337/55493 +++", True),
        ("+++090/9337/55494+++", False),
        ("***000/0000/00000***", False),
        ("+++090/9337/5549+++", True),  # no structured communication: a reference like any other
        ("PAY-1", True),
    ],
)
def test_fault_37_a_structured_communication_has_the_right_check_digits(
    reference: str, *, is_taken: bool
) -> None:
    if is_taken:
        read_command("IssueRefund", REFUND | {"payment_reference": reference})
    else:
        said = _invalid("IssueRefund", REFUND | {"payment_reference": reference})
        assert "is a structured communication whose check digits are wrong" in said
    # One that was paid once can come back.
    read_command("RecordRefundFailure", {"claim": "K", "payment_reference": reference})


def test_an_at_without_offset_is_invalid() -> None:
    with pytest.raises(Invalid, match="at: has no offset"):
        check(read_command("AcceptClaim", ACCEPT), datetime(2025, 1, 1, 9))  # noqa: DTZ001 - a naive time is what is refused


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_invalid_in_one_line(content: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        read_command("AcceptClaim", content)

    [fault] = caught.value.faults
    assert (fault.field, fault.code) == ("", "NOT_TAKEN")
    assert "\n" not in caught.value.message
    assert "surrogate" not in caught.value.message


def test_an_invalid_command_records_nothing() -> None:
    desk = Desk()

    assert desk.start(product="moon-care")["status"] == "invalid"
    assert desk.history == []


def test_every_refusal_names_its_code_and_rule_and_says_what_it_is() -> None:
    assert len(REFUSALS) == len(Refusal.__subclasses__())
    for code, refusal in REFUSALS.items():
        assert refusal.code == code
        assert refusal.rule
        assert refusal.__doc__
