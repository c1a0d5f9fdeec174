"""The pass over a book's log: every row of one snapshot, payloads to signed heads; and the schema."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from ledger.proofs.merkle import Frontier
from ledger.proofs.notes import WitnessedHead, to_base64
from ledger.proofs.verifier import cosigned_json
from ledger.store.catalogue import departures
from ledger.store.log import transaction_time
from ledger.store.pool import Connection, Pool
from ledger.verification.chunks import (
    GrownLevels,
    LogChunk,
    ReadAhead,
    begin_snapshot,
    check_no_other_nodes,
    first_bad_node,
)
from ledger.verification.findings import CutOut, LessProven, NotVerified
from ledger.verification.heads import LogNames, check_no_other_heads, log_names, log_size, witnessed_heads
from ledger.verification.progress import VerificationProgress
from ledger.verification.row_diagnosis import check_pending, check_slowly
from ledger.verification.rows import KEPT, CheckedRows, Differs, StreamHeads, check_rows, parse_rows
from ledger.verification.scan import HeadFault, HeadScan, PassedHead
from ledger.verification.trust_anchors import (
    GivenHead,
    Parting,
    TrustAnchors,
    given_heads,
    partings,
    why_not_covered,
)

MOST_TOLD: Final = 5


def verify_schema(pool: Pool) -> None:
    """Hold the schema against the migrations. Raises NotVerified, naming what is not as they make it.

    Who else may only read is no fault of it: `doctor` tells of that.
    """
    with pool.transaction() as connection:
        found = [departure for departure in departures(connection) if not departure.only_reads]
    if found:
        told = "; ".join(map(str, found[:MOST_TOLD]))
        more = f"; and {len(found) - MOST_TOLD:,} more" if len(found) > MOST_TOLD else ""
        raise NotVerified(None, "the schema", told + more)


LAST_SECONDS: Final = timedelta(seconds=10)
"""What was sealed so shortly ago may still wait for its signature: a head is signed about once a second."""

_SEALED_AT: Final = "select sealed_at from ledger.log where book = %s and position = %s"

OnProgress = Callable[[int, int], None]
"""Told how many events are done and how many there are."""


class ProgressStore(Protocol):
    """Where a pass keeps how far it has come."""

    def read(self, connection: Connection, origin: str) -> VerificationProgress | None:
        """Return what an earlier pass over the log of this name left, if it can be taken up."""
        ...

    def keep(self, standing: VerificationProgress) -> None:
        """Keep how far the pass has come."""
        ...


@dataclass(frozen=True, slots=True)
class DatabaseProof:
    """What a verified database holds: these events, in this order, unchanged since each head was signed."""

    book: str
    origin: str
    size: int
    streams: int
    heads: int
    proven: int
    """Size of the newest signed head: events from there on are sealed, but nothing signed covers them yet."""
    root: bytes
    waiting: int
    """Events recorded and not sealed yet."""
    resumed_at: int
    """Position from which on this pass has read; below it an earlier one had."""
    keys: Mapping[str, int]
    """The size of the newest head that each verifier key has signed."""
    heads_not_checked: int
    """Heads, of these `heads`, that are older than the keys given: only their roots were compared."""
    unsigned_since: datetime | None
    """When the first event was sealed that no signed head covers."""
    waiting_since: datetime | None
    """When the first event was recorded that waits."""
    partings: Sequence[Parting]
    heads_given: Sequence[GivenHead]
    cosigned: Sequence[WitnessedHead]

    @property
    def signed_by(self) -> list[str]:
        """The verifier keys that signed the newest head."""
        return [key for key, size in self.keys.items() if size == self.proven]

    @property
    def as_json(self) -> dict[str, object]:
        """What `verify --json` prints."""
        return {
            "book": self.book,
            "origin": self.origin,
            "size": self.size,
            "streams": self.streams,
            "heads": self.heads,
            "proven": self.proven,
            "root": to_base64(self.root),
            "waiting": self.waiting,
            "resumed_at": self.resumed_at,
            "signed_by": self.signed_by,
            "keys": dict(self.keys),
            "heads_not_checked": self.heads_not_checked,
            "unsigned": self.size - self.proven,
            "unsigned_since": self.unsigned_since and self.unsigned_since.isoformat(),
            "waiting_since": self.waiting_since and self.waiting_since.isoformat(),
            "partings": [parting._asdict() for parting in self.partings],
            "heads_given": [head._asdict() | {"proven": head.is_proven} for head in self.heads_given],
            "cosigned": [cosigned_json(head) for head in self.cosigned],
        }


def verify_database(  # noqa: PLR0913 # each is a part of the question
    pool: Pool,
    book: str,
    outside: TrustAnchors,
    *,
    memory: ProgressStore | None = None,
    progress: OnProgress = lambda _done, _total: None,
    streams_kept: int = KEPT,
) -> DatabaseProof:
    """Verify a book's rows against its log, and the log against what is known outside.

    `outside` must have been read before the call. Raises NotVerified, which names the first bad position
    or row; LessProven where all is sound and less is proven than was asked; KeyFileRefused, BookUnknown,
    DatabaseUnavailable.
    """
    with pool.transaction() as connection:
        begin_snapshot(connection)
        names = log_names(connection, book, outside.epochs)
        size = log_size(connection, book)
        head_scan = HeadScan(book, names, outside)
        begun = (memory.read(connection, names.origin) if memory else None) or VerificationProgress()
        if begun.size > size:
            begun = VerificationProgress()
        head_scan.check_below(connection, begun.size)
        ahead = ReadAhead(connection)
        try:
            audit = _Audit(book, head_scan, begun, ahead, streams_kept)
            for chunk in ahead.chunks(book, begun.size, size):
                audit.check(chunk)
                progress(audit.standing.size, size)
                if memory is not None:
                    memory.keep(audit.standing)
        finally:
            ahead.close()
        head_scan.check_above(size)
        check_no_other_heads(connection, book, size, audit.standing.heads)
        check_no_other_nodes(connection, book, size)
        waiting = check_pending(connection, book, size)
        head_scan.check_published(connection, pool)
        standing = audit.standing
        given = given_heads(connection, book, names, outside.heads, size)
        proof = DatabaseProof(
            book,
            names.origin,
            size,
            standing.streams,
            standing.heads,
            standing.proven,
            audit.frontier.root(),
            waiting.events,
            begun.size,
            dict(standing.keys),
            standing.not_checked,
            _sealed_at(connection, book, standing.proven),
            waiting.since,
            partings(names, given),
            given,
            witnessed_heads(connection, book, names, (*outside.witnesses, *outside.known_witnesses), size),
        )
        fault = _less_than_asked(proof, names, outside, transaction_time(connection))
    if fault is not None:
        fault.proven = proof.as_json
        raise fault
    return proof


def _less_than_asked(
    proof: DatabaseProof, names: LogNames, outside: TrustAnchors, now: datetime
) -> LessProven | None:
    """Return what was asked and is not proven, the database being sound."""
    whose = f"signed by {outside.demanded}" if outside.demanded else "that is signed"
    if proof.proven == 0 and outside.demanded:
        reason = f"no head {whose} stands here, so nothing is proven: `coverledger checkpoint` signs"
        return LessProven(0, "ledger.checkpoints", reason)
    if not _is_recent(proof, now) and (outside.demanded or not names.is_simulated):
        reason = (
            f"no head {whose} covers positions {proof.proven} to {proof.size - 1}, sealed since "
            f"{proof.unsigned_since}: `coverledger checkpoint` signs, or see `coverledger doctor`"
        )
        return LessProven(proof.proven, "ledger.checkpoints", reason)
    for head in proof.heads_given:
        if not head.is_proven:
            return LessProven(None, f"the head given of {head.origin}", why_not_covered(names, head))
    seen = {head.key for head in proof.cosigned}
    for key in outside.witnesses:
        if key not in seen:
            reason = f"no head of this log bears a cosignature of the witness {key.label}"
            return LessProven(None, "ledger.head_signatures", reason)
    return None


def _is_recent(proof: DatabaseProof, now: datetime) -> bool:
    """Whether what no signed head covers was sealed in the last seconds, if there is any."""
    return proof.unsigned_since is None or abs(now - proof.unsigned_since) <= LAST_SECONDS


def _sealed_at(connection: Connection, book: str, position: int) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(_SEALED_AT, (book, position))
        instants: list[tuple[datetime]] = cursor.fetchall()
    return instants[0][0].astimezone(UTC) if instants else None


class _Audit:
    """One pass over a book's log."""

    def __init__(
        self, book: str, head_scan: HeadScan, begun: VerificationProgress, ahead: ReadAhead, streams_kept: int
    ) -> None:
        self.standing = begun
        self.frontier = Frontier(begun.size, begun.nodes)
        self._book = book
        self._head_scan = head_scan
        self._ahead = ahead
        self._streams = StreamHeads(book, ahead.ask, streams_kept)

    def check(self, chunk: LogChunk) -> None:
        """Check the next chunk: rows, nodes, heads. Raises NotVerified for what comes first."""
        rows = self._check_rows(chunk)
        sound = chunk.first + len(rows.leaf_hashes)
        heads = self._head_scan.expected(chunk, self.standing)
        passed = [head for head in heads.passed if head.size <= sound]
        grown = GrownLevels()
        # Where several things are wrong, as when a leaf was rewritten, the one that comes first is named.
        # A node says closer than a head which leaf is bad.
        found = [
            ((fault.size, 1), fault.fault)
            for fault in (*heads.faults, *self._grow(rows.leaf_hashes, passed, grown))
        ]
        differing = grown.differing(chunk.nodes)
        if differing:
            node = self._ahead.ask(
                lambda connection: first_bad_node(connection, self._book, grown, differing)
            )
            found.append((((node.position or 0) + 1, 0), node))
        if rows.fault is not None:
            found.append(((sound + 1, 0), self._first_bad(rows.fault, passed)))
        if found:
            raise min(found, key=lambda placed: placed[0])[1]
        self._streams.forget_oldest()
        was = self.standing
        self.standing = VerificationProgress(
            size=chunk.end,
            nodes=self.frontier.nodes,
            streams=was.streams + rows.streams_begun,
            heads=was.heads + heads.stored,
            proven=max([was.proven, *(head.size for head in passed if head.signed_by)]),
            not_checked=was.not_checked + heads.not_checked,
            keys=dict(was.keys) | {key: head.size for head in passed for key in head.signed_by},
            sealed_at=rows.last_sealed_at,
        )

    def _first_bad(self, fault: NotVerified, passed: Sequence[PassedHead]) -> NotVerified:
        """Return what was cut out at the first place that no head proves."""
        proven = max([self.standing.proven, *(head.size for head in passed if head.signed_by)])
        if isinstance(fault, CutOut) and (fault.position or 0) < proven:
            return CutOut(proven, fault.row, fault.reason)
        return fault

    def _check_rows(self, chunk: LogChunk) -> CheckedRows:
        """Check the rows fast, and where they differ slowly, in words."""
        try:
            rows = parse_rows(chunk.events)
            self._streams.fetch(rows, chunk.first)
            checked = check_rows(self._book, rows, chunk.first, self.standing.sealed_at, self._streams.heads)
        except Differs:
            checked = None
        if checked is not None and len(checked.leaf_hashes) == chunk.end - chunk.first:
            return checked
        self._streams.heads.clear()
        return self._ahead.ask(lambda connection: check_slowly(connection, self._book, chunk))

    def _grow(
        self, leaf_hashes: Sequence[bytes], heads: Sequence[PassedHead], grown: GrownLevels
    ) -> Iterator[HeadFault]:
        """Grow the tree by a chunk, and compare its root with each head that it passes."""
        first, done = self.frontier.size, 0
        proven = self.standing.proven
        for head in heads:
            grown.take(self.frontier.grow(leaf_hashes[done : head.size - first]))
            done = head.size - first
            if self.frontier.root() != head.root:
                yield HeadFault(head.size, head.forked(proven))
            proven = head.size
        grown.take(self.frontier.grow(leaf_hashes[done:]))
