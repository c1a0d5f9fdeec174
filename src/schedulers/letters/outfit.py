"""What this machine has for letters, by its settings: the shelf, and the carrier."""

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.config import NO_CARRIER
from schedulers.letters.carriers.carrier import Carrier
from schedulers.letters.carriers.folder import FolderCarrier
from schedulers.letters.carriers.http import HttpCarrier
from schedulers.letters.shelf import Shelf

if TYPE_CHECKING:
    from ledger.app import App

OUTBOX = "outbox"
"""Folder for the print house, in that of the letters, unless told otherwise."""


def shelf_of(wiring: "App") -> Shelf:
    """Give the shelf of this machine for the wiring's book."""
    return Shelf(wiring.settings.letters_folder, wiring.book)


def carrier_of(wiring: "App") -> Carrier | None:
    """Give the carrier that the settings name; None where nobody is to take letters."""
    named = wiring.settings.letters_carrier
    if named == NO_CARRIER:
        return None
    if named is None:
        return FolderCarrier(wiring.settings.letters_folder / OUTBOX, wiring.book)
    if named.startswith(("http://", "https://")):
        return HttpCarrier(named, wiring.settings.letters_token)
    return FolderCarrier(Path(named).expanduser(), wiring.book)
