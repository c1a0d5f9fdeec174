"""The file by which the programs of a home find the `up` that runs there: `run/up-BOOK.json`.

It says where `up` serves HTTP. It is removed when `up` ends; one that was left by an `up` that was killed is
known by its process, which is gone, and is ignored.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import structlog

from ledger.clock import machine_now
from ledger.config import Settings
from ledger.postgres.data_dir import make_private_folder

ASK_SECONDS: Final = 8.0
"""Given to `up` to say how it is; it knows within half of that."""
LARGEST_ANSWER_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RunningUp:
    """An `up` that runs for a book of this home."""

    pid: int
    address: str
    """Where people reach its site."""
    local: str
    """Where this machine reaches it, `http://127.0.0.1:8080`."""
    started: str

    def readiness(self) -> Mapping[str, Any] | None:
        """Ask it how it is, ready or not; None when it gives no answer in time."""
        parts = urlsplit(self.local)
        asked = HTTPConnection(parts.hostname or "", parts.port, timeout=ASK_SECONDS)
        try:
            asked.request("GET", "/readyz", headers={"Accept": "application/json"})
            answer = json.loads(asked.getresponse().read(LARGEST_ANSWER_BYTES))
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            asked.close()
        return answer if isinstance(answer, dict) else None


def running_up(settings: Settings, book: str) -> RunningUp | None:
    """Return the `up` that runs for a book of this home; None where none does, or its home is another."""
    try:
        read = json.loads(_path(settings, book).read_text(encoding="utf-8"))
        found = RunningUp(int(read["pid"]), str(read["address"]), str(read["local"]), str(read["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _lives(found) else None


@contextmanager
def told_where(settings: Settings, book: str, *, address: str, local: str) -> Iterator[None]:
    """Publish the address of this `up` to other programs of the home while the block runs.

    In a home that cannot be written they do not find it, and nothing else changes.
    """
    path = _path(settings, book)
    running = RunningUp(os.getpid(), address, local, machine_now().isoformat())
    fresh = path.with_suffix(f".{running.pid}")
    try:
        make_private_folder(path.parent)
        fresh.write_text(json.dumps(asdict(running)), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        structlog.get_logger(__name__).warning("home_not_written", what="run", error=error.strerror)
    try:
        yield
    finally:
        _remove(path, running)


def _path(settings: Settings, book: str) -> Path:
    return settings.home / "run" / f"up-{quote(book, safe='')}.json"


def _lives(running: RunningUp) -> bool:
    if os.name == "posix":
        try:
            os.kill(running.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            pass  # another user's
    parts = urlsplit(running.local)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1.0).close()
    except OSError:
        return False
    return True


def _remove(path: Path, running: RunningUp) -> None:
    """Remove our file, not that of another `up` of this book which was started since."""
    with suppress(OSError, ValueError, KeyError):  # it may be gone with its home
        if json.loads(path.read_text(encoding="utf-8"))["pid"] == running.pid:
            path.unlink()
