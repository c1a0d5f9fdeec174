"""`parked list` shows what no worker could handle, and `parked replay` lets it be tried again."""

import pytest

from fixtures.program import CommandLine
from ledger.app import App
from ledger.attempts import Attempts, ItemFailed


def cannot() -> None:
    message = "the fonts cannot set its name"
    raise ItemFailed(message, retry=False)


@pytest.fixture
def parked(wiring: App) -> None:
    attempts = Attempts(wiring.pool, wiring.book, "letters")
    attempts.run("CC-1/notice", cannot)
    attempts.run("CC-2/notice", cannot)


@pytest.mark.usefixtures("parked")
def test_what_is_parked_is_listed_with_its_worker_and_its_error(command_line: CommandLine) -> None:
    rows = command_line("parked", "list", "--json").json
    assert [(row["worker"], row["item"], row["state"], row["error"]) for row in rows] == [
        ("letters", "CC-1/notice", "parked", "the fonts cannot set its name"),
        ("letters", "CC-2/notice", "parked", "the fonts cannot set its name"),
    ]
    assert "the fonts cannot set its name" in command_line("parked", "list").out


@pytest.mark.usefixtures("parked")
def test_one_item_is_replayed_and_the_others_stay_parked(command_line: CommandLine) -> None:
    replayed = command_line("parked", "replay", "--worker", "letters", "--item", "CC-1/notice", "--json")
    assert replayed.json == {"replayed": 1}
    states = {row["item"]: row["state"] for row in command_line("parked", "list", "--json").json}
    assert states == {"CC-1/notice": "waiting", "CC-2/notice": "parked"}


@pytest.mark.usefixtures("parked")
def test_doctor_and_today_name_what_is_parked(command_line: CommandLine) -> None:
    doctor = command_line("doctor", "--json").json["checks"]
    named = [one["message"] for one in doctor if one["check"] == "parked"]
    assert len(named) == 2
    assert all("coverledger parked replay --worker letters" in message for message in named)
    today = command_line("today", "--json").json
    assert [row["item"] for row in today["parked"]] == ["CC-1/notice", "CC-2/notice"]


@pytest.mark.usefixtures("parked")
def test_replaying_what_nobody_parked_is_refused(command_line: CommandLine) -> None:
    refused = command_line("parked", "replay", "--worker", "heads")
    assert refused.exit_code == 1
    assert refused.err == "Error: Nothing of heads is waiting or parked.\n"
    assert command_line("parked", "replay", "--json").json == {"replayed": 2}


def test_where_everything_could_be_handled_the_list_says_so(command_line: CommandLine, wiring: App) -> None:
    assert wiring.book_row()
    assert command_line("parked", "list").err == "Everything could be handled.\n"
    assert command_line("parked", "list", "--json").json == []
