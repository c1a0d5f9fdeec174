"""Payloads: canonical, salted, sealed where they are personal, validated and upcast when they are read."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import rfc8785
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from fixtures.commits import advice, new_event, opened
from fixtures.database import BOOK
from ledger.domain.claim.events import ClaimOpened
from ledger.domain.event import Sealed
from ledger.domain.identifiers import claim_ref
from ledger.store import events
from ledger.store.canonical import canonical_json, instant_text, leaf_bytes
from ledger.store.errors import Unreadable
from ledger.store.events import read_payload, seal_personal, write_payload
from ledger.store.keys import KEY_BYTES, SubjectKey, WrappedKey
from ledger.store.vault import place, seal, unseal

KEY = b"k" * KEY_BYTES
SUBJECT_KEY = SubjectKey("P-1", UUID(int=1), KEY, WrappedKey("unwrapped", b""), is_new=True)

text = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(text, json_values))
def test_our_canonical_json_is_that_of_rfc_8785(value: dict[str, object]) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type] # the same kinds of values


@given(
    strings=st.tuples(text, text, text, text, text),
    ids=st.tuples(st.uuids(), st.uuids(), st.none() | st.uuids()),
    numbers=st.tuples(st.integers(1, 10**6), st.integers(1, 99), st.integers(0, 10**6)),
    prev=st.none() | st.binary(min_size=32, max_size=32),
    at=st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.timezones()),  # noqa: DTZ001 # bounds
)
def test_a_leaf_is_the_rfc_8785_form_of_its_fields(
    strings: tuple[str, str, str, str, str],
    ids: tuple[UUID, UUID, UUID | None],
    numbers: tuple[int, int, int],
    prev: bytes | None,
    at: datetime,
) -> None:
    book, stream, type_name, actor, command_id = strings
    leaf = leaf_bytes(
        book=book,
        event_id=ids[0],
        stream=stream,
        version=numbers[0],
        prev=prev,
        type_name=type_name,
        schema_version=numbers[1],
        effective_on=date(2026, 3, 1),
        at=instant_text(at),
        recorded_at=instant_text(at),
        actor=actor,
        command_id=command_id,
        ordinal=numbers[2],
        correlation_id=ids[1],
        causation_id=ids[2],
        payload=b"payload",
    )
    fields = json.loads(leaf)
    assert leaf == rfc8785.dumps(fields)
    assert ("prev" in fields, "causation_id" in fields) == (prev is not None, ids[2] is not None)
    assert datetime.fromisoformat(fields["at"]) == at.astimezone(UTC)
    assert fields["at"].endswith("Z")
    assert (fields["book"], fields["stream"], fields["actor"], fields["command_id"]) == (
        book,
        stream,
        actor,
        command_id,
    )


def test_a_leaf_longer_than_a_tiles_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="more than a tile's entry"):
        leaf_bytes(
            book=BOOK,
            event_id=UUID(int=1),
            stream="claim/" + "é" * 40_000,
            version=1,
            prev=None,
            type_name="claim.AdviceGiven",
            schema_version=1,
            effective_on=date(2026, 3, 1),
            at="",
            recorded_at="",
            actor="desk",
            command_id="a",
            ordinal=0,
            correlation_id=UUID(int=1),
            causation_id=None,
            payload=b"",
        )


def written(event: ClaimOpened, version: int = 1) -> bytes:
    pending = replace(new_event(claim_ref("CL-1"), event, subject="P-1"), version=version)
    return write_payload(seal_personal(pending, BOOK, {"P-1": SUBJECT_KEY}))


def read(payload: bytes, *, type_name: str = "claim.ClaimOpened", schema_version: int = 1) -> object:
    return read_payload(
        payload, type_name=type_name, schema_version=schema_version, stream="claim/CL-1", version=1
    )


def test_the_same_event_never_gives_the_same_bytes_twice() -> None:
    payloads = {write_payload(advice()) for _ in range(100)}
    assert len(payloads) == 100
    assert all(len(b64decode(json.loads(payload)["salt"])) == 16 for payload in payloads)


def test_personal_values_come_back_sealed_and_the_rest_as_it_was() -> None:
    event = read(written(opened()))
    assert isinstance(event, ClaimOpened)
    assert isinstance(event.victim.name, Sealed)
    assert event.victim.name.person == "P-1"
    clear = opened()
    assert event.model_copy(update={"victim": clear.victim, "narrative": clear.narrative}) == clear


def test_something_personal_without_a_key_is_never_written() -> None:
    with pytest.raises(ValueError, match="personal: say whose"):
        write_payload(opened())


@pytest.mark.parametrize(
    "moved", [("other", "claim/CL-1", 1), (BOOK, "claim/CL-2", 1), (BOOK, "claim/CL-1", 2)]
)
def test_a_ciphertext_moved_elsewhere_does_not_open(moved: tuple[str, str, int]) -> None:
    box = seal(KEY, "Mila Peeters", place(BOOK, "claim/CL-1", 1, "claim.ClaimOpened", "victim.name"))
    assert (
        unseal(KEY, box, place(BOOK, "claim/CL-1", 1, "claim.ClaimOpened", "victim.name")) == "Mila Peeters"
    )
    with pytest.raises(InvalidTag):
        unseal(KEY, box, place(*moved, "claim.ClaimOpened", "victim.name"))
    with pytest.raises(InvalidTag):
        unseal(KEY, box, place(BOOK, "claim/CL-1", 1, "claim.ClaimOpened", "narrative"))
    with pytest.raises(InvalidTag):
        unseal(b"o" * KEY_BYTES, box, place(BOOK, "claim/CL-1", 1, "claim.ClaimOpened", "victim.name"))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"not json",
        b'{"topics":"no list"}',
        b'{"topics":["a"],"unknown":1}',
        b'{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","topics":[1]}',
    ],
)
def test_a_payload_that_is_not_what_its_type_says_is_unreadable(payload: bytes) -> None:
    with pytest.raises(Unreadable, match="claim/CL-1"):
        read(payload, type_name="claim.AdviceGiven")


def test_the_salt_may_stand_anywhere_in_the_payload() -> None:
    salt = b'"salt":"AAAAAAAAAAAAAAAAAAAAAA=="'
    for payload in (
        b"{" + salt + b',"topics":["change_passwords"]}',
        b'{"topics":["change_passwords"],' + salt + b"}",
    ):
        assert read(payload, type_name="claim.AdviceGiven") == advice()


def test_a_value_that_looks_like_the_salt_is_left_alone() -> None:
    looks = '"salt":"AAAAAAAAAAAAAAAAAAAAAA=="'
    event = advice(looks)
    payload = write_payload(event)
    assert read(payload, type_name="claim.AdviceGiven") == event


def test_an_unknown_name_or_a_newer_version_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no event is named"):
        read(b"{}", type_name="claim.Never")
    with pytest.raises(Unreadable):
        read(b'{"topics":["a"]}', type_name="claim.AdviceGiven", schema_version=2)


def test_an_older_version_is_read_through_its_upcasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_STEPS", {})

    @events.upcasts_from("claim.AdviceGiven", 0)
    def _topics_became_a_list(fields: dict[str, object]) -> dict[str, object]:
        return {"topics": [fields["topic"]]}

    payload = b'{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","topic":"change_passwords"}'
    assert read(payload, type_name="claim.AdviceGiven", schema_version=0) == advice()
    with pytest.raises(Unreadable):
        read(payload, type_name="claim.AdviceGiven", schema_version=-1)
    with pytest.raises(ValueError, match="twice"):
        events.upcasts_from("claim.AdviceGiven", 0)(lambda fields: fields)
