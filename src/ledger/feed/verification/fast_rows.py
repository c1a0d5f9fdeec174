"""Rows of the log as COPY sends them, checked at the speed of a million in some seconds.

Each leaf is written anew from the columns beside it and from the leaf before it in its stream, and
compared with the stored leaf as a whole: that is its form, its envelope, its payload's hash and its chain
at once. What
does not compare is only told here; `row_check` says in words what is wrong.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.sent_rows import Differs, FastRow
from ledger.feed.verification.stream_heads import Heads, first_place

_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 # COPY counts in UTC from here
_EPOCH_DAY: Final = date(2000, 1, 1).toordinal()


class CheckedRows(NamedTuple):
    """What a portion's rows came to."""

    leaf_hashes: Sequence[bytes]
    streams_begun: int
    last_sealed_at: int
    """Microseconds since the year 2000."""
    fault: NotVerified | None = None
    """What is wrong with the row after those whose leaf hashes are given."""


def check_rows(  # a leaf has so many fields
    book: str, rows: Iterable[FastRow], first: int, last_sealed_at: int, heads: Heads
) -> CheckedRows:
    """Check rows from position `first` on; `heads` moves with them. Raises Differs."""
    quote = encode_basestring
    named = f'","book":{quote(book)},'
    position, begun = first - 1, 0
    leaf_hashes: list[bytes] = []
    try:
        for (
            row_position, sealed_at, stream_id, version, schema_version, ordinal, effective_on, occurred,
            recorded_at, event_id, correlation_id, uncaused, causation_id,
            stream, type_name, actor, command_id, payload, leaf, leaf_hash, sealed_hash,
        ) in rows:  # fmt: skip
            position += 1
            prev = heads.get(stream)
            if prev is None:
                begun += 1
                chained, follows = "", first_place(book, stream)
            else:
                chained, follows = f'"prev":"{prev[20:].hex()}",', prev[:20]
            made = (
                f'{{"actor":{quote(actor.decode())},"at":"{_instant(occurred)}{named}'
                + ("" if uncaused else f'"causation_id":"{_uuid(causation_id)}",')
                + f'"command_id":{quote(command_id.decode())},"correlation_id":"{_uuid(correlation_id)}",'
                f'"effective_on":"{_day(effective_on)}","event_id":"{_uuid(event_id)}","ordinal":{ordinal},'
                f'"payload_sha256":"{sha256(payload).hexdigest()}",{chained}'
                f'"recorded_at":"{_instant(recorded_at)}","schema_version":{schema_version},'
                f'"stream":{quote(stream.decode())},"type":{quote(type_name.decode())},"v":1,"version":{version}}}'
            ).encode()
            hashed = sha256(b"\x00" + made).digest()
            if not (
                made == leaf
                and hashed == leaf_hash == sealed_hash
                and row_position == position
                and sealed_at >= last_sealed_at
                and follows == stream_id + version.to_bytes(4, "big")
            ):
                raise Differs
            last_sealed_at = sealed_at
            heads[stream] = stream_id + (version + 1).to_bytes(4, "big") + hashed
            leaf_hashes.append(hashed)
    except (ValueError, OverflowError) as error:
        raise Differs from error
    return CheckedRows(leaf_hashes, begun, last_sealed_at)


@lru_cache(maxsize=4_096)
def _instant(microseconds: int) -> str:
    """Write an instant as the leaf spells it, less its closing quotation mark."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=4_096)
def _day(days: int) -> str:
    return date.fromordinal(_EPOCH_DAY + days).isoformat()


def _uuid(raw: bytes) -> str:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
