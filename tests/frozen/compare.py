"""Print how the answers of today differ from the frozen ones.

    cd tests && ../.venv/bin/python -m frozen.compare            what no issue declares
    cd tests && ../.venv/bin/python -m frozen.compare --all      what is declared as well
    cd tests && ../.venv/bin/python -m frozen.compare readyz     only questions in which this word stands

Exit 1 when something differs that `changed.toml` does not declare.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from frozen.declared import declarations, found_in, idle, told, undeclared
from frozen.opening import LEDGER, PRESENT, Frozen, drop_database, kept, restore_database, unpack
from frozen.running import environment, typed
from frozen.standing_clock import StandingClock
from frozen.transcripts import Asking, Record, ask_all, name_of, read_records
from ledger.logging import log_to_stderr
from ledger.postgres import EmbeddedPostgres


def asked_anew(server_dsn: str, work: Path, wanted: list[Record]) -> list[Record]:
    """Open the frozen ledger with the code of today and ask."""
    name, dsn = restore_database(server_dsn)
    try:
        asking = Asking(
            Frozen(name, dsn, unpack("home.tar.xz", work / "home"), name), work, kept("tokens.json")["tokens"]
        )
        unpack("outside.tar.xz", work / "outside")
        with environment(asking.settings):
            migrated = typed("migrate")
        assert migrated.code == 0, migrated.err
        StandingClock(dsn, PRESENT)
        return ask_all(asking, wanted)
    finally:
        drop_database(server_dsn, name)


def main(words: list[str]) -> int:
    """Compare, and print what differs."""
    log_to_stderr(quiet=True)
    everything, words = "--all" in words, [word for word in words if word != "--all"]
    then = [
        record
        for record in read_records(LEDGER / "transcripts.jsonl.xz")
        if all(word in name_of(record) for word in words)
    ]
    with (
        TemporaryDirectory(prefix="frozen-server-") as home,
        TemporaryDirectory(prefix="frozen-work-") as work,
    ):
        Path(home).chmod(0o711)
        with EmbeddedPostgres(Path(home)).join() as server:
            found = list(found_in(then, asked_anew(server.superuser_dsn, Path(work), then)))
    declared = declarations()
    lacking = undeclared(found, declared)
    sys.stdout.write(told(found if everything else lacking) + "\n")
    if not words:
        sys.stdout.writelines(f"declared, and nothing differs: {entry}\n" for entry in idle(found, declared))
    sys.stdout.write(f"{len(then)} answers; {len(found)} differences, {len(lacking)} of them not declared\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
