"""What `verify` is given on its command line: keys and heads, read strictly."""

from collections.abc import Iterable
from pathlib import Path

from ledger.endings import UsedWrongly
from ledger.feed.proofs.note import VerifierKey, split_note
from ledger.feed.proofs.refused import BadNote


def read_keys(keys: Iterable[str]) -> list[VerifierKey]:
    """Read verifier keys. Raises UsedWrongly."""
    try:
        return [VerifierKey.parse(key.strip()) for key in keys]
    except BadNote as error:
        message = f"--key: {error}."
        raise UsedWrongly(message) from error


def read_since(paths: Iterable[Path]) -> list[str]:
    """Read signed heads; their signatures are checked later. Raises UsedWrongly."""
    return [_read_head(path) for path in paths]


def _read_head(path: Path) -> str:
    try:
        note = path.read_bytes().decode()
        split_note(note)
    except (BadNote, UnicodeDecodeError) as error:
        message = f"--since {path} is no signed head ({error}): give a file that `checkpoint` wrote."
        raise UsedWrongly(message) from error
    return note
