"""Carriers of letters: a folder that a print house fetches from, or a URL that takes one POST a letter."""

import csv
import io
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from typing_extensions import override

from ledger.atomic_files import sync_folder
from schedulers.letters.kinds import LetterKind
from schedulers.letters.store import write_atomically


class CarrierError(Exception):
    """The carrier did not take a letter, which is tried again; the message says why, and nothing of it."""


class CarrierUnavailable(CarrierError):
    """The carrier takes no letter at all just now; that lies with none of them."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One letter as a carrier gets it."""

    reference: str
    """The letter's own for ever: what a carrier gets twice under one reference it posts once."""
    kind: LetterKind
    registered: bool
    language: str
    post_by: date | None
    """The last working day on which posting it is of use; None: no such day."""
    sha256: str
    pdf: bytes


class Carrier(Protocol):
    """Takes letters in two steps, so that a crash between any two lines leaves none lost and none doubled.

    `stage` may be undone, `deliver` never is. Between them the ledger notes, durably, that the batch is
    staged; after `deliver` it records that each letter was handed over. Whoever finds a batch staged calls
    `deliver` again, which must then do no more than what is left to do.
    """

    @property
    def name(self) -> str:
        """What LetterHandedOver calls it: never a password."""

    def stage(self, batch: str, parcels: Sequence[Parcel]) -> None:
        """Make a batch ready; nobody takes any of it yet. Raises CarrierError."""

    def deliver(self, batch: str, references: Collection[str], parcels: Iterable[Parcel]) -> Collection[str]:
        """Hand a staged batch to the carrier; return the references of the letters that it has taken by now.

        `references` are those of the batch that nobody has told of yet; their `parcels` are opened only when
        they are asked for. Raises CarrierError at the first that is not taken.
        """

    def forget_unstaged(self, batches: Collection[str]) -> None:
        """Remove what was made ready for batches other than these: a crash came before they were noted."""

    def take_back(self, references: Collection[str]) -> int:
        """Remove letters that nobody has fetched yet, for their addressees were erased; how many."""


MANIFEST: Final = "manifest.csv"
MANIFEST_COLUMNS: Final = ("reference", "file", "sha256", "kind", "registered", "language", "post_by")
STAGED: Final = ".staged"
"""Where batches are made ready, beside those that may be fetched: a rename between them is one step."""


@dataclass(frozen=True, slots=True)
class FolderCarrier(Carrier):
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
                write_atomically(folder / _file(parcel.reference), parcel.pdf, named=False)
            write_atomically(folder / MANIFEST, _manifest(parcels).encode())
            sync_folder(folder.parent)
        except OSError as error:
            message = f"{folder} cannot be written ({error.strerror})"
            raise CarrierUnavailable(message) from error

    @override
    def deliver(self, batch: str, references: Collection[str], parcels: Iterable[Parcel]) -> Collection[str]:
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
            raise CarrierUnavailable(message) from error
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
    """Return what is in a batch, for the print house: no names, they stand on the letters."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(MANIFEST_COLUMNS)
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


TIMEOUT_SECONDS: Final = 30
_NOT_NOW: Final = frozenset({429, 503})
"""Answers of a carrier that takes no letter just now."""
_LONGEST_READ: Final = 4_096


class _NoRedirects(HTTPRedirectHandler):
    """A letter goes where it was meant to go, or nowhere."""

    def redirect_request(  # the base class's own
        self, _req: Request, _fp: IO[bytes], _code: int, _msg: str, _headers: HTTPMessage, _newurl: str
    ) -> None:
        """Follow none."""


@dataclass(frozen=True, slots=True)
class HttpCarrier(Carrier):
    """One carrier, by the URL that takes letters.

    It must take the same Idempotency-Key twice and post once: a letter whose answer was lost is sent again.
    """

    url: str
    token: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Its URL."""
        return self.url

    def stage(self, batch: str, parcels: Sequence[Parcel]) -> None:
        """Do nothing: the carrier's own memory of references is what keeps a letter from going twice."""

    @override
    def deliver(self, batch: str, references: Collection[str], parcels: Iterable[Parcel]) -> Collection[str]:
        """Send each letter, until one is not taken."""
        taken: list[str] = []
        for parcel in parcels:
            self._send(parcel)
            taken.append(parcel.reference)
        return taken

    def forget_unstaged(self, batches: Collection[str]) -> None:
        """Do nothing: nothing was made ready."""

    @override
    def take_back(self, references: Collection[str]) -> int:
        """Take nothing back: what was sent is out of reach (docs/erasure.md)."""
        return 0

    def _send(self, parcel: Parcel) -> None:
        headers = {
            "Content-Type": "application/pdf",
            "Idempotency-Key": parcel.reference,
            "Letter-Kind": parcel.kind,
            "Letter-Registered": "yes" if parcel.registered else "no",
            "Letter-Language": parcel.language,
            "Letter-Sha256": parcel.sha256,
        }
        if parcel.post_by is not None:
            headers["Letter-Post-By"] = parcel.post_by.isoformat()
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self.url, data=parcel.pdf, headers=headers, method="POST")  # noqa: S310  # http(s), by settings
        try:
            with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read(_LONGEST_READ)
        except HTTPError as error:
            # What else it says may name the addressee, whom it was just given.
            message = f"{self.url} answered {error.code}"
            raise (CarrierUnavailable if error.code in _NOT_NOW else CarrierError)(message) from None
        except URLError as error:
            message = f"{self.url} cannot be reached ({_said(error.reason)})"
            broke_off = isinstance(error.reason, ConnectionResetError | BrokenPipeError)
            raise (CarrierError if broke_off else CarrierUnavailable)(message) from error
        except (OSError, HTTPException) as error:
            # It was reached, and broke off at this letter.
            message = f"{self.url} broke off ({_said(error)})"
            raise CarrierError(message) from error


def _said(error: object) -> str:
    """Return what went wrong without quoting what was answered."""
    return getattr(error, "strerror", None) or type(error).__name__
