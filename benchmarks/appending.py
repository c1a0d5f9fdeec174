"""One event a commit: our recorder, the stock one, and pgbench with our own statements, on one server."""

import multiprocessing
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as StopEvent
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.crowd import Work, rate_of
from benchmarks.server import BenchmarkServer
from ledger.application import Ledger
from ledger.domain.claim.events import AdviceGiven
from ledger.domain.event import PendingEvent
from ledger.domain.identifiers import StreamRef, claim_ref, contract_ref
from ledger.eventsourcing.mapper import LedgerMapper
from ledger.logging import log_to_stderr
from ledger.sealing.sealer import Sealer
from ledger.sealing.signer import Signer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.append import append_statement
from ledger.store.books import Books
from ledger.store.canonical import stream_id
from ledger.store.event_store import EventStore
from ledger.store.events import CommandAnswer, Commit, StreamHead
from ledger.store.keys import MasterKeys
from ledger.store.pool import Pool

BOOK = "cyber-care"
STREAM_LENGTH = 10
ANSWER = (
    '{"status": "recorded", "events": [{"stream": "claim/CL-1", "version": 2, "type": "claim.AdviceGiven"}]}'
)


def our_rate(server: BenchmarkServer, connections: int, seconds: float) -> float:
    """Events per second through our store: envelope, leaf, `prev`, pending, command; a sealer beside it."""
    return _rate_beside(server, connections, seconds, _seal)


def signed_rate(server: BenchmarkServer, connections: int, seconds: float) -> float:
    """Give the same while the sealer also keeps the Merkle log and signs a head each second."""
    return _rate_beside(server, connections, seconds, _seal_and_sign)


def _rate_beside(
    server: BenchmarkServer, connections: int, seconds: float, seal: Callable[[str, StopEvent], None]
) -> float:
    name = server.create_database()
    with Pool(server.dsn(name, f"{name}_app_login"), size=1) as pool:
        Books(pool).create(BOOK, origin="bench/cyber-care")
    masters = MasterKeys.generate()
    with _sealing(server.dsn(name, f"{name}_sealer_login"), seal):
        return rate_of(connections, seconds, _our_writer, server.dsn(name, f"{name}_app_login"), masters)


def stock_rate(server: BenchmarkServer, connections: int, seconds: float) -> float:
    """Events per second through `eventsourcing`'s own recorder on psycopg 3, payloads of the same size."""
    name = server.create_database()
    host = str(server.folder)
    with _stock_datastore(name, host) as datastore:
        PostgresApplicationRecorder(datastore, events_table_name="stock_events").create_table()
    return rate_of(connections, seconds, _stock_writer, name, host)


