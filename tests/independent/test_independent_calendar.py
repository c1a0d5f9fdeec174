"""The calendar of due dates read back by programs that we did not write, Thunderbird's parser among them."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import ics
import pytest
import vobject
from icalendar import Calendar

from fixtures.node import NODE, needs_node
from projections.exports.due_calendar import due_calendar

KNOWN_AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
FIRST = date(2026, 5, 4)
NUMBERS = (
    "K-1",
    "K,1;2",
    "K\\n\\1",
    "BEGIN:VEVENT",
    'K"1":x',
    "é" * 70,
    "王小明 \N{GRINNING FACE}" * 12,
    "\N{HEBREW LETTER ALEF}\N{RIGHT-TO-LEFT MARK}1",
    "a\N{COMBINING ACUTE ACCENT}" * 40,
)
"""Of claims: signs that the format gives a meaning to, and more bytes than a line holds."""


class Read(NamedTuple):
    """One event, as a reader understood it."""

    uid: str
    summary: str
    starts: str
    ends: str
    alarms: tuple[str, ...]


def rows() -> Iterator[dict[str, object]]:
    for place, number in enumerate(NUMBERS):
        for status in ("open", "met", "missed", "cancelled"):
            due_on = FIRST + timedelta(days=place)
            yield {
                "subject": f"claim:{number}",
                "kind": "refund",
                "rule": "R7",
                "raw_due_on": due_on,
                "due_on": due_on,
                "alert_on": due_on - timedelta(days=4),
                "status": status,
                "met_on": due_on if status == "met" else None,
            }


def wanted() -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What each reader must have understood, but for the UIDs."""
    found = []
    for row in rows():
        said = f"Refund: {str(row['subject']).replace(':', ' ', 1)}"
        due_on, alert_on, is_open = row["due_on"], row["alert_on"], row["status"] == "open"
        assert isinstance(due_on, date)
        found.append(
            (
                said if is_open else f"{said} ({row['status']})",
                due_on.isoformat(),
                (due_on + timedelta(days=1)).isoformat(),
                (f"{alert_on}T07:00:00",) if is_open else (),
            )
        )
    return found


def text() -> str:
    return due_calendar(rows(), book="cyber-care", known_at=KNOWN_AT)


def by_ics(written: str) -> list[Read]:
    return [
        Read(
            str(event.uid),
            str(event.name),
            event.begin.date().isoformat(),
            event.end.date().isoformat(),
            tuple(alarm.trigger.format("YYYY-MM-DDTHH:mm:ss") for alarm in event.alarms),
        )
        for event in sorted(ics.Calendar(written).events, key=lambda event: written.index(event.uid))
    ]


def by_vobject(written: str) -> list[Read]:
    return [
        Read(
            event.uid.value,
            event.summary.value,
            event.dtstart.value.isoformat(),
            event.dtend.value.isoformat(),
            tuple(
                alarm.trigger.value.strftime("%Y-%m-%dT%H:%M:%S")
                for alarm in event.contents.get("valarm", ())
            ),
        )
        for event in vobject.readOne(written).vevent_list
    ]


def by_icalendar(written: str) -> list[Read]:
    return [
        Read(
            str(event["UID"]),
            str(event["SUMMARY"]),
            event["DTSTART"].dt.isoformat(),
            event["DTEND"].dt.isoformat(),
            tuple(alarm["TRIGGER"].dt.strftime("%Y-%m-%dT%H:%M:%S") for alarm in event.walk("VALARM")),
        )
        for event in Calendar.from_ical(written).events
    ]


def without_backslashes(
    read: Sequence[tuple[str, str, str, tuple[str, ...]]],
) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """The `ics` library takes a backslash that is followed by an n for a line's end, escaped or not."""
    return [event for event in read if "\\" not in event[0]]


@pytest.mark.parametrize("reader", [by_ics, by_vobject, by_icalendar])
def test_fault_22_calendars_that_we_did_not_write_read_what_was_meant(
    reader: Callable[[str], Sequence[Read]],
) -> None:
    read = reader(text())
    assert without_backslashes([event[1:] for event in read]) == without_backslashes(wanted())
    assert len(read) == len(wanted())
    if reader is not by_ics:
        assert [event[1:] for event in read] == wanted()
    assert len({event.uid for event in read}) == len(read)


@pytest.mark.test_all
@needs_node
def test_fault_22_thunderbirds_parser_reads_what_was_meant(node_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "due.ics"
    file.write_bytes(text().encode())
    done = subprocess.run(
        [str(NODE), "calendar.mjs", str(file)], cwd=node_folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    read: list[dict[str, Any]] = json.loads(done.stdout)
    understood = [
        (event["summary"], event["starts"], event["ends"], tuple(at[:-1] for at in event["alarms"]))
        for event in read
    ]
    assert understood == wanted()
    assert all(at.endswith("Z") for event in read for at in event["alarms"])
    assert {event["stamped"] for event in read} == {"2026-03-01T08:00:00Z"}
