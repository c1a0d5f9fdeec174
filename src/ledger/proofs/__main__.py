"""`python -m ledger.proofs TARGET --key KEY`: verifies with Python and `cryptography` alone.

TARGET is a bundle (a folder), a contract's proof, or a proof that one head extends another (files).
Exit: 0 verified · 1 not verified · 2 used wrongly.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from ledger.proofs.errors import BadNote, ProofRefused, one_line
from ledger.proofs.notes import VerifierKey, WitnessKey
from ledger.proofs.verifier import EvidenceUsageError, read_kept, verify_evidence


def main(arguments: list[str]) -> int:
    """Verify what the command line names; gives the exit code."""
    parser = ArgumentParser(
        prog="python -m ledger.proofs",
        description="Verify an exported ledger, or a proof taken from one.",
    )
    parser.add_argument("target", type=Path, metavar="TARGET", help="a bundle (folder), or a proof (file)")
    parser.add_argument("--key", action="append", required=True, help="verifier key; again for a retired one")
    parser.add_argument("--since", action="append", default=[], type=Path, help="a checkpoint that you kept")
    parser.add_argument("--contract", help="number of a contract whose evidence must be complete")
    parser.add_argument(
        "--witness", action="append", default=[], help="key of a witness that must have cosigned"
    )
    given = parser.parse_args(arguments)
    try:
        keys, witnesses = _keys(given.key, given.witness)
        since = [read_kept(path) for path in given.since]
        proven = verify_evidence(
            given.target, keys, since=since, contract=given.contract, witnesses=witnesses
        )
    except EvidenceUsageError as error:
        return _ended(2, str(error))
    except ProofRefused as error:
        return _ended(1, f"NOT VERIFIED: {error}")
    sys.stdout.write("".join(f"{line}\n" for line in proven.lines))
    return 0


def _keys(keys: list[str], witnesses: list[str]) -> tuple[list[VerifierKey], list[WitnessKey]]:
    try:
        return [VerifierKey.parse(key.strip()) for key in keys], [
            WitnessKey.parse(key.strip()) for key in witnesses
        ]
    except BadNote as error:
        raise EvidenceUsageError(str(error)) from error


def _ended(code: int, said: str) -> int:
    sys.stderr.write(f"{one_line(said)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
