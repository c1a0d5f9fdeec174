"""Due dates as a calendar, read back by the library."""

from datetime import UTC, date, datetime

from icalendar import Calendar

from projections.exports.due_calendar import due_calendar

KNOWN_AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def row(**more: object) -> dict[str, object]:
    return {
        "subject": "claim:K-1",
        "kind": "refund",
        "rule": "R7",
        "raw_due_on": date(2026, 5, 2),
        "due_on": date(2026, 5, 4),
        "alert_on": date(2026, 4, 30),
        "status": "open",
        "met_on": None,
    } | more


def events(*rows: dict[str, object], book: str = "cyber-care") -> list[dict[str, object]]:
    calendar = Calendar.from_ical(due_calendar(rows, book=book, known_at=KNOWN_AT))
    return [dict(event.property_items()) | {"alarms": event.walk("VALARM")} for event in calendar.events]


def test_an_open_due_date_is_a_whole_day_that_calls_on_the_morning_of_its_alert_date() -> None:
    [event] = events(row())
    assert event["DTSTART"].dt == date(2026, 5, 4)
    assert event["DTEND"].dt == date(2026, 5, 5)
    assert event["SUMMARY"] == "Refund: claim K-1"
    [alarm] = event["alarms"]
    assert alarm["TRIGGER"].dt == datetime(2026, 4, 30, 7, tzinfo=UTC)


def test_what_is_met_or_cancelled_stays_in_sight_and_calls_no_more() -> None:
    met, cancelled = events(
        row(status="met", met_on=date(2026, 5, 1)), row(status="cancelled", subject="claim:K-2")
    )
    assert (met["SUMMARY"], met["STATUS"], met["alarms"]) == ("Refund: claim K-1 (met)", "CONFIRMED", [])
    assert "met on 2026-05-01" in met["DESCRIPTION"]
    assert (cancelled["STATUS"], cancelled["alarms"]) == ("CANCELLED", [])


def test_a_due_date_keeps_its_uid_whatever_becomes_of_it_and_shares_it_with_none() -> None:
    [before], [after] = events(row()), events(row(status="missed"))
    assert before["UID"] == after["UID"]
    others = events(row(), row(), row(kind="term_end"), row(subject="claim:K-2"))
    assert len({event["UID"] for event in others}) == len(others)
    assert events(row(), book="other")[0]["UID"] != before["UID"]


def test_the_same_rows_make_the_same_text() -> None:
    assert len({due_calendar([row()], book="b", known_at=KNOWN_AT) for _ in range(2)}) == 1


def test_lines_are_folded_at_75_bytes_and_ended_as_the_standard_wants() -> None:
    text = due_calendar([row(subject="complaint:" + "é" * 60)], book="b", known_at=KNOWN_AT)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
