"""The signed heads that a log must pass through: those of its history, and those that the auditor kept."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.feed.proofs.bundle.layout import HEAD, HISTORY, read_history
from ledger.feed.proofs.checkpoint import Checkpoint, base_origin, open_signed, peek_checkpoint
from ledger.feed.proofs.given_files import open_plain, read_plain, text_of
from ledger.feed.proofs.note import MAX_NOTE_BYTES, VerifierKey, is_signed_by_any
from ledger.feed.proofs.refused import BadNote, BadProof, BundleBroken

KEPT = "the head kept"
_OTHER_KEYS = f"; heads older than a rotation need the retired key too, see {Path('verifier.keys')}"


class ExpectedHead(NamedTuple):
    """A head whose root the log must have at its size, and where it was found."""

    head: Checkpoint
    path: str
    note: str
    signed_by: tuple[VerifierKey, ...]
    """None where it is older than the keys that were given: only its root is compared."""

    @property
    def size(self) -> int:
        """The number of events that it covers."""
        return self.head.size

    @property
    def is_kept(self) -> bool:
        """Whether the auditor kept it."""
        return self.path == KEPT


def open_head(directory: Path, keys: Sequence[VerifierKey]) -> ExpectedHead:
    """Read the bundle's own head. Raises BundleBroken."""
    try:
        note = text_of(read_plain(directory / HEAD, MAX_NOTE_BYTES))
        return ExpectedHead(*_opened(note, keys, HEAD))
    except FileNotFoundError as error:
        message = "it is missing: this is no bundle, or its export did not finish"
        raise BundleBroken(None, HEAD, message) from error
    except OSError as error:
        raise BundleBroken(None, HEAD, "it cannot be read") from error
    except (BadNote, BadProof) as error:
        raise BundleBroken(None, HEAD, str(error)) from error


def expected_heads(
    directory: Path, head: Checkpoint, keys: Sequence[VerifierKey], since: Iterable[str]
) -> Iterator[ExpectedHead]:
    """Give by rising size each head that the log must pass through, its signature checked.

    The position named by BundleBroken is that of the head before: from there on nothing is proven.
    """
    kept = sorted(open_kept(head, keys, since), key=_size)
    return heapq.merge(_history(directory, head, keys), kept, key=_size)


def open_kept(head: Checkpoint, keys: Sequence[VerifierKey], since: Iterable[str]) -> Iterator[ExpectedHead]:
    """Open the heads that the auditor kept, of any epoch of this log. Raises BundleBroken."""
    for signed in since:
        try:
            kept = ExpectedHead(*_opened(signed, keys, KEPT))
        except BadNote as error:
            raise BundleBroken(None, KEPT, f"{error}{_OTHER_KEYS}") from error
        if base_origin(kept.head.origin) != base_origin(head.origin):
            message = f"it is of the log {kept.head.origin}, the bundle of {head.origin}"
            raise BundleBroken(None, KEPT, message)
        yield kept


def _history(directory: Path, head: Checkpoint, keys: Sequence[VerifierKey]) -> Iterator[ExpectedHead]:
    last, signed_from = -1, -1
    try:
        with open_plain(directory / HISTORY) as opened:
            for note in read_history(opened):
                # Who was given the present key alone cannot check what an earlier one signed before it.
                if signed_from < 0 and not is_signed_by_any(note, keys):
                    past = ExpectedHead(peek_checkpoint(note), HISTORY, note, ())
                else:
                    past = ExpectedHead(*_opened(note, keys, HISTORY))
                    signed_from = past.size
                if past.head.origin != head.origin or not last < past.size <= head.size:
                    message = (
                        f"a head of {past.head.origin} and size {past.size} does not belong after size {last}"
                    )
                    raise BundleBroken(max(last, 0), HISTORY, message)
                last = past.size
                yield past
    except FileNotFoundError as error:
        raise BundleBroken(0, HISTORY, "it is missing") from error
    except OSError as error:
        raise BundleBroken(max(last, 0), HISTORY, "it cannot be read") from error
    except BadProof as error:
        raise BundleBroken(0, HISTORY, str(error)) from error
    except BadNote as error:
        raise BundleBroken(max(last, 0), HISTORY, f"{error}{_OTHER_KEYS}") from error
    if last != head.size:
        message = f"it ends at size {max(last, 0)}, before the head of size {head.size}"
        raise BundleBroken(max(last, 0), HISTORY, message)


def _opened(
    note: str, keys: Sequence[VerifierKey], path: str
) -> tuple[Checkpoint, str, str, tuple[VerifierKey, ...]]:
    head, signed_by = open_signed(note, keys)
    return head, path, note, signed_by


def _size(head: ExpectedHead) -> int:
    return head.size
