"""R9, D18: acknowledged within 3 working days, answered within a month, an opinion within 90 days."""

import pytest
from desk import Desk, code

from ledger.domain.identifiers import complaint_ref


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.start()
    _lodge(desk)
    return desk


def _lodge(desk: Desk, received_on: str = "2025-04-17", **fields: object) -> object:
    given: dict[str, object] = {
        "complaint": "X",
        "contract": "C",
        "received_on": received_on,
        "subject": "nobody called back",
    }
    return code(desk.submit("LodgeComplaint", given | fields, "2025-04-17T09:00"))


def _on(desk: Desk, command: str, day: str) -> object:
    return code(desk.do(command, day + "T12:00", complaint="X", on=day))


def _rows(desk: Desk) -> list[tuple[str, str, str, str | None]]:
    return [
        (row.kind, str(row.due_on), row.status, row.met_on and str(row.met_on))
        for row in desk.states[complaint_ref("X")].deadlines
    ]


def test_a_complaint_opens_its_acknowledgement_and_its_answer(desk: Desk) -> None:
    assert _rows(desk) == [
        ("complaint_acknowledgement", "2025-04-23", "open", None),
        ("complaint_answer", "2025-05-19", "open", None),
    ]
    assert desk.complaint("X").person == "P"
    assert desk.entries[-1].subject == "P"


def test_a_complaint_names_a_contract_and_a_claim_that_exist_and_is_lodged_once(desk: Desk) -> None:
    assert _lodge(desk, contract="D") == "UNKNOWN"
    assert _lodge(desk, complaint="Y", claim="K") == "UNKNOWN"
    assert _lodge(desk) == "EXISTS"
    desk.open("2025-04-01", "2025-04-17T09:00")
    assert _lodge(desk, complaint="Y", claim="K") == "recorded"
    assert desk.complaint("Y").claim == "K"


def test_each_step_meets_its_deadline_on_its_day(desk: Desk) -> None:
    assert _on(desk, "AcknowledgeComplaint", "2025-04-22") == "recorded"
    assert desk.complaint("X").status == "acknowledged"
    assert _on(desk, "AnswerComplaint", "2025-05-02") == "recorded"
    assert desk.complaint("X").status == "answered"
    assert _on(desk, "EscalateToOmbudsman", "2025-05-05") == "recorded"
    assert desk.complaint("X").status == "escalated"
    assert _on(desk, "RecordOmbudsmanOpinion", "2025-06-05") == "recorded"
    assert desk.complaint("X").status == "opinion_received"

    assert _rows(desk) == [
        ("complaint_acknowledgement", "2025-04-23", "met", "2025-04-22"),
        ("complaint_answer", "2025-05-19", "met", "2025-05-02"),
        ("ombudsman_opinion", "2025-08-04", "met", "2025-06-05"),
    ]


def test_an_answer_meets_an_open_acknowledgement_too(desk: Desk) -> None:
    _on(desk, "AnswerComplaint", "2025-04-22")
    _on(desk, "AcknowledgeComplaint", "2025-04-22")

    assert [row[2:] for row in _rows(desk)] == [("met", "2025-04-22"), ("met", "2025-04-22")]
    assert desk.complaint("X").status == "answered"


def test_what_is_missed_stays_missed_and_an_answer_does_not_meet_a_missed_acknowledgement(desk: Desk) -> None:
    desk.elapse("2025-04-24")
    _on(desk, "AnswerComplaint", "2025-05-20")
    assert [row[2:] for row in _rows(desk)] == [("missed", None), ("missed", "2025-05-20")]

    _on(desk, "AcknowledgeComplaint", "2025-05-21")

    assert _rows(desk)[0][2:] == ("missed", "2025-05-21")


def test_an_opinion_is_missed_the_day_after_its_90_days(desk: Desk) -> None:
    _on(desk, "EscalateToOmbudsman", "2025-05-05")

    desk.elapse("2025-08-05")

    assert _rows(desk)[2] == ("ombudsman_opinion", "2025-08-04", "missed", None)


def test_closing_cancels_what_is_open_and_after_it_every_step_is_CLOSED(desk: Desk) -> None:
    _on(desk, "AcknowledgeComplaint", "2025-04-18")
    _on(desk, "EscalateToOmbudsman", "2025-04-18")

    assert _on(desk, "CloseComplaint", "2025-04-19") == "recorded"

    assert [row[2] for row in _rows(desk)] == ["met", "cancelled", "cancelled"]
    for command in (
        "AcknowledgeComplaint",
        "AnswerComplaint",
        "EscalateToOmbudsman",
        "RecordOmbudsmanOpinion",
        "CloseComplaint",
    ):
        assert _on(desk, command, "2025-04-20") == "CLOSED"


def test_a_step_on_a_complaint_that_does_not_exist_is_UNKNOWN() -> None:
    assert _on(Desk(), "AnswerComplaint", "2025-04-22") == "UNKNOWN"


def test_a_complaint_recorded_late_finds_its_deadlines_missed_at_once() -> None:
    desk = Desk()
    desk.start()

    _lodge(desk, "2025-01-02")

    assert [row[2] for row in _rows(desk)] == ["missed", "missed"]
