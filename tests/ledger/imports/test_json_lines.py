"""JSON Lines are read strictly, and every line that is wrong is named with its number."""

import io
import tracemalloc

import pytest

from ledger.imports.json_lines import read_json_lines
from ledger.imports.lines import Line, LineFault

GOOD = (
    b'{"command_id": "a", "command": "WithdrawClaim", "at": "2026-01-02T09:00:00+01:00", '
    b'"data": {"claim": "K"}}'
)


def read(content: bytes) -> list[Line | LineFault]:
    return list(read_json_lines("book.jsonl", io.BytesIO(content)))


def only_fault(content: bytes) -> LineFault:
    (found,) = read(content)
    assert isinstance(found, LineFault)
    return found


def test_a_good_line_is_read_with_its_instant_in_utc() -> None:
    (line,) = read(GOOD)

    assert isinstance(line, Line)
    assert (line.line, line.command_id, line.command, line.fields) == (
        1,
        "a",
        "WithdrawClaim",
        {"claim": "K"},
    )
    assert line.at.isoformat() == "2026-01-02T08:00:00+00:00"


def test_empty_lines_and_a_byte_order_mark_are_passed_over() -> None:
    (line,) = read(b"\xef\xbb\xbf" + GOOD + b"\r\n\n   \n")

    assert isinstance(line, Line)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "no JSON"),
        (b"[1]", "JSON object"),
        (b'"text"', "JSON object"),
        (b"\xff\xfe\x00", "NUL"),
        (b"\xff\xfe", "UTF-8"),
        (b"\x00" * 50, "NUL"),
        (GOOD.replace(b'"K"', b"10.5"), "whole"),
        (GOOD.replace(b'"K"', b"1e3"), "whole"),
        (GOOD.replace(b'"K"', b"NaN"), "NaN"),
        (GOOD.replace(b'"K"', b"-Infinity"), "Infinity"),
        (GOOD.replace(b'"K"', b"9" * 5000), "5000 digits"),
        (GOOD.replace(b'"K"', b"[" * 30000 + b"]" * 30000), "deep"),
        (GOOD.replace(b'"K"', b"[" * 20 + b"]" * 20), "deep"),
        (GOOD.replace(b'"K"', b'"\\ud800"'), "surrogate"),
        (GOOD.replace(b'"claim":', b'"\\udfff":'), "surrogate"),
        (GOOD.replace(b'"K"', b'"\\u0000"'), "NUL"),
        (GOOD.replace(b'"claim": "K"', b'"claim": "K", "claim": "L"'), "twice"),
        (GOOD.replace(b'"command_id": "a"', b'"command_id": "a", "command_id": "b"'), "twice"),
        (GOOD.replace(b"+01:00", b""), "has no offset"),
        (GOOD.replace(b"T09:00:00+01:00", b""), "no instant"),
        (GOOD.replace(b"2026-01-02", b"2026-02-30"), "calendar"),
        (GOOD.replace(b"2026-01-02", b"1026-01-02"), "years"),
        (GOOD.replace(b'"2026-01-02T09:00:00+01:00"', b"1767340800"), "no instant"),
        (GOOD.replace(b'"a"', b'""'), "command_id"),
        (GOOD.replace(b'"a"', b"7"), "command_id"),
        (GOOD.replace(b'"a"', b'"' + b"x" * 129 + b'"'), "command_id"),
        (GOOD.replace(b'"a"', b'"time:contract/C@x"'), "reserved"),
        (GOOD.replace(b'"data": {"claim": "K"}', b'"data": ["K"]'), "data"),
        (GOOD.replace(b'"data": {"claim": "K"}', b'"fields": {}'), "unknown field 'fields'; data is missing"),
        (GOOD.replace(b'"command": "WithdrawClaim"', b'"command": null'), "command: must be text"),
        (GOOD.replace(b'"at"', b'"actor": 7, "at"'), "actor"),
    ],
)
def test_a_malformed_line_is_named_with_what_is_wrong(content: bytes, said: str) -> None:
    fault = only_fault(content)

    assert fault.line == 1
    assert said in fault.message
    fault.message.encode()


def test_reading_goes_on_after_a_malformed_line() -> None:
    kinds = [(found.line, type(found)) for found in read(GOOD + b"\n{\n" + GOOD + b"\n[]\n")]

    assert kinds == [(1, Line), (2, LineFault), (3, Line), (4, LineFault)]


def test_a_line_of_10_MB_is_named_and_never_held_in_memory() -> None:
    content = GOOD + b"\n" + GOOD.replace(b"K", b"K" * 10_000_000) + b"\n" + GOOD
    stream = io.BytesIO(content)
    tracemalloc.start()
    found = list(read_json_lines("book.jsonl", stream))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [type(line) for line in found] == [Line, LineFault, Line]
    assert found[2].line == 3
    assert peak_bytes < 2_000_000
