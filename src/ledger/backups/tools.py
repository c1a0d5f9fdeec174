"""Postgres' own programs that dump and restore, run without a password on their command lines."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple, cast

from ledger.embedded.binaries import find_binaries
from ledger.embedded.unavailable import PostgresUnavailable
from ledger.endings import Refused, Unreachable
from ledger.store.libpq import libpq_environment

NEEDED = ("pg_dump", "pg_restore", "psql")
_OURS = ("PG", "COVERLEDGER_")


class Program(NamedTuple):
    """One program and the words of its command line."""

    name: str
    words: Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of one folder, and the database that they work on."""

    folder: Path
    dsn: str

    @classmethod
    def find(cls, wanted: Path | None, dsn: str) -> "Tools":
        """Take the programs of the folder wanted, else those installed with the ledger, else the machine's.

        Raises Unreachable when they are nowhere.
        """
        try:
            folder = find_binaries(wanted).folder
        except PostgresUnavailable as error:
            raise Unreachable(str(error)) from error
        if not all((folder / name).is_file() for name in NEEDED):
            on_path = shutil.which("pg_restore")
            if on_path is None:
                message = (
                    f"{', '.join(NEEDED)} are not in {folder}: install Postgres' client programs, or set "
                    "COVERLEDGER_POSTGRES_BIN to the folder that holds them."
                )
                raise Unreachable(message)
            folder = Path(on_path).parent
        return cls(folder, dsn)

    def run(self, name: str, *words: str | Path, typed: Path | None = None) -> str:
        """Run one program to its end and give what it printed; `typed`: the file on its standard input.

        Raises Refused with what the program had to say.
        """
        with (typed or Path(os.devnull)).open("rb") as given:
            ended = subprocess.run(
                [str(self.folder / name), *map(str, words)],
                check=False,
                stdin=given,
                capture_output=True,
                env=self._environment(),
                text=True,
                errors="replace",
            )
        if ended.returncode != 0:
            raise _failed(name, ended.stderr)
        return ended.stdout

    def pipe(self, giver: Program, taker: Program, wrapped: tuple[str, str], drop: bytes) -> None:
        """Let one program read what another writes, with a text before it and one after it.

        The text after it is given only once all was written: a transaction that it ends is else undone.
        Lines that begin with `drop` are left out, up to the first table.
        Raises Refused with what either had to say.
        """
        before, after = wrapped
        with (
            TemporaryFile() as giver_said,
            TemporaryFile() as taker_said,
            self._started(
                giver, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=giver_said
            ) as giving,
            self._started(
                taker, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=taker_said
            ) as taking,
        ):
            given, taken = cast("IO[bytes]", giving.stdout), cast("IO[bytes]", taking.stdin)
            try:
                taken.write(before.encode())
                _copy(given, taken, drop)
                if giving.wait() != 0:
                    taking.kill()
                    raise _failed(giver.name, _read(giver_said))
                taken.write(after.encode())
                taken.close()
            except BrokenPipeError:
                giving.kill()  # The taker gave up: what it had to say comes below.
                with suppress(BrokenPipeError):
                    taken.close()
            if taking.wait() != 0:
                raise _failed(taker.name, _read(taker_said))

    def _started(
        self, program: Program, *, stdin: int, stdout: int, stderr: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        command = [str(self.folder / program.name), *map(str, program.words)]
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=self._environment())

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return {**kept, **libpq_environment(self.dsn), "LC_ALL": "C", "PGAPPNAME": "coverledger backup"}


def _copy(given: IO[bytes], taken: IO[bytes], drop: bytes) -> None:
    for line in given:
        if not line.startswith(drop):
            taken.write(line)
        if line.startswith(b"COPY "):
            break
    shutil.copyfileobj(given, taken)


def _read(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")


def _failed(name: str, said: str) -> Refused:
    return Refused(f"{name} failed: {_last_words(said.splitlines())}")


def _last_words(lines: Sequence[str]) -> str:
    said = [line.strip() for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return (said or [line.strip() for line in lines if line.strip()] or ["it said nothing"])[0]