def limit_rate(server: BenchmarkServer, connections: int, seconds: float) -> float:
    """Transactions per second of pgbench with our append's own statements: the server's best."""
    name = server.create_database()
    with Pool(server.dsn(name, f"{name}_app_login"), size=1) as pool:
        Books(pool).create(BOOK, origin="bench/cyber-care")
        script = server.folder / "append.sql"
        script.write_text(_pgbench_script(pool))
    said = subprocess.run(
        [
            server.binaries.folder / "pgbench",
            *("--no-vacuum", "--protocol=simple", f"--client={connections}", "--jobs=2"),
            *(f"--time={round(seconds)}", f"--file={script}", f"--host={server.folder}"),
            *("-U", f"{name}_app_login", name),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if found is None:
        raise RuntimeError(said.stdout + said.stderr)
    return float(found[1])


def _our_writer(place: int, dsn: str, masters: MasterKeys) -> Work:
    pool = Pool(dsn, size=1)
    store = EventStore(pool, masters, prepares=True)
    store.content_hmac(BOOK, b"warm")
    ledger = Ledger(store, Books(pool), BOOK, pool)

    def work(until: float) -> int:
        done = 0
        while time.monotonic() < until:
            claim = claim_ref(f"CL-{place}-{done}")
            heads: Mapping[StreamRef, StreamHead] = {}
            for _ in range(STREAM_LENGTH):
                if time.monotonic() >= until:
                    break
                command_id = f"cmd-{place}-{done}"
                commit = _commit(store, claim.number, command_id, heads)
                heads = ledger.record(commit).heads
                done += 1
        return done

    return work


def _commit(store: EventStore, claim: str, command_id: str, heads: Mapping[StreamRef, StreamHead]) -> Commit:
    now = datetime.now(UTC)
    event = PendingEvent(
        claim_ref(claim),
        AdviceGiven(topics=("change_passwords", "block_card")),
        now.date(),
        now,
        command_id=command_id,
        actor="desk-17",
        contract=contract_ref("CC-1"),
        event_id=uuid4(),
    )
    digest = store.content_hmac(BOOK, command_id.encode())
    return Commit(
        BOOK,
        [event],
        heads,
        [CommandAnswer("local", command_id, digest, ANSWER)],
        now,
    )


def _stock_writer(place: int, name: str, host: str) -> Work:
    del place
    datastore = PostgresDatastore(
        dbname=name, host=host, port="5432", user="postgres", password="", pool_size=1
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="stock_events")
    state = b'{"salt": "0123456789abcdef01234567", "topics": ["change_passwords", "block_card"]}'

    def work(until: float) -> int:
        done = 0
        while time.monotonic() < until:
            stream = uuid4()
            for version in range(1, STREAM_LENGTH + 1):
                if time.monotonic() >= until:
                    break
                recorder.insert_events([StoredEvent(stream, version, "claim.AdviceGiven", state)])
                done += 1
        return done

    return work


@contextmanager
def _stock_datastore(name: str, host: str) -> Iterator[PostgresDatastore]:
    datastore = PostgresDatastore(
        dbname=name, host=host, port="5432", user="postgres", password="", pool_size=1
    )
    try:
        yield datastore
    finally:
        datastore.close()


@contextmanager
def _sealing(dsn: str, seal: Callable[[str, StopEvent], None]) -> Iterator[None]:
    """Run a sealer in a process of its own, as in production."""
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    sealer = context.Process(target=seal, args=(dsn, stop))
    sealer.start()
    try:
        yield
    finally:
        stop.set()
        sealer.join()


def _seal(dsn: str, stop: StopEvent) -> None:
    with Pool(dsn, size=1) as pool:
        Sealer(pool, BOOK, grow=None).run(stop)


def _seal_and_sign(dsn: str, stop: StopEvent) -> None:
    log_to_stderr(quiet=True)
    with TemporaryDirectory(prefix="coverledger-bench.") as folder, Pool(dsn, size=1) as pool:
        signer = Signer(pool, BOOK, SigningFiles(Path(folder) / "signing.key"))
        Sealer(pool, BOOK, signer=signer).run(stop)


def _pgbench_script(pool: Pool) -> str:
    """Write the append's own text for pgbench: one message, new ids each time, all else as it stands."""
    store = EventStore(pool, MasterKeys.generate())
    ledger = Ledger(store, Books(pool), BOOK, pool)
    commit = _commit(store, "CL-MODEL", "cmd-MODEL", {})
    [event] = commit.events
    here = stream_id(BOOK, event.stream)
    stored = LedgerMapper(ledger.construct_transcoder()).to_stored_event(
        replace(event, version=1, originator_id=here, correlation_id=stream_id(BOOK, contract_ref("CC-1")))
    )
    statement = append_statement(commit, [stored], {}, {})
    with pool.connection() as connection, connection.cursor() as cursor:
        text = cursor.mogrify(statement.text, statement.parameters).decode()
    for model, fresh in (
        (f"'{here}'", "gen_random_uuid()"),
        (f"'{event.event_id}'", "gen_random_uuid()"),
        ("cmd-MODEL", "cmd-:client_id-:fresh"),
    ):
        if model not in text:
            raise LookupError(model)
        text = text.replace(model, fresh)
    return "\\set fresh random(1, 9000000000000000000)\n" + text.replace(";", " \\;\n") + ";\n"
