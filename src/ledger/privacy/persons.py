"""What the ledger holds on persons, in the vault and in streams, and why nothing was done about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from ledger.domain.claim.events import ClaimSubjectErased
from ledger.domain.complaint.events import ComplaintSubjectErased
from ledger.domain.contract.events import ContractSubjectErased
from ledger.domain.identifiers import StreamKind, StreamRef
from ledger.errors import Rejected
from ledger.store.canonical import canonical_json, stream_ref
from ledger.store.events import StreamHead
from ledger.store.pool import Connection


class SubjectRefused(Rejected):
    """What was asked about a person's data is refused; nothing was changed."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        """Lead with the code, as refusals of commands do."""
        super().__init__(f"{self.code}: {message}")


class PersonUnknown(SubjectRefused):
    """Nothing was ever recorded on the person."""

    code = "UNKNOWN"

    def __init__(self, book: str, person: str) -> None:
        message = f"book {book!r} holds nothing on person {person!r}: see `coverledger subject list`."
        super().__init__(message)


class ContractUnknown(SubjectRefused):
    """There is no such contract to hold."""

    code = "UNKNOWN"

    def __init__(self, book: str, contract: str) -> None:
        message = f"there is no contract {contract!r} in book {book!r}: see `coverledger contract list`."
        super().__init__(message)


class LegalHold(SubjectRefused):
    """A legal hold on a contract that holds the person's data forbids the erasure."""

    code = "LEGAL_HOLD"

    def __init__(self, person: str, contracts: Sequence[str]) -> None:
        held = ", ".join(contracts)
        message = (
            f"person {person!r} is not erased, for a legal hold stands on {held}: once the case is over, lift"
            f" it with `coverledger subject lift-hold {contracts[0]} --reason …`, then erase again."
        )
        super().__init__(message)


class HoldStands(SubjectRefused):
    """The contract is held already."""

    code = "HOLD_STANDS"

    def __init__(self, contract: str, since: str, by: str) -> None:
        message = (
            f"contract {contract!r} is held since {since} by {by}: it stays held, nothing is to be done."
        )
        super().__init__(message)


class NoHold(SubjectRefused):
    """There is no hold to lift."""

    code = "UNKNOWN"

    def __init__(self, contract: str) -> None:
        super().__init__(f"no hold stands on contract {contract!r}: see `coverledger subject holds`.")


# The row of the book's own content key stands for its vault: whoever rotates keys locks it too, commands only
# read it. A book that lacks the row has never taken a command, so that nobody is held in it.
_LOCK: Final = "select from vault.book_keys where book = %s and purpose = 'content' for update"


def lock_vault(connection: Connection, book: str) -> None:
    """Wait until nobody else erases, holds or rotates in this book; so it stays to the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (book,))


_SELECT: Final = "select person, key_id::text, created_at, erased_at, erased_because from vault.subjects"
_ONE: Final = f"{_SELECT} where book = %s and person = %s"
_ALL: Final = f"{_SELECT} where book = %s and (not %s or erased_at is not null) order by created_at, person"

# Names for search: the person's key opens them, so they are nothing without it; they go all the same.
_BLANK: Final = """
delete from vault.directory_words where book = %(book)s and person = %(person)s;
delete from vault.directory where book = %(book)s and person = %(person)s
"""


@dataclass(frozen=True, slots=True)
class VaultEntry:
    """One person in the vault. Instants are UTC."""

    person: str
    key_id: str
    created_at: datetime
    erased_at: datetime | None
    """None while the key is there."""
    erased_because: str | None


def vault_entry(connection: Connection, book: str, person: str) -> VaultEntry | None:
    """Read what the vault says of one person; None of whom it never held a key."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, (book, person))
        found = cursor.fetchone()
    return None if found is None else _entry(found)


def vault_entries(connection: Connection, book: str, *, erased: bool = False) -> Sequence[VaultEntry]:
    """Read what the vault says of all persons of a book, oldest first; `erased`: only of those who are."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, (book, erased))
        return [_entry(row) for row in cursor]


def blank_directory(connection: Connection, book: str, person: str) -> None:
    """Remove a person's names and the words by which they are found."""
    with connection.cursor() as cursor:
        cursor.execute(_BLANK, {"book": book, "person": person})


def _entry(row: tuple[str, str, datetime, datetime | None, str | None]) -> VaultEntry:
    person, key_id, created_at, erased_at, because = row
    return VaultEntry(
        person,
        key_id,
        created_at.astimezone(UTC),
        None if erased_at is None else erased_at.astimezone(UTC),
        because,
    )


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
    """Return the streams that hold a person's values, in the order in which they came to."""
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
