"""The leaf: one spelling for each event, everything else refused with its reason."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.proofs.errors import BadLeaf, BrokenChain
from ledger.proofs.leaf import LEAF_FIELDS, Leaf, StreamChains, payload_sha256, read_leaf
from ledger.proofs.merkle import leaf_hash

UUID = "0d9b2f6e-3c1a-5f6f-8d2f-6a3c1b2d4e5f"
FIRST = Leaf(
    actor="staff-17",
    at="2026-03-01T09:30:00.000000Z",
    book="cyber-care",
    causation_id=None,
    command_id="cmd-1",
    correlation_id=UUID,
    effective_on="2026-03-01",
    event_id=UUID,
    ordinal=0,
    payload_sha256="0" * 64,
    prev=None,
    recorded_at="2026-03-01T09:30:00.123456Z",
    schema_version=1,
    stream="contract/CC-1",
    type="contract.ContractStarted",
    v=1,
    version=1,
)
SECOND = FIRST._replace(version=2, prev=leaf_hash(FIRST.to_bytes()).hex(), causation_id=UUID)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def fields_of(leaf: Leaf) -> dict[str, Any]:
    return {name: value for name, value in leaf._asdict().items() if value is not None}


def test_the_fields_are_those_of_the_format_in_canonical_order() -> None:
    page = (
        "v, book, event_id, stream, version, prev, type, schema_version, effective_on, at, recorded_at, "
        "actor, command_id, ordinal, correlation_id, causation_id, payload_sha256"
    )
    assert list(LEAF_FIELDS) == sorted(page.split(", "))
    assert Leaf._fields == LEAF_FIELDS


@pytest.mark.parametrize("leaf", [FIRST, SECOND])
def test_a_leaf_is_rfc_8785_and_reads_back(leaf: Leaf) -> None:
    assert leaf.to_bytes() == rfc8785.dumps(fields_of(leaf))
    assert read_leaf(leaf.to_bytes()) == leaf


@given(TEXT, TEXT, TEXT, st.integers(0, 2**53 - 1))
def test_any_text_in_a_leaf_is_spelt_as_rfc_8785_does(
    actor: str, command: str, stream: str, ordinal: int
) -> None:
    leaf = FIRST._replace(actor=actor, command_id=command, stream=stream, ordinal=ordinal)
    assert leaf.to_bytes() == rfc8785.dumps(fields_of(leaf))
    assert read_leaf(leaf.to_bytes()) == leaf


@given(st.data())
def test_whatever_is_read_is_canonical(draw: st.DataObject) -> None:
    raw = bytearray(SECOND._replace(actor='a"\\\n\u20ac').to_bytes())
    for _ in range(draw.draw(st.integers(1, 3))):
        raw[draw.draw(st.integers(0, len(raw) - 1))] = draw.draw(st.integers(0, 255))
    try:
        read = read_leaf(bytes(raw))
    except BadLeaf:
        return
    assert rfc8785.dumps(fields_of(read)) == bytes(raw)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"actor": 7}, "actor"),
        ({"actor": None}, "actor"),
        ({"version": 2.0}, "version"),
        ({"ordinal": -1}, "ordinal"),
        ({"ordinal": True}, "ordinal"),
        ({"event_id": UUID.upper()}, "event_id"),
        ({"payload_sha256": "0" * 63}, "payload_sha256"),
        ({"at": "2026-03-01T09:30:00Z"}, "at"),
        ({"at": "2026-03-01T09:30:00.000000+00:00"}, "at"),
        ({"prev": None}, "prev"),
        ({"note": "x"}, "unknown"),
        ({"at": "2026-02-30T09:30:00.000000Z"}, "does not exist"),
        ({"effective_on": "2026-13-01"}, "does not exist"),
        ({"v": 2}, "take a newer one"),
        ({"version": 0}, "count from 1"),
        ({"schema_version": 0}, "count from 1"),
        ({"ordinal": 2**53}, "at most"),
        ({"version": 2}, "absent in version 1"),
        ({"prev": "0" * 64}, "absent in version 1"),
        ({"actor": "x" * 66_000}, "66"),
    ],
)
def test_a_leaf_with_a_wrong_field_is_refused_by_its_name(changed: dict[str, Any], reason: str) -> None:
    raw = json.dumps(
        dict(sorted((fields_of(FIRST) | changed).items())), ensure_ascii=False, separators=(",", ":")
    )
    with pytest.raises(BadLeaf, match=reason):
        read_leaf(raw.encode())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"v":1', '"v": 1', "canonical"),
        ('{"actor":"staff-17",', "{", "missing"),
        ('"v":1', '"v":01', "not JSON"),
        ("staff-17", "st\\u0061ff-17", "canonical"),
        ("staff-17", "staff\\/17", "canonical"),
        ("staff-17", "\\u000A", "canonical"),
        ("staff-17", "\\ud800", "canonical"),
        ('"v":1', '"v":1,"v":1', "canonical"),
        ('"v":1,"version":1', '"version":1,"v":1', "canonical"),
        ("}", "}\n", "canonical"),
        ('{"actor"', '["actor"', "not JSON"),
    ],
)
def test_a_leaf_spelt_otherwise_is_refused(old: str, new: str, reason: str) -> None:
    with pytest.raises(BadLeaf, match=reason):
        read_leaf(FIRST.to_bytes().decode().replace(old, new, 1).encode())


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"\xff", b"[" * 60_000])
def test_what_is_no_json_object_is_no_leaf(raw: bytes) -> None:
    with pytest.raises(BadLeaf, match=r"not (JSON|a JSON object)"):
        read_leaf(raw)


def test_the_payload_is_named_by_its_sha256() -> None:
    assert payload_sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def follow(chains: StreamChains, leaf: Leaf) -> None:
    chains.follow(leaf, leaf_hash(leaf.to_bytes()))


def test_a_stream_is_followed_leaf_by_leaf() -> None:
    chains = StreamChains()
    follow(chains, FIRST)
    follow(chains, SECOND)
    follow(chains, FIRST._replace(stream="claim/K-1"))
    assert len(chains) == 2
    assert chains.book == "cyber-care"
    head = chains.head("contract/CC-1")
    assert head is not None
    assert (head.version, head.leaf_hash) == (2, leaf_hash(SECOND.to_bytes()))
    assert chains.head("contract/CC-2") is None


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (FIRST, "from version 1 to 1"),
        (SECOND._replace(version=3), "from version 1 to 3"),
        (SECOND._replace(prev="1" * 64), "does not name the leaf of version 1"),
        (SECOND._replace(stream="contract/CC-2"), "from version 0 to 2"),
        (SECOND._replace(book="other"), "in the log of book"),
    ],
)
def test_a_leaf_that_does_not_follow_on_its_stream_is_refused(leaf: Leaf, reason: str) -> None:
    chains = StreamChains()
    follow(chains, FIRST)
    with pytest.raises(BrokenChain, match=reason):
        follow(chains, leaf)
