"""What this machine has for letters, by its settings: the store, and the carrier."""

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.config import NO_CARRIER
from schedulers.letters.carriers import Carrier, FolderCarrier, HttpCarrier
from schedulers.letters.store import LetterStore

if TYPE_CHECKING:
    from ledger.app import App

OUTBOX = "outbox"
"""Folder for the print house, in that of the letters, unless told otherwise."""


def store_of(wiring: "App") -> LetterStore:
    """Return the store of this machine for the wiring's book."""
    return LetterStore(wiring.settings.letters_folder, wiring.book)


def carrier_of(wiring: "App") -> Carrier | None:
    """Return the carrier that the settings name; None where nobody is to take letters."""
    named = wiring.settings.letters_carrier
    if named == NO_CARRIER:
        return None
    if named is None:
        return FolderCarrier(wiring.settings.letters_folder / OUTBOX, wiring.book)
    if named.startswith(("http://", "https://")):
        return HttpCarrier(named, wiring.settings.letters_token)
    return FolderCarrier(Path(named).expanduser(), wiring.book)
