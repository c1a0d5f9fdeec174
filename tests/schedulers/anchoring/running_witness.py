"""A witness as C2SP's tlog-witness and tlog-cosignature describe it, on loopback; its signing is its own."""

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proofs.checkpoints import ConsistencyFile


@dataclass
class Cosigner:
    """A key of a witness."""

    name: str = "witness.test/one"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    at: int = 1_764_500_000

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n\x04" + self.public).digest()[:4]

    @property
    def key(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([4]) + self.public).decode()}"

    def line(self, text: str) -> str:
        signature = self.private.sign(f"cosignature/v1\ntime {self.at}\n{text}".encode())
        signed = self.key_id + self.at.to_bytes(8, "big") + signature
        return f"— {self.name} {b64encode(signed).decode()}\n"


@dataclass
class RunningWitness:
    """What it knows, what it was asked, and what it gave."""

    cosigner: Cosigner = field(default_factory=Cosigner)
    url: str = ""
    size: int = 0
    asked: list[ConsistencyFile] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    """Its signature lines."""
    answers: list[tuple[int, str, str]] = field(default_factory=list)
    """Answers to give instead of its own: status, content type, body."""
    lines: Callable[[str], str] | None = None
    """What it answers a head's text, instead of its own line."""

    @property
    def setting(self) -> str:
        """What the setting names it by."""
        return f"{self.url}#{self.cosigner.key}"

    def cosign(self, text: str) -> str:
        return self.lines(text) if self.lines else self.cosigner.line(text)


@contextmanager
def running_witness() -> Iterator[RunningWitness]:
    witness = RunningWitness()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = ConsistencyFile.parse(body)
            witness.asked.append(asked)
            if witness.answers:
                self.say(*witness.answers.pop(0))
            elif asked.old_size != witness.size:
                self.say(409, "text/x.tlog.size", f"{witness.size}\n")
            else:
                text = asked.checkpoint.partition("\n\n")[0] + "\n"
                witness.size = int(text.splitlines()[1])
                lines = witness.cosign(text)
                witness.given.append(lines.strip())
                self.say(200, "text/plain", lines)

        def say(self, status: int, kind: str, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        witness.url = f"http://127.0.0.1:{server.server_port}/add-checkpoint"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield witness
        server.shutdown()
        thread.join()
