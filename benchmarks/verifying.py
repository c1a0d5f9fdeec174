"""Verifying a log of any size: rate, memory, one contract's proof. `python -m benchmarks.verifying`."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from benchmarks.made_up_log import CLAIMS_OF_A_CONTRACT, EVENTS_OF_A_STREAM, MadeUpLog
from benchmarks.server import running_server
from ledger.proofs.contract_proof import verify_contract_file
from ledger.proofs.notes import VerifierKey
from ledger.sealing.key_files import SigningKeys, create_keys
from ledger.store.books import Books
from ledger.store.pool import Pool
from ledger.verification.database import DatabaseProof, verify_database
from ledger.verification.exports import contract_proof
from ledger.verification.trust_anchors import anchors_given

BOOK = "cyber-care"
ORIGIN = "bench/cyber-care"
PROOFS = 50
CONSOLE = Console()


def main() -> None:
    """Make the log, verify it in a program of its own, and prove some contracts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verifying", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="size of the log (default: 1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="passes over it (default: 3)")
    parser.add_argument("--pass-over", nargs=2, metavar=("DSN", "VKEY"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.pass_over:
        _pass_over(*asked.pass_over)
        return
    with tempfile.TemporaryDirectory(prefix="ledger-verifying-") as folder, running_server() as server:
        name = server.create_database()
        dsn = server.dsn(name)
        with Pool(dsn) as pool:
            Books(pool).create(BOOK, origin=ORIGIN)
            keys = create_keys(Path(folder) / "signing.key", ORIGIN)
            begun = time.monotonic()
            MadeUpLog(dsn, BOOK, keys).write(asked.events)
            CONSOLE.print(f"A log of {asked.events:,} events, made in {time.monotonic() - begun:.0f} s")
            table = Table(title=f"Verifying it, {asked.rounds} rounds; load of this machine beside")
            for heading in ("events/s", "seconds", "processor", "memory", "load"):
                table.add_column(heading, justify="right")
            for _ in range(asked.rounds):
                table.add_row(*_in_its_own_program(dsn, keys))
            CONSOLE.print(table)
            _prove(pool, keys, asked.events)


def _in_its_own_program(dsn: str, keys: SigningKeys) -> list[str]:
    load = os.getloadavg()[0]
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.verifying", "--pass-over", dsn, str(keys.verifier_keys[0])],
        check=True,
        capture_output=True,
        text=True,
    )
    return [*said.stdout.strip().split("\t"), f"{load:.1f}"]


def _pass_over(dsn: str, key: str) -> None:
    """Verify once and print rate, seconds, processor time of this program, and its highest memory."""
    with Pool(dsn) as pool:
        begun, busy = time.monotonic(), time.process_time()
        proof: DatabaseProof = verify_database(pool, BOOK, anchors_given([VerifierKey.parse(key)]))
        seconds, busy = time.monotonic() - begun, time.process_time() - busy
    sys.stdout.write(
        f"{proof.size / seconds:,.0f}\t{seconds:.1f}\t{busy:.1f} s\t{highest_memory_mb():,.0f} MB\n"
    )


def highest_memory_mb() -> float:
    """Give this program's own highest memory; `getrusage` gives its starter's where that is higher."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    [line] = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _prove(pool: Pool, keys: SigningKeys, events: int) -> None:
    chance = Random(7)  # noqa: S311 - which contracts, not a secret
    contracts = max(1, events // EVENTS_OF_A_STREAM // (CLAIMS_OF_A_CONTRACT + 1))
    taken = []
    for _ in range(PROOFS):
        number = f"C-{chance.randrange(contracts)}"
        begun = time.perf_counter()
        text, _head = contract_proof(pool, BOOK, number)
        taken.append((time.perf_counter() - begun) * 1000)
        verify_contract_file(text, keys.verifier_keys)
    CONSOLE.print(
        f"One contract's proof from it: median {statistics.median(taken):.1f} ms, "
        f"slowest of {PROOFS} {max(taken):.1f} ms"
    )


if __name__ == "__main__":
    main()
