"""A witness (C2SP tlog-witness): it cosigns a head only if that extends every head which it has seen."""

from dataclasses import dataclass
from http.client import HTTPMessage
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ledger.feed.proofs.note import split_note
from ledger.feed.proofs.proof_file import ConsistencyFile
from ledger.feed.proofs.refused import BadNote
from schedulers.heads.place import DaysHead, NotSent

TIMEOUT_SECONDS: Final = 30
LONGEST_ANSWER_BYTES: Final = 65_536
SIZE_TYPE: Final = "text/x.tlog.size"
_CONFLICT: Final = 409
_LONGEST_TOLD: Final = 200


class _NoRedirects(HTTPRedirectHandler):
    """A head goes where it was meant to go, or nowhere."""

    def redirect_request(  # the base class's own
        self, _req: Request, _fp: IO[bytes], _code: int, _msg: str, _headers: HTTPMessage, _newurl: str
    ) -> None:
        """Follow none."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness, by the URL of its add-checkpoint."""

    url: str

    @property
    def name(self) -> str:
        """Its URL."""
        return self.url

    def take(self, given: DaysHead) -> str:
        """Let it cosign, from the size that it knows; gives its signature lines."""
        try:
            return self._add(given, given.sent_size)
        except _KnowsAnother as knows:
            if knows.size > given.head.size:
                message = (
                    f"it has seen a head of {knows.size} events, the log has {given.head.size}: the "
                    "database was put back; see claims-ledger doctor"
                )
                raise NotSent(message) from None
            try:
                return self._add(given, knows.size)
            except _KnowsAnother as error:
                message = (
                    f"it answers now {knows.size}, now {error.size} when asked for the size that it knows"
                )
                raise NotSent(message) from error

    def _add(self, given: DaysHead, old_size: int) -> str:
        proof = given.proof_from(old_size) if old_size else []
        body = str(ConsistencyFile(old_size, tuple(proof), given.note)).encode()
        request = Request(self.url, data=body, headers={"Content-Type": "text/plain"}, method="POST")  # noqa: S310  # http(s), by settings
        try:
            with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS) as answer:
                return _signatures(answer.read(LONGEST_ANSWER_BYTES), given)
        except HTTPError as error:
            said = error.read(LONGEST_ANSWER_BYTES).decode(errors="replace").strip()
            if error.code == _CONFLICT and error.headers.get_content_type() == SIZE_TYPE and said.isdecimal():
                raise _KnowsAnother(int(said)) from error
            message = f"it answered {error.code}: {said[:_LONGEST_TOLD]}"
            raise NotSent(message) from error
        except (URLError, TimeoutError, ConnectionError) as error:
            message = f"it cannot be reached ({error})"
            raise NotSent(message) from error


class _KnowsAnother(Exception):
    """The witness's newest head of this log has another size than the one that we started from."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def _signatures(answer: bytes, given: DaysHead) -> str:
    """Read the cosignature lines; whoever knows the witness's key checks them. Raises NotSent."""
    try:
        lines = answer.decode()
        text, signatures = split_note(f"{given.head.text}\n{lines}")
    except (BadNote, UnicodeDecodeError) as error:
        message = f"it answered no signature lines ({error})"
        raise NotSent(message) from error
    if text != given.head.text or not signatures:
        message = "it answered no signature lines"
        raise NotSent(message)
    return lines.strip()
