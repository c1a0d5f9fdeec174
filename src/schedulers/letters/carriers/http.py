"""A carrier by HTTP: one POST a letter, its reference as Idempotency-Key, the PDF as the body."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from schedulers.letters.carriers.carrier import CarrierAway, NotTaken, Parcel

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
class HttpCarrier:
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

    def deliver(self, batch: str, references: Collection[str], parcels: Iterable[Parcel]) -> Collection[str]:  # noqa: ARG002  # those of the parcels
        """Send each letter, until one is not taken."""
        taken: list[str] = []
        for parcel in parcels:
            self._send(parcel)
            taken.append(parcel.reference)
        return taken

    def forget_unstaged(self, batches: Collection[str]) -> None:
        """Do nothing: nothing was made ready."""

    def take_back(self, references: Collection[str]) -> int:  # noqa: ARG002  # what was sent is out of reach
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
            raise (CarrierAway if error.code in _NOT_NOW else NotTaken)(message) from None
        except URLError as error:
            message = f"{self.url} cannot be reached ({_said(error.reason)})"
            broke_off = isinstance(error.reason, ConnectionResetError | BrokenPipeError)
            raise (NotTaken if broke_off else CarrierAway)(message) from error
        except (OSError, HTTPException) as error:
            # It was reached, and broke off at this letter.
            message = f"{self.url} broke off ({_said(error)})"
            raise NotTaken(message) from error


def _said(error: object) -> str:
    """Say what went wrong without quoting what was answered."""
    return getattr(error, "strerror", None) or type(error).__name__
