"""The signed heads that a log must pass through: those of its history, and those that the auditor kept."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.feed.proofs.bundle.layout import HEAD, HISTORY, read_history
from ledger.feed.proofs.checkpoint import Checkpoint, open_checkpoint
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import BadNote, BundleBroken

_OTHER_KEYS = f"; heads older than a rotation need the retired key too, see {Path('verifier.keys')}"
_KEPT = "the head kept"


class ExpectedHead(NamedTuple):
    """A head whose root the log must have at its size, and where it was found."""

    size: int
    path: str
    root: bytes


def open_head(directory: Path, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Read the bundle's own head. Raises BundleBroken."""
    try:
        return open_checkpoint((directory / HEAD).read_text(encoding="utf-8"), keys)
    except FileNotFoundError as error:
        message = "it is missing: this is no bundle, or its export did not finish"
        raise BundleBroken(None, HEAD, message) from error
    except (BadNote, UnicodeDecodeError) as error:
        raise BundleBroken(None, HEAD, str(error)) from error


def expected_heads(
    directory: Path, head: Checkpoint, keys: Sequence[VerifierKey], since: Iterable[str]
) -> Iterator[ExpectedHead]:
    """Give by rising size each head that the log must pass through, its signature checked.

    The position named by BundleBroken is that of the head before: from there on nothing is proven.
    """
    kept = sorted(_open_kept(head, keys, since))
    return heapq.merge(_history(directory, head, keys), kept)


def _open_kept(head: Checkpoint, keys: Sequence[VerifierKey], since: Iterable[str]) -> Iterator[ExpectedHead]:
    for signed in since:
        try:
            kept = open_checkpoint(signed, keys)
        except BadNote as error:
            raise BundleBroken(None, _KEPT, f"{error}{_OTHER_KEYS}") from error
        if kept.origin != head.origin:
            message = f"it is of the log {kept.origin}, the bundle of {head.origin}"
            raise BundleBroken(None, _KEPT, message)
        if kept.size > head.size:
            message = (
                f"it has {kept.size} events, the bundle only {head.size}: the bundle is older, or was cut"
            )
            raise BundleBroken(head.size, _KEPT, message)
        yield ExpectedHead(kept.size, _KEPT, kept.root)


def _history(directory: Path, head: Checkpoint, keys: Sequence[VerifierKey]) -> Iterator[ExpectedHead]:
    last = -1
    try:
        with (directory / HISTORY).open("rb") as opened:
            for signed in read_history(opened):
                past = open_checkpoint(signed, keys)
                if past.origin != head.origin or not last < past.size <= head.size:
                    message = (
                        f"a head of {past.origin} and size {past.size} does not belong after size {last}"
                    )
                    raise BundleBroken(max(last, 0), HISTORY, message)
                last = past.size
                yield ExpectedHead(past.size, HISTORY, past.root)
    except FileNotFoundError as error:
        raise BundleBroken(0, HISTORY, "it is missing") from error
    except BadNote as error:
        raise BundleBroken(max(last, 0), HISTORY, f"{error}{_OTHER_KEYS}") from error
    if last != head.size:
        message = f"it ends at size {max(last, 0)}, before the head of size {head.size}"
        raise BundleBroken(max(last, 0), HISTORY, message)
