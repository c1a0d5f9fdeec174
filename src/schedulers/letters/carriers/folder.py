"""A folder that a print house fetches from: one a batch, with its manifest, there whole or not at all."""

import csv
import io
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ledger.atomic_files import sync_folder
from schedulers.letters.carriers.carrier import CarrierAway, Parcel
from schedulers.letters.shelf import write_whole

MANIFEST: Final = "manifest.csv"
COLUMNS: Final = ("reference", "file", "sha256", "kind", "registered", "language", "post_by")
STAGED: Final = ".staged"
"""Where batches are made ready, beside those that may be fetched: a rename between them is one step."""


@dataclass(frozen=True, slots=True)
class FolderCarrier:
    """One folder, and the book whose letters go there."""

    path: Path
    book: str

    @property
    def name(self) -> str:
        """Not its path, which is nobody's business: a folder."""
        return "folder"

    def stage(self, batch: str, parcels: Sequence[Parcel]) -> None:
        """Write the letters and their manifest where nobody fetches; on disk before this returns."""
        folder = self._staged(batch)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o750, parents=True)
            for parcel in parcels:
                write_whole(folder / _file(parcel.reference), parcel.pdf, named=False)
            write_whole(folder / MANIFEST, _manifest(parcels).encode())
            sync_folder(folder.parent)
        except OSError as error:
            message = f"{folder} cannot be written ({error.strerror})"
            raise CarrierAway(message) from error

    def deliver(self, batch: str, references: Collection[str], parcels: Iterable[Parcel]) -> Collection[str]:  # noqa: ARG002  # they lie there
        """Rename the batch to where it is fetched from.

        A batch that is noted as staged, and is not there, was renamed before, and perhaps fetched since: it
        was delivered, and is not delivered again.
        """
        staged, fetched = self._staged(batch), self.path / batch
        try:
            if staged.exists():
                staged.rename(fetched)
                sync_folder(self.path)
                sync_folder(staged.parent)
        except OSError as error:
            message = f"{fetched} cannot be made ({error.strerror})"
            raise CarrierAway(message) from error
        return references

    def forget_unstaged(self, batches: Collection[str]) -> None:
        """Remove folders of batches that nobody noted."""
        ready = self.path / STAGED / quote(self.book, safe="")
        if ready.is_dir():
            for folder in ready.iterdir():
                if folder.name not in batches:
                    shutil.rmtree(folder, ignore_errors=True)

    def take_back(self, references: Collection[str]) -> int:
        """Remove letters that were not fetched yet; the manifest still says that they were there."""
        taken = 0
        for reference in references:
            for file in self.path.glob(f"**/{_file(reference)}"):
                file.unlink(missing_ok=True)
                taken += 1
        return taken

    def _staged(self, batch: str) -> Path:
        return self.path / STAGED / quote(self.book, safe="") / batch


def _file(reference: str) -> str:
    return f"{reference}.pdf"


def _manifest(parcels: Sequence[Parcel]) -> str:
    """Say what is in a batch, for the print house: no names, they stand on the letters."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for parcel in parcels:
        registered = "yes" if parcel.registered else "no"
        post_by = "" if parcel.post_by is None else parcel.post_by.isoformat()
        rows.writerow(
            (
                parcel.reference,
                _file(parcel.reference),
                parcel.sha256,
                parcel.kind,
                registered,
                parcel.language,
                post_by,
            )
        )
    return text.getvalue()
