"""All that is held on one person, and nothing that is somebody else's."""

from typing import Any

import pytest
from acquaintances import ADA, ADAS, BEN, BENS, HOLDS_ADA

from fixtures.program import CommandLine

pytestmark = pytest.mark.usefixtures("book")

WHY = ("--reason", "right of access, letter 4712", "--actor", "desk-17")


def exported(command_line: CommandLine, person: str) -> dict[str, Any]:
    ended = command_line("subject", "export", person, *WHY)
    assert ended.exit_code == 0, ended.err
    found: dict[str, Any] = ended.json
    return found


def test_an_export_holds_every_value_of_the_person_and_none_of_another(command_line: CommandLine) -> None:
    hers, his = (str(exported(command_line, person)) for person in (ADA, BEN))

    assert [value for value in ADAS if value not in hers] == []
    assert [value for value in BENS if value in hers] == []
    assert [value for value in BENS if value not in his] == []
    assert [value for value in ADAS if value in his] == []


def test_an_export_tells_each_event_of_her_streams_in_order_with_its_place_in_the_feed(
    command_line: CommandLine,
) -> None:
    found = exported(command_line, ADA)

    assert {stream["stream"]: stream["role"] for stream in found["streams"]} == {
        name: {"contract": "policyholder", "claim": "victim", "complaint": "complainant"}[
            name.partition("/")[0]
        ]
        for name in HOLDS_ADA
    }
    for stream in found["streams"]:
        versions = [event["version"] for event in stream["events"]]
        assert versions == list(range(1, len(versions) + 1))
        assert all(isinstance(event["position"], int) for event in stream["events"])
    moved = next(stream for stream in found["streams"] if stream["stream"] == "claim/K-2")
    assert moved["contract"] == "CC-2"
    first = found["streams"][0]["events"][0]
    assert first["payload"]["policyholder"]["name"] == ADAS[0]
    assert "salt" not in first["payload"]


def test_an_export_says_when_the_key_was_made_and_who_opened_what_the_export_included(
    command_line: CommandLine,
) -> None:
    found = exported(command_line, ADA)

    assert (found["status"], found["erased_at"]) == ("known", None)
    assert found["created_at"] is not None
    assert {(line["who"], line["what"], line["stream"]) for line in found["accesses"]} == {
        ("desk-17", "subject export", stream) for stream in HOLDS_ADA
    }


def test_after_an_erasure_an_export_shows_that_and_nothing_else_of_the_person(
    command_line: CommandLine,
) -> None:
    assert command_line("subject", "erase", ADA, "--reason", "letter 4711").exit_code == 0

    found = exported(command_line, ADA)

    assert (found["status"], found["erased_because"]) == ("erased", "letter 4711")
    assert found["streams"][0]["events"][0]["payload"]["policyholder"]["name"] == "[erased]"
    assert [value for value in ADAS if value in str(found)] == []
    for words in (("subject", "show", ADA), ("subject", "list", "--erased")):
        assert ADA in command_line(*words).out
    (listed,) = command_line("subject", "list", "--erased", "--json").json
    assert (listed["person"], listed["status"]) == (ADA, "erased")


def test_a_person_who_was_never_here_has_no_export_and_leaves_no_line(command_line: CommandLine) -> None:
    for words in (("export", "P-AD", *WHY), ("show", "P-AD"), ("erase", "P-AD", *WHY)):
        ended = command_line("subject", *words)
        assert (ended.exit_code, ended.out) == (1, "")
        assert ended.err.startswith("Error: UNKNOWN")
        assert ended.err.count("\n") == 1
    assert command_line("subject", "log", "--json").json == []


def test_a_hold_is_shown_where_it_forbids_an_erasure(command_line: CommandLine) -> None:
    assert command_line("subject", "hold", "CC-3", "--reason", "lawsuit 12").exit_code == 0

    for person in (ADA, BEN):  # she is the victim of a claim on his contract
        (hold,) = command_line("subject", "show", person, "--json").json["holds"]
        assert (hold["contract"], hold["because"]) == ("CC-3", "lawsuit 12")
        refused = command_line("subject", "erase", person, "--reason", "letter 4711")
        assert (refused.exit_code, refused.out) == (1, "")
        assert "LEGAL_HOLD" in refused.err
        assert "lift-hold CC-3" in refused.err
    assert command_line("subject", "hold", "CC-3", "--reason", "another").exit_code == 1
    assert command_line("subject", "lift-hold", "CC-3", "--reason", "judgment").exit_code == 0
    assert command_line("subject", "holds", "--json").json == []
    assert command_line("subject", "lift-hold", "CC-3", "--reason", "judgment").exit_code == 1
    again = command_line("subject", "hold", "CC-3", "--reason", "appeal", "--json").json
    assert again["number"] == 2
    assert len(command_line("subject", "holds", "--lifted", "--json").json) == 2
