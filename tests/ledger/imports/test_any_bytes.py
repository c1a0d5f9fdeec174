"""Whatever a file holds, it is read into lines and faults: never a traceback, never more than is there."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.refusals import Invalid
from ledger.domain.registry import COMMANDS, check, read_command
from ledger.imports.csv_rows import read_csv
from ledger.imports.json_lines import read_json_lines
from ledger.imports.lines import Line, LineFault

HEADER = "command_id,at,loss,already_compensated_cents\n"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
INSTANTS = st.datetimes().map(lambda instant: instant.isoformat() + "+01:00") | st.text(max_size=30)
LINES = st.fixed_dictionaries(
    {
        "command_id": st.text(max_size=10) | JSON,
        "command": st.sampled_from(sorted(COMMANDS)) | st.text(max_size=10),
        "at": INSTANTS,
        "data": st.dictionaries(st.text(max_size=10), JSON, max_size=4) | JSON,
    }
)


def judged(found: Line | LineFault) -> None:
    """A line may still be no command: that too is said, in words that can be printed."""
    if isinstance(found, LineFault):
        found.message.encode()
        return
    try:
        check(read_command(found.command, found.fields), found.at)
    except Invalid as invalid:
        invalid.message.encode()


@given(st.binary(max_size=2_000))
@settings(max_examples=200)
def test_any_bytes_are_read_as_json_lines_without_a_defect(content: bytes) -> None:
    for found in read_json_lines("any.jsonl", io.BytesIO(content)):
        judged(found)


@pytest.mark.slow
@given(st.lists(LINES, max_size=3))
@settings(max_examples=200)
def test_any_json_is_read_without_a_defect(written: list[object]) -> None:
    content = b"\n".join(json.dumps(line).encode() for line in written)
    for found in read_json_lines("any.jsonl", io.BytesIO(content)):
        judged(found)


@given(st.binary(max_size=2_000), st.sampled_from(sorted(COMMANDS)))
@settings(max_examples=200)
def test_any_bytes_are_read_as_csv_without_a_defect(content: bytes, command: str) -> None:
    for with_header in (content, HEADER.encode() + content):
        for found in read_csv("any.csv", io.BytesIO(with_header), command):
            judged(found)


@given(st.lists(st.lists(st.text(max_size=12), min_size=4, max_size=4), max_size=4))
@settings(max_examples=200)
def test_any_cells_are_read_without_a_defect(rows: list[list[str]]) -> None:
    text = HEADER + "\n".join(",".join(row) for row in rows)
    for found in read_csv("any.csv", io.BytesIO(text.encode("utf-8", "surrogatepass")), "AcceptClaim"):
        judged(found)
