"""Who stands behind the ids of persons: opened on the record, for a reader who says why."""

from ledger.domain.identifiers import StreamRef
from ledger.feed.reader import FeedEvent
from ledger.privacy.access import Opening, Stored
from ledger.store.vault import SealedValue, sealed_values
from projections.asking.reader import Reader

FIELDS = ("name", "email", "address")
"""What a person is known by. Narratives, reasons and accounts are opened by `replay` alone."""

Person = dict[str, object]


def persons_of(reader: Reader, opening: Opening, stream: StreamRef) -> list[Person]:
    """Give the persons of a contract with its claims and complaints, or of a claim, as known at that time.

    Whoever was erased stands with `[erased]`. What the contract says goes before what a claim says.
    """
    events = sorted(reader.events(stream, own=False), key=lambda event: event.stream.kind == "contract")
    clear_texts = opening.clear_texts(map(stored, events), _names_somebody)
    persons: dict[str, Person] = {}
    for event in events:
        for value in filter(_names_somebody, sealed_values(event.payload)):
            unnamed = {"person": value.person} | dict.fromkeys(FIELDS)
            persons.setdefault(value.person, unnamed)[_field(value)] = clear_texts[value.box]
    return list(persons.values())


def stored(event: FeedEvent) -> Stored:
    """Give an event as far as opening it needs."""
    return Stored(event.stream, event.version, event.type, event.payload)


def _names_somebody(value: SealedValue) -> bool:
    return _field(value) in FIELDS


def _field(value: SealedValue) -> str:
    return value.path.rpartition(".")[2]
