"""Names and addresses of those who get letters: opened for the letter, on the access log like any reading."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from ledger.domain.contract.events import ContractStarted, PersonCorrected
from ledger.domain.identifiers import contract_ref
from ledger.feed.reader import read_streams
from ledger.privacy.access import Access, Opening, Stored
from ledger.store.feed import feed_end
from ledger.store.vault import ERASED, sealed_values
from schedulers.letters.composing import Addressee
from schedulers.letters.recording import SENDER

if TYPE_CHECKING:
    from ledger.app import App

_HOLDING: Final = frozenset({ContractStarted.stable_name, PersonCorrected.stable_name})
_WANTED: Final = frozenset({"name", "address"})
WHAT: Final = "letters"
"""As what the access log knows the reading."""


def addressees(wiring: "App", contracts: Collection[str], why: str) -> Mapping[str, Addressee]:
    """Open the newest name and address of each contract's policyholder, by contract.

    Left out is who has no address on file, or was erased. Raises Unreadable.
    """
    with wiring.pool.connection() as connection:
        events = read_streams(
            connection,
            wiring.book,
            [contract_ref(contract) for contract in contracts],
            feed_end(connection, wiring.book),
        )
    stored = [
        Stored(event.stream, event.version, event.type, event.payload)
        for event in events
        if event.type in _HOLDING
    ]
    opening = Opening(
        wiring.pool, wiring.store.subject_keys, wiring.book, Access(SENDER, WHAT, why)
    ).clear_texts(stored, lambda value: _field(value.path) in _WANTED)
    newest: dict[str, dict[str, str]] = {}
    for event in stored:  # in order of position: what was corrected last is right
        held = newest.setdefault(event.stream.number, {})
        for value in sealed_values(event.payload):
            if value.box in opening:
                held[_field(value.path)] = opening[value.box]
    return {
        contract: Addressee(held["name"], held["address"])
        for contract, held in newest.items()
        if held.keys() >= _WANTED and ERASED not in held.values()
    }


def _field(path: str) -> str:
    return path.rpartition(".")[2]
