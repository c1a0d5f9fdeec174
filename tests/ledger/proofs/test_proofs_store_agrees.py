"""The store writes leaves, the proofs read them: two pieces of code, one format."""

from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.proofs.leaf import read_leaf
from ledger.proofs.merkle import leaf_hash
from ledger.store import canonical as store

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HASH = st.binary(min_size=32, max_size=32)


@given(
    texts=st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT),
    ids=st.tuples(st.uuids(), st.uuids(), st.none() | st.uuids()),
    instant=st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1)),  # noqa: DTZ001 — hypothesis wants it naive
    day=st.dates(date(1900, 1, 1), date(2199, 12, 31)),
    chain=st.tuples(st.integers(2, 10**9), HASH) | st.just((1, None)),
    payload=st.binary(max_size=50),
)
def test_what_the_store_writes_reads_back_as_it_was_meant(  # noqa: PLR0913, PLR0917 — a leaf has many fields
    texts: tuple[str, str, str, str, str],
    ids: tuple[UUID, UUID, UUID | None],
    instant: datetime,
    day: date,
    chain: tuple[int, bytes | None],
    payload: bytes,
) -> None:
    book, stream, type_name, actor, command_id = texts
    event_id, correlation_id, causation_id = ids
    version, prev = chain
    written = store.leaf_bytes(
        book=book,
        event_id=event_id,
        stream=stream,
        version=version,
        prev=prev,
        type_name=type_name,
        schema_version=3,
        effective_on=day,
        at=store.instant_text(instant),
        recorded_at=store.instant_text(instant),
        actor=actor,
        command_id=command_id,
        ordinal=7,
        correlation_id=correlation_id,
        causation_id=causation_id,
        payload=payload,
    )
    read = read_leaf(written)
    assert read.to_bytes() == written
    assert store.leaf_hash(written) == leaf_hash(written)
    assert (read.book, read.stream, read.type, read.actor, read.command_id) == texts
    assert (read.version, read.prev) == (version, prev.hex() if prev else None)
    assert (read.effective_on, read.schema_version, read.ordinal) == (day.isoformat(), 3, 7)
    assert datetime.fromisoformat(read.at) == instant
    assert read.causation_id == (str(causation_id) if causation_id else None)
