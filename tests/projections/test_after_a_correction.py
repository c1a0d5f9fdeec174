"""A correction is a further event: earlier reports print what they printed, today's are corrected."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typed import Typed

Act = tuple[str, str, dict[str, Any]]


def contract(number: str, starts_on: str) -> Act:
    person = {"person": f"P-{number}", "name": "Ada Peeters"}
    fields = {"contract": number, "product": "cyber-care", "starts_on": starts_on, "policyholder": person}
    return ("StartContract", f"{starts_on}T09:00:00+02:00", fields)


def claim(number: str) -> list[Act]:
    """A claim of 6,000.00 EUR for an incident of 2024-06-10, accepted on the 20th, paid on the 24th."""
    victim = {"person": "P-CC-1", "name": "Ada Peeters", "relation": "policyholder", "same_roof": True}
    opened = {
        "claim": number,
        "contract": "CC-1",
        "guarantee": "payment",
        "cause": "fraud",
        "occurred_at": "2024-06-10",
        "channel": "phone",
        "victim": victim,
    }
    return [
        ("OpenClaim", "2024-06-12T09:00:00+02:00", opened),
        ("IdentifyClaimant", "2024-06-12T09:10:00+02:00", {"claim": number, "method": "callback"}),
        ("CompleteSubmission", "2024-06-14T09:00:00+02:00", {"claim": number, "completed_at": "2024-06-14"}),
        ("AcceptClaim", "2024-06-20T09:00:00+02:00", {"claim": number, "loss_cents": 600_000}),
        ("IssueRefund", "2024-06-24T09:00:00+02:00", {"claim": number, "payment_reference": "PAY-1"}),
    ]


# The incident lay in the first insurance year, not in the second; the claim belonged to another contract.
CORRECTION: Act = (
    "CorrectIncident",
    "2024-08-01T09:00:00+02:00",
    {"claim": "K-1", "occurred_at": "2024-05-20"},
)
MOVE: Act = ("MoveClaim", "2024-08-01T09:00:00+02:00", {"claim": "K-1", "contract": "CC-2"})

REPORTS = (
    ("limits",),
    ("limits", "--contract", "CC-1"),
    ("limits", "--claim", "K-1"),
    ("due",),
    ("due", "--contract", "CC-1"),
    ("contract", "show", "CC-1"),
    ("contract", "show", "CC-2"),
    ("claim", "show", "K-1"),
    ("contract", "list"),
    ("claim", "list"),
    ("complaint", "list"),
    ("contract", "history", "CC-1"),
    ("claim", "history", "K-1"),
    ("replay", "CC-1"),
    ("replay", "CC-2"),
    ("replay", "K-1", "--claim"),
)


@pytest.fixture
def desk(typed: Typed, tmp_path: Path) -> "Desk":
    desk = Desk(typed, tmp_path)
    desk.record(contract("CC-1", "2023-06-01"), contract("CC-2", "2024-05-01"), *claim("K-1"))
    return desk


class Desk:
    """Records acts and asks for reports, all as typed."""

    def __init__(self, typed: Typed, folder: Path) -> None:
        self.typed = typed
        self.folder = folder
        self.recorded = 0

    def record(self, *acts: Act) -> None:
        path = self.folder / "acts.jsonl"
        with path.open("w") as lines:
            for name, at, fields in acts:
                self.recorded += 1
                line = {"command_id": f"c-{self.recorded}", "command": name, "at": at, "data": fields}
                lines.write(json.dumps(line) + "\n")
        ended = self.typed.run("import", str(path), "--until", acts[-1][1][:10])
        assert ended.code == 0, ended.stderr + ended.stdout

    def reports(self, *when: str) -> dict[str, str]:
        """What each report prints, for people and for programs."""
        printed = {}
        for words in REPORTS:
            for more in ((), ("--json",)):
                ended = self.typed.run(*words, *when, *more)
                assert ended.code == 0, ended.stderr
                printed[" ".join((*words, *more))] = ended.stdout
        return printed

    def end(self) -> str:
        return str(self.typed.rows("events")[-1]["position"])

    def claim(self, *when: str) -> Any:  # noqa: ANN401  # whatever JSON says
        return json.loads(self.typed.run("claim", "show", "K-1", *when, "--json").stdout)

    def used(self, *when: str) -> dict[tuple[str, int], int]:
        """What is consumed of payments, in cents, by contract and insurance year."""
        return {
            (row["contract"], row["insurance_year"]): row["amount_consumed_cents"]
            for row in self.typed.rows("limits", "--guarantee", "payment", *when)
        }


@pytest.mark.slow
@pytest.mark.parametrize("later", [CORRECTION, MOVE], ids=["corrected", "moved"])
def test_the_earlier_report_prints_the_same_bytes_after_a_correction(desk: Desk, later: Act) -> None:
    position, instant = desk.end(), datetime.now(UTC).isoformat()
    before = desk.reports()
    assert desk.reports("--as-of", position) == before
    desk.record(later)

    assert desk.reports("--as-of", position) == before
    assert desk.reports("--as-of", instant) == before
    now = desk.reports()
    assert {name for name in before if before[name] != now[name]} >= {
        "limits --json",
        "limits",
        "contract show CC-1 --json",
        "claim show K-1",
        "claim list",
        "replay CC-1",
    }


@pytest.mark.slow
def test_the_earlier_report_of_a_day_prints_the_same_bytes_after_a_correction(desk: Desk) -> None:
    when = ("--on", "2024-07-01", "--as-of", desk.end())
    before = desk.reports(*when)
    desk.record(CORRECTION)
    assert desk.reports(*when) == before
    assert desk.reports(*when[:2]) != before


def test_on_a_day_before_the_correction_the_corrected_incident_shows_now_and_not_as_of_then(
    desk: Desk,
) -> None:
    position = desk.end()
    desk.record(CORRECTION)
    for day, paid in (("2024-06-22", 0), ("2024-07-01", 500_000)):
        now, then = desk.claim("--on", day), desk.claim("--on", day, "--as-of", position)
        assert (now["incident_on"], now["insurance_year"]) == ("2024-05-20", 1)
        assert (then["incident_on"], then["insurance_year"]) == ("2024-06-10", 2)
        assert now["refunded_cents"] == then["refunded_cents"] == paid
        assert desk.used("--on", day) == {("CC-1", 1): 500_000, ("CC-1", 2): 0, ("CC-2", 1): 0}
        assert desk.used("--on", day, "--as-of", position) == {
            ("CC-1", 1): 0,
            ("CC-1", 2): 500_000,
            ("CC-2", 1): 0,
        }


def test_on_a_day_before_the_acceptance_a_corrected_claim_has_consumed_nothing_yet(desk: Desk) -> None:
    desk.record(CORRECTION)
    claim = desk.claim("--on", "2024-06-15")
    assert (claim["status"], claim["incident_on"], claim["approved_cents"]) == ("submitted", "2024-05-20", 0)
    assert set(desk.used("--on", "2024-06-15").values()) == {0}
    assert desk.typed.rows("claim", "list", "--on", "2024-06-11") == []  # not reported yet


def test_on_a_day_before_the_move_the_claim_stands_on_the_other_contract_now_and_not_as_of_then(
    desk: Desk,
) -> None:
    position = desk.end()
    desk.record(MOVE)
    day = ("--on", "2024-07-01")
    assert desk.claim(*day)["contract"] == "CC-2"
    assert desk.claim(*day, "--as-of", position)["contract"] == "CC-1"
    assert desk.used(*day) == {("CC-1", 1): 0, ("CC-1", 2): 0, ("CC-2", 1): 500_000}
    assert desk.used(*day, "--as-of", position) == {("CC-1", 1): 0, ("CC-1", 2): 500_000, ("CC-2", 1): 0}
    for contract, now, then in (("CC-1", [], ["K-1"]), ("CC-2", ["K-1"], [])):
        shown = ("claim", "list", "--contract", contract, *day)
        assert [row["claim"] for row in desk.typed.rows(*shown)] == now
        assert [row["claim"] for row in desk.typed.rows(*shown, "--as-of", position)] == then
        due = ("due", "--contract", contract, "--guarantee", "payment", *day)
        assert [row["subject"] for row in desk.typed.rows(*due)] == [f"claim:{claim}" for claim in now]


def test_an_instant_stands_for_what_was_sealed_by_then_and_a_day_for_its_end(desk: Desk) -> None:
    sealed = desk.typed.rows("events")
    desk.record(CORRECTION)
    corrected = desk.claim()
    for when in ("2020-01-01", "2020-01-01T00:00:00Z"):
        assert desk.typed.rows("claim", "list", "--as-of", when, "--empty-ok") == []
        assert desk.typed.run("claim", "list", "--as-of", when).code == 1
        assert desk.typed.run("claim", "show", "K-1", "--as-of", when).code == 1
        assert desk.typed.run("replay", "CC-1", "--as-of", when).code == 1
    assert desk.claim("--as-of", str(len(sealed) - 1))["incident_on"] == "2024-06-10"
    assert desk.claim("--as-of", datetime.now(UTC).isoformat()) == corrected
