"""`python -m ledger.feed.proofs DIR --key KEY`: verifies a bundle with Python and `cryptography` alone.

Exit: 0 verified · 1 not verified · 2 used wrongly.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from ledger.feed.proofs.bundle import verify_bundle
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import BadNote, BundleBroken


def main(arguments: list[str]) -> int:
    """Verify the bundle that the command line names; gives the exit code."""
    parser = ArgumentParser(prog="python -m ledger.feed.proofs", description="Verify an exported ledger.")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--key", action="append", required=True, help="verifier key; again for a retired one")
    parser.add_argument("--since", action="append", default=[], type=Path, help="a checkpoint that you kept")
    parser.add_argument("--contract", help="number of a contract whose evidence must be complete")
    given = parser.parse_args(arguments)
    try:
        keys = [VerifierKey.parse(key) for key in given.key]
        since = [path.read_text(encoding="utf-8") for path in given.since]
    except (BadNote, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        proof = verify_bundle(given.directory, keys, since=since, contract=given.contract)
    except BundleBroken as error:
        sys.stderr.write(f"NOT VERIFIED: {error}\n")
        return 1
    sys.stdout.write(
        f"verified: {proof.head.size} events in {proof.streams} streams, {proof.heads} signed heads\n"
    )
    sys.stdout.write(proof.head.text)
    for stream, events in (proof.contract.events if proof.contract else {}).items():
        sys.stdout.write(f"{stream}: {events} events, complete\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
