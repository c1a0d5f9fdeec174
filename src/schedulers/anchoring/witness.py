"""A witness (C2SP tlog-witness): it cosigns a head only if that extends every head which it has seen."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import IO, TYPE_CHECKING, Final, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from ledger.proofs.checkpoints import ConsistencyFile, from_decimal
from ledger.proofs.errors import BadNote, one_line
from ledger.proofs.notes import Cosignature, WitnessKey, cosignatures
from schedulers.anchoring.targets import AnchorFailed, DaysHead

SECONDS: Final = 30.0
"""For all of it: connecting, sending, the whole answer."""
CONNECT_SECONDS: Final = 10.0
LONGEST_ANSWER_BYTES: Final = 65_536
_MOST_RECEIVED_BYTES: Final = 1 << 20
"""Status, headers and what the transfer adds to an answer."""
_LONGEST_REASON: Final = 200


class NoAnswer(Exception):
    """There was no answer that can be read. The message says why, in a line."""


class HttpAnswer(NamedTuple):
    """What was answered."""

    status: int
    content_type: str
    body: bytes


def post(url: str, body: bytes) -> HttpAnswer:
    """Post text and give the answer, whatever its status; follows no redirect. Raises NoAnswer."""
    try:
        request = Request(url, data=body, headers={"Content-Type": "text/plain"}, method="POST")  # noqa: S310  # http(s), by settings
        opener = build_opener(_Plain(), _Encrypted(), _NoRedirects())
        try:
            with opener.open(request, timeout=CONNECT_SECONDS) as answer:
                return _read(answer.status, answer.headers, answer)
        except HTTPError as error:
            with error:
                return _read(error.code, error.headers, error)
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(_why(error)) from error


def _read(status: int, headers: Message, answer: IO[bytes]) -> HttpAnswer:
    body = answer.read(LONGEST_ANSWER_BYTES + 1)
    if len(body) > LONGEST_ANSWER_BYTES:
        message = f"it answered more than {LONGEST_ANSWER_BYTES:,} bytes"
        raise NoAnswer(message)
    return HttpAnswer(status, headers.get_content_type(), body)


def _why(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no whole answer in time, at most {SECONDS:.0f} seconds"
    said = one_line(str(reason)[:_LONGEST_REASON])
    return f"{type(reason).__name__}: {said}" if isinstance(reason, Exception) else said


class _NoRedirects(HTTPRedirectHandler):
    """A head goes where it was meant to go, or nowhere."""

    def redirect_request(  # the base class's own
        self, _req: Request, _fp: IO[bytes], _code: int, _msg: str, _headers: HTTPMessage, _newurl: str
    ) -> None:
        """Follow none."""


if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Within(RawIOBase):
    """Reads from a socket until a moment, and no more than an answer can take."""

    def __init__(self, sock: socket, until: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._until = until
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        read = self._raw.readinto(buffer)
        self._received += read or 0
        if self._received > _MOST_RECEIVED_BYTES:
            message = f"it sent more than {_MOST_RECEIVED_BYTES:,} bytes"
            raise OSError(message)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """What `http.client` needs of a socket, until a moment."""

    def __init__(self, sock: socket, until: float) -> None:
        self._sock = sock
        self._until = until

    def sendall(self, sent: bytes) -> None:
        self._sock.settimeout(max(self._until - monotonic(), 0.001))
        self._sock.sendall(sent)

    def makefile(self, _mode: str) -> BufferedReader:
        return BufferedReader(_Within(self._sock, self._until))

    def close(self) -> None:
        self._sock.close()


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        until = monotonic() + SECONDS
        super().connect()
        self.sock = _TimedSocket(self.sock, until)


class _EncryptedConnection(HTTPSConnection):
    def connect(self) -> None:
        until = monotonic() + SECONDS
        super().connect()
        self.sock = _TimedSocket(self.sock, until)


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_PlainConnection, req)


class _Encrypted(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_EncryptedConnection, req, context=ssl.create_default_context())


SIZE_TYPE: Final = "text/x.tlog.size"
_OK: Final = 200
_CONFLICT: Final = 409
_LONGEST_TOLD: Final = 200


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness, by the URL of its add-checkpoint, and the keys that its cosignatures bear."""

    url: str
    keys: Sequence[WitnessKey] = ()

    @property
    def name(self) -> str:
        """Its URL."""
        return self.url

    def take(self, given: DaysHead) -> str:
        """Ask it to cosign, from the size that it knows; keep and return its signature lines."""
        try:
            cosigned = self._add(given, given.sent_size)
        except _KnowsAnother as knows:
            if knows.size > given.head.size:
                message = (
                    f"it has seen a head of {knows.size} events, the log has {given.head.size}: the "
                    "database was put back; see coverledger doctor"
                )
                raise AnchorFailed(message) from None
            try:
                cosigned = self._add(given, knows.size)
            except _KnowsAnother as error:
                message = (
                    f"it answers now {knows.size}, now {error.size} when asked for the size that it knows"
                )
                raise AnchorFailed(message) from error
        given.keep_cosignatures(cosigned)
        return "".join(each.signature.line for each in cosigned).strip()

    def _add(self, given: DaysHead, old_size: int) -> list[Cosignature]:
        proof = given.proof_from(old_size) if old_size else []
        body = str(ConsistencyFile(old_size, tuple(proof), given.note)).encode()
        try:
            answer = post(self.url, body)
        except NoAnswer as error:
            message = f"it does not answer as a witness does ({error})"
            raise AnchorFailed(message) from error
        said = answer.body.decode(errors="replace").strip()
        if answer.status == _CONFLICT and answer.content_type == SIZE_TYPE:
            size = from_decimal(said)
            if size is not None:
                raise _KnowsAnother(size)
        if answer.status != _OK:
            message = f"it answered {answer.status}: {one_line(said[:_LONGEST_TOLD])}"
            raise AnchorFailed(message)
        return self._cosignatures(answer.body, given)

    def _cosignatures(self, answer: bytes, given: DaysHead) -> list[Cosignature]:
        """Read the cosignatures by this witness's keys; others are passed over. Raises AnchorFailed."""
        try:
            cosigned = cosignatures(f"{given.head.text}\n{answer.decode()}", self.keys)
        except (BadNote, UnicodeDecodeError) as error:
            message = f"it answered no signature lines that fit the head ({one_line(str(error))})"
            raise AnchorFailed(message) from error
        if cosigned:
            return cosigned
        if not self.keys:
            message = (
                "it answered, and that counts for nothing, for its key is not set: "
                "COVERLEDGER_WITNESSES=URL#NAME+ID+KEY"
            )
            raise AnchorFailed(message)
        wanted = ", ".join(key.label for key in self.keys)
        message = f"it answered no signature lines by its key ({wanted})"
        raise AnchorFailed(message)


class _KnowsAnother(Exception):
    """The witness's newest head of this log has another size than the one that we started from."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size
