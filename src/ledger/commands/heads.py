"""The newest signed head and the keys that it is checked with, for the commands that hand proofs out."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ledger.commands.verify_given import read_keys
from ledger.endings import Refused
from ledger.feed.proofs.keyfile import SigningKeys
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import KeyFileRefused
from ledger.store.heads import newest_checkpoint

if TYPE_CHECKING:
    from ledger.wiring import Wiring


def newest_note(wiring: "Wiring") -> str:
    """Seal and sign what waits, where this machine does, and give the newest signed head. Raises Refused."""
    if wiring.settings.sealer_enabled:
        wiring.seal()
        wiring.sealer.finish()
    with wiring.pool.connection() as connection:
        note = newest_checkpoint(connection, wiring.book)
    if note is None:
        message = (
            f"no head of book {wiring.book!r} is signed yet, for nothing is sealed: record something first."
        )
        raise Refused(message)
    return note


def trusted_keys(wiring: "Wiring", given: Iterable[str]) -> list[VerifierKey]:
    """Give the verifier keys that were given, else those beside the database. Raises KeyFileRefused."""
    return read_keys(given) or signing_keys(wiring).verifier_keys


def signing_keys(wiring: "Wiring") -> SigningKeys:
    """Read the log's key file. Raises KeyFileRefused."""
    place = wiring.signing_place
    if not place.key.exists():
        message = f"the log's signing key {place.key} is not here: give the verifier key with --key"
        raise KeyFileRefused(message)
    return place.keys()
