"""Names, addresses and e-mail addresses that no letter and no mail can bear are refused (faults 2, 25, 30).

One that an earlier version took is read as it was, where it may be on record.
"""

import pytest

from ledger.domain.refusals import Invalid
from ledger.domain.registry import read_command

PERSON = {"person": "P", "name": "Mila Peeters"}
START = {"contract": "C", "product": "cyber-care", "starts_on": "2025-01-01"}
CORRECT = {"contract": "C"}
HOLDERS = (
    ("name", "Þórr Ó\u2019Brien-王"),
    ("name", "م\u200dح"),
    ("address", "Rue Haute 1\n1000 Brussels"),
    ("email", "ada@example.org"),
    ("email", "jos\u00e9@xn--caf-dma.example"),
)
REFUSED = (
    ("name", "Ada\nPeeters", "must hold no control character"),
    ("name", "Ada\x00", "must hold no control character"),
    ("name", "\u202eadA", "must hold no mark that turns the direction"),
    ("name", "Ada\u2028Peeters", "must hold no mark that turns the direction"),
    ("name", "Ada\U000e0041", "must hold no mark that turns the direction"),
    ("name", "Ada\U0001ffff", "must hold no mark that turns the direction"),
    ("name", "\u200b \u00a0", "must hold a character that can be seen"),
    ("address", "\u2066Rue Haute 1", "must hold no mark that turns the direction"),
    ("address", "\n\n", "must hold a character that can be seen"),
    ("email", "a@example.org\r\nBcc: x@y", ""),
    ("email", "a@x.org, b@y.org", "must be one e-mail address"),
    ("email", "Ada <a@x.org>", "must be one e-mail address"),
    ("email", "a@[", "must be one e-mail address"),
    ("email", "=?utf-8?q?a=40x.org?=@example.org", "must be one e-mail address"),
)


def started(**person: str) -> dict[str, object]:
    return START | {"policyholder": PERSON | person}


@pytest.mark.parametrize(("field", "given"), HOLDERS)
def test_what_people_are_called_is_taken_as_it_is_written(field: str, given: str) -> None:
    command = read_command("StartContract", started(**{field: given}))
    assert getattr(command, "policyholder").model_dump()[field] == given  # noqa: B009 # of one command among many


@pytest.mark.parametrize(("field", "given", "why"), REFUSED)
def test_fault_02_what_no_letter_and_no_mail_can_bear_is_refused_and_not_quoted(
    field: str, given: str, why: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_command("StartContract", started(**{field: given}))
    assert f"policyholder.{field}: {why}" in refused.value.message
    assert given not in refused.value.message


@pytest.mark.parametrize("wrong", ["a/b", ".", ".."])
def test_fault_25_a_new_number_stands_in_an_address_as_one_step(wrong: str) -> None:
    victim = PERSON | {"relation": "family", "same_roof": True}
    opened = {"contract": "C", "guarantee": "payment", "cause": "fraud", "occurred_at": "2025-02-01"}
    for name, field, fields in (
        ("StartContract", "contract", started() | {"contract": wrong}),
        ("StartContract", "policyholder.person", started(person=wrong)),
        ("OpenClaim", "claim", opened | {"claim": wrong, "channel": "phone", "victim": victim}),
        (
            "OpenClaim",
            "victim.person",
            opened | {"claim": "K", "channel": "phone", "victim": victim | {"person": wrong}},
        ),
        (
            "LodgeComplaint",
            "complaint",
            {"complaint": wrong, "contract": "C", "received_on": "2025-03-01", "subject": "slow"},
        ),
    ):
        with pytest.raises(Invalid, match=f"^{name}: {field}: must "):
            read_command(name, fields)
        assert read_command(name, fields, on_record=True)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("StartContract", started(name="Ada\nPeeters", email="a@x.org, b@y.org", address="\u202eeuR")),
        (
            "IssueRefund",
            {"claim": "K", "payment_reference": "+++090/9337/55494+++", "iban": "none that a bank knows"},
        ),
    ],
)
def test_what_an_earlier_version_took_is_read_where_it_may_be_on_record(
    name: str, fields: dict[str, object]
) -> None:
    with pytest.raises(Invalid):
        read_command(name, fields)
    assert read_command(name, fields, on_record=True)
    with pytest.raises(Invalid, match="is no field of this command"):
        read_command(name, fields | {"colour": "blue"}, on_record=True)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("0001-01-01T00:00:00+13:00", "lies outside the years 1900 to 2199"),
        ("9999-12-31T23:59:59+00:00", "lies outside the years 1900 to 2199"),
        ("2199-12-31T23:30:00+00:00", "lies outside the years 1900 to 2199"),
        ("1900-01-01T00:30:00+01:00", "lies outside the years 1900 to 2199"),
        ("2025-03-01T10:00:00", "has no offset"),
        ("2025-02-30T10:00:00Z", "is no instant of the calendar"),
    ],
)
def test_fault_30_an_instant_at_the_calendar_s_edge_is_refused(given: str, why: str) -> None:
    opened = {"claim": "K", "completed_at": given}
    with pytest.raises(Invalid, match=f"^CompleteSubmission: completed_at: {why}"):
        read_command("CompleteSubmission", opened)
