"""Which streams hold a person's values: asked of the events themselves, for no index can be surer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from ledger.domain.claim.events import ClaimSubjectErased
from ledger.domain.complaint.events import ComplaintSubjectErased
from ledger.domain.contract.events import ContractSubjectErased
from ledger.domain.identifiers import StreamKind, StreamRef
from ledger.store.canonical import canonical_json
from ledger.store.commit import StreamHead
from ledger.store.pool import Connection
from ledger.store.streams import stream_ref

Role = Literal["policyholder", "victim", "complainant"]

ROLES: Final[dict[StreamKind, Role]] = {
    "contract": "policyholder",
    "claim": "victim",
    "complaint": "complainant",
}
"""As what a stream of each kind holds its person."""

ERASED_TYPES: Final = [
    event.stable_name for event in (ContractSubjectErased, ClaimSubjectErased, ComplaintSubjectErased)
]
"""Events that tell of an erasure."""

# Ids of persons stand in clear in the canonical bytes, and a quote inside a text is escaped: the mark is
# found where the person is, and nowhere else. All events of the book are read: an index of persons would make
# each append dearer and each erasure only as good as the index, and persons are erased some times a year.
_STREAMS: Final = """
with held as (
    select stream_id, bool_or(type = any(%(erased)s)) as erased, min(recorded_at) as since
    from ledger.events where book = %(book)s and position(%(mark)s in payload) > 0
    group by stream_id
)
select newest.stream, newest.version, newest.leaf_hash, newest.at, home.stream, belonged.contracts,
       held.erased
from held
cross join lateral (
    select stream, version, leaf_hash, at, correlation_id from ledger.events
    where book = %(book)s and stream_id = held.stream_id order by version desc limit 1
) as newest
join ledger.events home
    on home.book = %(book)s and home.stream_id = newest.correlation_id and home.version = 1
cross join lateral (
    select array_agg(distinct contract.stream) as contracts
    from ledger.events own
    join ledger.events contract
        on contract.book = own.book and contract.stream_id = own.correlation_id and contract.version = 1
    where own.book = %(book)s and own.stream_id = held.stream_id
) as belonged
order by held.since, newest.stream
"""


@dataclass(frozen=True, slots=True)
class HeldStream:
    """A stream that holds a person's values, as it stands now."""

    stream: StreamRef
    head: StreamHead
    last_at: datetime
    """Instant (`at`, UTC) of its newest event."""
    contract: StreamRef
    """The contract that it belongs to now."""
    contracts: Sequence[str]
    """Numbers of all contracts that it ever belonged to: a claim may have been moved."""
    erased: bool
    """Whether it says already that the person was erased."""

    @property
    def role(self) -> Role:
        """As what it holds the person."""
        return ROLES[self.stream.kind]


def held_streams(connection: Connection, book: str, person: str) -> Sequence[HeldStream]:
    """Give the streams that hold a person's values, in the order in which they came to."""
    with connection.cursor() as cursor:
        cursor.execute(_STREAMS, {"book": book, "mark": mark_of(person), "erased": ERASED_TYPES})
        return [
            HeldStream(
                stream_ref(name),
                StreamHead(version, bytes(leaf_hash)),
                at.astimezone(UTC),
                stream_ref(home),
                [stream_ref(contract).number for contract in contracts],
                erased,
            )
            for name, version, leaf_hash, at, home, contracts, erased in cursor
        ]


def mark_of(person: str) -> bytes:
    """Write a person's id as it stands in the payloads that hold their values."""
    return canonical_json({"person": person})[1:-1]
