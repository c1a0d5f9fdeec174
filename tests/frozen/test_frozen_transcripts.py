"""What the frozen ledger answered it still answers, but for what an issue says that it changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from frozen.comparing import differences
from frozen.conftest import Opened, copied
from frozen.declared import declarations, found_in, idle, told, undeclared
from frozen.opening import LEDGER
from frozen.renamed import NAMES, SETTINGS, in_names_of_today
from frozen.transcripts import ask_all, read_records


@pytest.mark.test_all  # a thousand questions
def test_every_command_and_route_answers_as_it_did_but_for_what_is_declared(
    opened_once: Opened, tmp_path: Path
) -> None:
    then = read_records(LEDGER / "transcripts.jsonl.xz")
    assert len(then) > 900
    with copied(opened_once, tmp_path) as asking:
        found = list(found_in(then, ask_all(asking, then)))
    declared = declarations()
    lacking = undeclared(found, declared)
    assert not lacking, (
        f"{told(lacking)}\n(cd tests && ../.venv/bin/python -m frozen.compare; then changed.toml)"
    )
    assert [str(entry) for entry in idle(found, declared)] == []


def test_every_name_that_has_changed_stood_in_an_answer() -> None:
    told = read_records(LEDGER / "transcripts.jsonl.xz")
    words = {word for record in told for word in _words(record)}
    idle = [one for one in (*NAMES, *SETTINGS) if not any(one.pattern.search(word) for word in words)]
    assert idle == []


def test_what_is_stored_or_sent_keeps_its_name() -> None:
    kept = [
        "claims-ledger.claim.RefundIssued.v1",
        "claims-ledger.fa696d5dce929acc/cyber-care",
        "urn:claims-ledger:claim.RefundIssued.v1",
        "c0a8@claims-ledger",
        "-//claims-ledger//due dates//EN",
        'Bearer realm="claims-ledger"',
        "claims_ledger_up",
        "LIMIT_COUNT",
    ]
    assert in_names_of_today({"words": ["claims-ledger today"], "out": kept}) == {
        "words": ["claims-ledger today"],
        "out": kept,
    }
    assert in_names_of_today({"err": "see claims-ledger today", "body": {"code": "AWAY"}}) == {
        "err": "see coverledger today",
        "body": {"code": "UNAVAILABLE"},
    }


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _words(one)


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ([{"a": 1}], [{"a": 1, "b": 2}], [("added", "out[].b")]),
        ([{"a": 1}], [{}], [("removed", "out[].a")]),
        ([{"a": 1}], [{"a": 2}], [("changed", "out[].a")]),
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], [("reordered", "out[]")]),
        (
            [{"a": 1}, {"a": 2}],
            [{"a": 2, "b": 0}, {"a": 1, "b": 0}],
            [("added", "out[].b"), ("added", "out[].b"), ("reordered", "out[]")],
        ),
        ([{"a": 1}], [{"a": 1}, {"a": 2}], [("added", "out[]")]),
        ([1, 2], [2], [("removed", "out[]")]),
        ({"a": None}, {"a": 0}, [("changed", "out.a")]),
        ({"a": 1}, {"a": True}, [("changed", "out.a")]),
        ({"a": [{"b": "x"}]}, {"a": [{"b": "x"}]}, []),
    ],
)
def test_differences_are_told_by_their_kind_and_place(
    was: object, now: object, expected: list[tuple[str, str]]
) -> None:
    found = differences({"words": ["x"], "out": was}, {"words": ["x"], "out": now})
    assert sorted((one.kind, one.path) for one in found) == expected
