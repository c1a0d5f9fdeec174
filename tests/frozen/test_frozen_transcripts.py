"""What the frozen ledger answered it still answers, but for what an issue says that it changes."""

from pathlib import Path

import pytest

from frozen.comparing import differences
from frozen.conftest import Opened, copied
from frozen.declared import declarations, found_in, idle, told, undeclared
from frozen.opening import LEDGER
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
