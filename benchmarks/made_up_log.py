"""A signed log of any size, written with COPY: what a real book's log looks like, made in seconds.

Contracts with three claims each, their events mixed at random over the whole log: the worst case for whoever
follows each stream.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import islice
from random import Random
from uuid import UUID

import psycopg2

from ledger.domain.identifiers import claim_ref, contract_ref
from ledger.proofs.checkpoints import Checkpoint, sign_checkpoint
from ledger.proofs.merkle import Frontier
from ledger.sealing.key_files import SigningKeys
from ledger.store.canonical import instant_text, leaf_bytes, leaf_hash, stream_id

CLAIMS_OF_A_CONTRACT = 3
EVENTS_OF_A_STREAM = 5
EVENTS_OF_A_HEAD = 1_000
PORTION = 20_000
BEGUN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
DAY = BEGUN.date()

_COPY_EVENTS = """
copy ledger.events (book, stream_id, version, stream, event_id, type, schema_version, effective_on, at,
    recorded_at, command_id, ordinal, actor, correlation_id, payload, leaf, leaf_hash) from stdin
"""
_COPY_LOG = "copy ledger.log (book, position, stream_id, version, leaf_hash, sealed_at) from stdin"
_COPY_NODES = "copy ledger.log_nodes (book, level, index, hash) from stdin"
_INSERT_HEAD = (
    "insert into ledger.checkpoints (book, epoch, size, root, note, signed_at) values (%s, 1, %s, %s, %s, %s)"
)


class MadeUpLog:
    """Writes one book's log, its nodes and its heads as a superuser."""

    def __init__(self, dsn: str, book: str, keys: SigningKeys) -> None:
        """Write to a book whose row is there already; `keys` sign for its origin."""
        self._dsn = dsn
        self._book = book
        self._keys = keys
        self._frontier = Frontier()

    def write(self, events: int) -> None:
        """Write this many events, a head each thousand, and let the database take stock."""
        with closing(psycopg2.connect(self._dsn)) as connection:
            source = _events(self._book, events)
            while portion := list(islice(source, PORTION)):
                self._write_portion(connection, portion)
                connection.commit()
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("vacuum analyze")

    def _write_portion(
        self, connection: psycopg2.extensions.connection, portion: Sequence[tuple[str, int, UUID, bytes, str]]
    ) -> None:
        rows, log, nodes, heads = StringIO(), StringIO(), StringIO(), []
        hashes = []
        for stream, version, stream_uuid, hashed, row in portion:
            assert stream  # noqa: S101
            rows.write(row)
            sealed_at = BEGUN + timedelta(milliseconds=self._frontier.size + len(hashes))
            log.write(
                f"{self._book}\t{self._frontier.size + len(hashes)}\t{stream_uuid}\t{version}"
                f"\t\\\\x{hashed.hex()}\t{sealed_at.isoformat()}\n"
            )
            hashes.append(hashed)
        for start in range(0, len(hashes), EVENTS_OF_A_HEAD):
            for level, first, row_of_nodes in self._frontier.grow(hashes[start : start + EVENTS_OF_A_HEAD]):
                if level:
                    for index, node in enumerate(row_of_nodes, first):
                        nodes.write(f"{self._book}\t{level}\t{index}\t\\\\x{node.hex()}\n")
            head = Checkpoint(self._keys.signer.name, self._frontier.size, self._frontier.root())
            heads.append(
                (self._book, head.size, head.root, sign_checkpoint(head, [self._keys.signer]), BEGUN)
            )
        with connection.cursor() as cursor:
            for statement, lines in ((_COPY_EVENTS, rows), (_COPY_LOG, log), (_COPY_NODES, nodes)):
                lines.seek(0)
                cursor.copy_expert(statement, lines)
            cursor.executemany(_INSERT_HEAD, heads)


def _events(book: str, events: int) -> Iterator[tuple[str, int, UUID, bytes, str]]:
    """Give the events of a log: stream, version, stream's id, leaf hash, and the row as COPY takes it."""
    chance = Random(7)  # noqa: S311 - made up, not secret
    contracts = max(1, events // EVENTS_OF_A_STREAM // (CLAIMS_OF_A_CONTRACT + 1))
    heads: dict[str, tuple[int, bytes | None]] = {}
    count = 0
    while count < events:
        contract = chance.randrange(contracts)
        claim = chance.randrange(CLAIMS_OF_A_CONTRACT + 1)
        own = f"contract/C-{contract}"
        stream = f"claim/K-{contract}-{claim}" if claim else own
        begun = stream in heads
        yield _event(
            book, heads, chance, count, stream, own, "claim.AdviceGiven" if claim else "contract.TermsNoted"
        )
        count += 1
        if claim and not begun and count < events:
            yield _event(
                book, heads, chance, count, own, own, "contract.ClaimRegistered", f"K-{contract}-{claim}"
            )
            count += 1


def _event(  # noqa: PLR0913, PLR0917
    book: str,
    heads: dict[str, tuple[int, bytes | None]],
    chance: Random,
    count: int,
    stream: str,
    contract: str,
    type_name: str,
    claim: str | None = None,
) -> tuple[str, int, UUID, bytes, str]:
    version, prev = heads.get(stream, (0, None))
    version += 1
    recorded_at = instant_text(BEGUN + timedelta(microseconds=997 * count))
    named = (
        {"claim": claim} if claim else {"note": "Reported by phone; papers follow.", "topics": ["passwords"]}
    )
    person = {"box": b64encode(chance.randbytes(48)).decode(), "person": f"P-{count % 9999}"}
    salt = b64encode(chance.randbytes(16)).decode()
    payload = json.dumps(
        named | {"person": person, "salt": salt}, sort_keys=True, separators=(",", ":")
    ).encode()
    event_id = UUID(bytes=chance.randbytes(16), version=4)
    ref = contract_ref if stream.startswith("contract") else claim_ref
    stream_uuid = stream_id(book, ref(stream.partition("/")[2]))
    correlation_id = stream_id(book, contract_ref(contract.partition("/")[2]))
    leaf = leaf_bytes(
        book=book,
        event_id=event_id,
        stream=stream,
        version=version,
        prev=prev,
        type_name=type_name,
        schema_version=1,
        effective_on=DAY,
        at=recorded_at,
        recorded_at=recorded_at,
        actor="desk-17",
        command_id=f"cmd-{count}",
        ordinal=0,
        correlation_id=correlation_id,
        causation_id=None,
        payload=payload,
    )
    hashed = leaf_hash(leaf)
    heads[stream] = (version, hashed)
    row = (
        f"{book}\t{stream_uuid}\t{version}\t{stream}\t{event_id}\t{type_name}\t1\t{DAY}\t{recorded_at}\t{recorded_at}"
        f"\tcmd-{count}\t0\tdesk-17\t{correlation_id}\t\\\\x{payload.hex()}\t\\\\x{leaf.hex()}\t\\\\x{hashed.hex()}\n"
    )
    return stream, version, stream_uuid, hashed, row
