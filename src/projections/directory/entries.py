"""What events say of how persons are called."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ledger.domain.claim.events import ClaimOpened
from ledger.domain.contract.events import ContractStarted, PersonCorrected
from ledger.feed.reader import FeedEvent
from ledger.store.vault import SealedValue, sealed_values

TYPES: Final = frozenset(event.stable_name for event in (ContractStarted, PersonCorrected, ClaimOpened))

# What a claim says of a victim stands beside what the contract says: correcting one corrects not the other.
_FIELDS: Final[Mapping[tuple[str, str], str]] = {
    ("contract", "name"): "name",
    ("contract", "email"): "email",
    ("claim", "name"): "victim_name",
}


class Called(NamedTuple):
    """One field of one person, as the newest event on it says."""

    event: FeedEvent
    value: SealedValue


Key = tuple[str, str]
"""A person and a field: `name`, `email`, `victim_name`."""


def entries(events: Iterable[FeedEvent]) -> dict[Key, Called]:
    """Give for each person and field what the last of these events says."""
    found: dict[Key, Called] = {}
    for event in events:
        for value in sealed_values(event.payload):
            field = _FIELDS.get((event.stream.kind, value.path.rpartition(".")[2]))
            if field is not None:
                found[value.person, field] = Called(event, value)
    return found
