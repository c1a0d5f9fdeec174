"""Due dates as a calendar to subscribe to (iCalendar, RFC 5545): business numbers only, nobody's name.

Each due date is an event of a whole day; one that is open calls on its alert date. Its UID stays the same
for ever, so a calendar that looks again moves the event and does not add another.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, cast

from icalendar import Alarm, Calendar, Event

from ledger.domain.calendar import BRUSSELS, ONE_DAY
from projections.exports.sheets import Row, Rows

MEDIA_TYPE = "text/calendar; charset=utf-8"

LOOK_AGAIN: Final = timedelta(hours=1)
ALERT_AT: Final = time(9)
"""Brussels time, on the alert date."""

_NAMES: Final = uuid.UUID("7f1b0d0e-6a53-5c0c-9d4e-6f6c7de5a1c2")

SAID: Final[Mapping[str, str]] = {
    "termination_letter": "Registered letter to end the contract",
    "term_end": "End of the term",
    "notice_end": "End by notice",
    "refund": "Refund",
    "complaint_acknowledgement": "Acknowledge the complaint",
    "complaint_answer": "Answer the complaint",
    "ombudsman_opinion": "Opinion of the Ombudsman",
    "withdrawal_end": "End of the withdrawal period",
    "retention": "End of retention",
}


def due_calendar(rows: Rows, *, book: str, known_at: datetime) -> str:
    """Write due rows as a calendar; `nth`, where they have it, tells apart those that bear the same name.

    `known_at`: when what the rows say became known, aware; it stands as each event's DTSTAMP, so that the
    same rows make the same text.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//claims-ledger//due dates//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", f"Due dates of {book}")
    calendar.add("x-wr-calname", f"Due dates of {book}")
    calendar.add("refresh-interval", LOOK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    seen: Counter[str] = Counter()
    for row in rows:
        name = "|".join((book, str(row["subject"]), str(row["kind"]), str(row["raw_due_on"])))
        seen[name] += 1
        calendar.add_component(_event(row, f"{name}|{row.get('nth', seen[name])}", known_at))
    return bytes(calendar.to_ical()).decode()


def _event(row: Row, name: str, known_at: datetime) -> Event:
    kind, status, number = str(row["kind"]), str(row["status"]), str(row["subject"]).replace(":", " ", 1)
    due_on = cast("date", row["due_on"])
    said = f"{SAID.get(kind, kind.replace('_', ' '))}: {number}"
    event = Event()
    event.add("uid", f"{uuid.uuid5(_NAMES, name)}@claims-ledger")
    event.add("dtstamp", known_at)
    event.add("dtstart", due_on)
    event.add("dtend", due_on + ONE_DAY)
    event.add("summary", said if status == "open" else f"{said} ({status})")
    event.add("description", _described(row))
    event.add("categories", [kind])
    event.add("status", "CANCELLED" if status == "cancelled" else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    if status == "open":
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", said)
        # RFC 5545 wants an absolute trigger in UTC.
        alert_at = datetime.combine(cast("date", row["alert_on"]), ALERT_AT, BRUSSELS)
        alarm.add("trigger", alert_at.astimezone(UTC), parameters={"VALUE": "DATE-TIME"})
        event.add_component(alarm)
    return event


def _described(row: Row) -> str:
    met = "" if row.get("met_on") is None else f", met on {row['met_on']}"
    return (
        f"Rule {row['rule']}. Due on {row['due_on']} (by the rule alone on {row['raw_due_on']}),"
        f" alert on {row['alert_on']}. Status: {row['status']}{met}."
    )
