"""What was recorded under an older schema is told as it is read today, beside what was recorded."""

import json

import pytest
from typed import Typed

from fixtures.desk import contract, send
from ledger.app import App
from ledger.domain.contract.events import NoticeReceived
from ledger.store import events

NAME = NoticeReceived.stable_name


@pytest.fixture
def noticed(typed: Typed, wiring: App) -> Typed:
    """A contract with a notice, recorded under version 1 of every event."""
    send(wiring, "StartContract", contract("CC-1", "2026-01-01"), "2026-01-01T09:00:00+01:00")
    notice = {"contract": "CC-1", "received_on": "2026-02-02", "channel": "web_form"}
    send(wiring, "GiveNotice", notice, "2026-02-02T09:00:00+01:00")
    return typed


def read_by_version_2(monkeypatch: pytest.MonkeyPatch, channel: str) -> None:
    """Today's program: notices are of version 2, in which the web form is called otherwise."""
    monkeypatch.setattr(NoticeReceived, "schema_version", 2)
    steps = {(NAME, 1): lambda fields: fields | {"channel": channel}}
    monkeypatch.setattr(events, "_STEPS", events._STEPS | steps)  # noqa: SLF001  # an upcast for this test alone


def test_the_original_stands_beside_the_upcast_where_they_differ(
    noticed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = noticed.rows("replay", "CC-1")
    assert not any("original" in event for event in before)
    read_by_version_2(monkeypatch, "counter")

    told = {event["type"]: event for event in noticed.rows("replay", "CC-1")}
    notice = told[NAME]
    was = next(event for event in before if event["type"] == NAME)["payload"]
    assert notice["original"] == was
    assert notice["payload"] == was | {"channel": "counter"}
    assert [name for name, event in told.items() if "original" in event] == [NAME]
    assert notice["changes"]["status"] == ["active", "notice_given"]
    assert "salt" not in json.dumps(notice)
    assert "channel  recorded as web_form, read as counter" in noticed.run("replay", "CC-1").stdout


def test_where_an_upcast_changes_nothing_there_is_nothing_to_set_beside(
    noticed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = noticed.rows("replay", "CC-1")
    read_by_version_2(monkeypatch, "web_form")
    assert noticed.rows("replay", "CC-1") == before
