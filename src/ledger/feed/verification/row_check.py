"""What is wrong with one row of the log: the first thing, in words."""

from typing import Final
from uuid import uuid5

from ledger.feed.proofs.leaf import Leaf, payload_sha256, read_leaf
from ledger.feed.proofs.merkle import leaf_hash
from ledger.feed.proofs.refused import BadLeaf
from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.rows import EventBefore, EventColumns, LogRow
from ledger.store.canonical import book_namespace

_ENVELOPE: Final = (
    "stream", "version", "event_id", "type", "schema_version", "effective_on", "at", "recorded_at", "actor",
    "command_id", "ordinal", "correlation_id", "causation_id",
)  # fmt: skip
_SHOWN: Final = 60
"""Characters of a value that a message shows."""


def check_row(book: str, position: int, row: LogRow | None) -> bytes:
    """Check what stands at a position; gives its leaf hash. Raises NotVerified."""
    if row is None:
        raise NotVerified(position, "ledger.log", "the log has no such position: its row was deleted")
    place = f"ledger.log, position {position}"
    event = row.event
    if event is None:
        reason = (
            f"the log names stream {row.stream_id} version {row.version}, and ledger.events has no such event"
        )
        raise NotVerified(position, place, reason)
    wrong = what_is_wrong(book, event, row.leaf_hash, row.before)
    if wrong:
        raise NotVerified(position, event.row, wrong)
    if row.is_back_in_time:
        raise NotVerified(position, place, f"it was sealed at {row.sealed_at}, before the position before it")
    return row.leaf_hash


def what_is_wrong(book: str, event: EventColumns, sealed: bytes, before: EventBefore | None) -> str | None:
    """Say what is wrong with an event, given its sealed leaf hash and that of the event before it."""
    hashed = leaf_hash(event.leaf)
    if hashed != sealed and event.leaf_hash == sealed:
        return "its leaf is not the one that was sealed: the leaf was altered"
    if hashed != sealed and event.leaf_hash == hashed:
        return (
            "its leaf and leaf hash are not those that the log names: the event, or the log's row, "
            "was altered"
        )
    if event.leaf_hash != hashed:
        return "its leaf hash is not that of its leaf: one was altered"
    try:
        leaf = read_leaf(event.leaf)
    except BadLeaf as error:
        return str(error)
    return _differing_column(book, event, leaf) or _broken_chain(event, leaf, before)


def _differing_column(book: str, event: EventColumns, leaf: Leaf) -> str | None:
    if leaf.book != book:
        return f"its leaf is of the book {leaf.book!r}"
    for name in _ENVELOPE:
        stands, sealed = getattr(event, name), getattr(leaf, name)
        if stands != sealed:
            return f"its {name} is {_shown(stands)}, but {_shown(sealed)} was recorded"
    if event.stream_id != str(uuid5(book_namespace(book), event.stream)):
        return f"its stream_id {event.stream_id} is not that of {event.stream}"
    if payload_sha256(event.payload) != leaf.payload_sha256:
        return "its payload is not the one that was recorded: it was altered"
    return None


def _broken_chain(event: EventColumns, leaf: Leaf, before: EventBefore | None) -> str | None:
    named = f"version {event.version - 1} of {event.stream}"
    if leaf.prev is None:
        return None  # a first event: `read_leaf` has seen to it that it is version 1
    if before is None:
        return f"{named} does not stand before it in the log"
    if before.leaf_hash.hex() != leaf.prev:
        return (
            f"it does not name the leaf of {named} ({before.where}): "
            "one of the two, or their order, was altered"
        )
    return None


def _shown(value: object) -> str:
    text = str(value)
    return repr(value) if len(text) <= _SHOWN else repr(text[:_SHOWN] + "…")
