"""What `verify` is given on its command line: keys and heads, read strictly."""

from collections.abc import Iterable
from pathlib import Path

from ledger.endings import UsedWrongly
from ledger.feed.proofs.cosignature import WitnessKey
from ledger.feed.proofs.evidence import AskedWrongly, read_kept
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import BadNote


def read_keys(keys: Iterable[str]) -> list[VerifierKey]:
    """Read verifier keys. Raises UsedWrongly."""
    try:
        return [VerifierKey.parse(key.strip()) for key in keys]
    except BadNote as error:
        message = f"--key: {error}."
        raise UsedWrongly(message) from error


def read_witnesses(keys: Iterable[str]) -> list[WitnessKey]:
    """Read keys of witnesses. Raises UsedWrongly."""
    try:
        return [WitnessKey.parse(key.strip()) for key in keys]
    except BadNote as error:
        message = f"--witness: {error}."
        raise UsedWrongly(message) from error


def read_since(paths: Iterable[Path]) -> list[str]:
    """Read signed heads; their signatures are checked later. Raises UsedWrongly."""
    try:
        return [read_kept(path) for path in paths]
    except AskedWrongly as error:
        message = f"--since {error}."
        raise UsedWrongly(message) from error
