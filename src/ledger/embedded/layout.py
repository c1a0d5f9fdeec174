"""What lies where in the home of an embedded ledger."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ledger.embedded.home import make_home_folder, make_private_folder
from ledger.embedded.locks import FileLock
from ledger.embedded.unavailable import PostgresUnavailable

COMMONS = Path("/var/lib/coverledger")
FORMER_COMMONS = Path("/var/lib/claims-ledger")
"""Where root puts what the user that runs Postgres could not reach elsewhere."""


RESTARTS = 10
"""Ends of Postgres in a row that nobody asked for, after which it is not started again."""
STEADY_SECONDS = 60
"""A Postgres that ran for so long begins a new row."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of the embedded Postgres under one home."""

    home: Path

    @property
    def folder(self) -> Path:
        """Everything of Postgres, but for its passwords."""
        return self.home / "postgres"

    @property
    def passwords(self) -> Path:
        """One file a role. Kept apart, so that a dump can be restored into a new data folder."""
        return self.home / "secrets" / "postgres"

    @property
    def users(self) -> Path:
        """Lock shared by every program that uses the server; the warden waits to have it alone."""
        return self.folder / "users.lock"

    @property
    def starting(self) -> Path:
        """Lock of the one program that looks for the server or starts it."""
        return self.folder / "start.lock"

    @property
    def leaving(self) -> Path:
        """Lock of the one program that finds out whether it is the last to leave."""
        return self.folder / "leave.lock"

    @property
    def warden(self) -> Path:
        """Lock of the warden for as long as it lives."""
        return self.folder / "warden.lock"

    @property
    def postmaster(self) -> Path:
        """Lock of the warden and of every Postgres process: free means that none of them is left."""
        return self.folder / "postgres.lock"

    @property
    def pointer(self) -> Path:
        """Names the folder that holds the data, where that is not this one."""
        return self.folder / "data-folder"

    @property
    def running(self) -> Path:
        """Describes the server that runs."""
        return self.folder / "server.json"

    @property
    def log(self) -> Path:
        """What the warden and Postgres have to say."""
        return self.folder / "server.log"

    def create(self) -> FileLock:
        """Make the home and its folders and return the lock of the users, not yet taken.

        Where root makes them, others may pass through them but not look.

        Raises PostgresUnavailable when the home cannot be written.
        """
        try:
            make_home_folder(self.home)
            make_home_folder(self.folder)
            make_private_folder(self.passwords.parent)
            make_private_folder(self.passwords)
            return FileLock(self.users)
        except OSError as error:
            message = (
                f"The ledger's home {self.home} cannot be written ({error.strerror}): "
                "set COVERLEDGER_HOME to a folder of your own, or run as the user whom it belongs to."
            )
            raise PostgresUnavailable(message) from error


@dataclass(frozen=True, slots=True)
class RunningServer:
    """How a running server is reached."""

    socket_folder: str
    port: int
    version: str
    binaries: str
    warden_pid: int

    def write(self, path: Path) -> None:
        """Publish at once and whole."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> "RunningServer | None":
        """Return what the warden published, or None when no server is ready."""
        try:
            fields: Mapping[str, object] = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        return cls(
            socket_folder=str(fields["socket_folder"]),
            port=int(str(fields["port"])),
            version=str(fields["version"]),
            binaries=str(fields["binaries"]),
            warden_pid=int(str(fields["warden_pid"])),
        )
