"""HTTP: commands per second and their latency, from commit to a listener, and many listeners at once.

The server is `coverledger up` as it is run, with its companion; whoever calls it are programs of their own.
"""

import asyncio
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import NamedTuple, TypeVar

import psutil

from coverledger.composition import opened
from ledger.command_envelope import submission
from ledger.domain.identifiers import contract_ref
from ledger.store.feed import feed_end

PROGRAM = Path(sys.executable).with_name("coverledger")
BOOK = "cyber-care"
COMMANDS_A_CLAIM = 10
RECORDERS = 16
PATIENCE_SECONDS = 10
LONG_AGO = "2019-01-01"
MEGABYTE = 1 << 20

T = TypeVar("T")
Record = Callable[["Up", int, float], None]
Client = Callable[["Up", int, float], Coroutine[None, None, list[float]]]


class Latencies(NamedTuple):
    """How many a second, and how long each took, in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float


class Listeners(NamedTuple):
    """Many listeners at once, in rounds: the server's memory in megabytes, and what each of them got."""

    before_mb: float
    connected_mb: Sequence[float]
    """With all of them connected, in each round."""
    after_mb: Sequence[float]
    """After each round, when they have gone."""
    events: int
    """Sent to each, in all rounds."""
    missed: int
    """By all of them together."""


@dataclass(frozen=True, slots=True)
class Up:
    """A running ledger."""

    port: int
    token: str
    pid: int

    @property
    def memory_mb(self) -> float:
        """What the process holds that serves callers."""
        return float(psutil.Process(self.pid).memory_info().rss / MEGABYTE)

    @property
    def companion_mb(self) -> float:
        """What the process holds that follows."""
        return float(self._companion().memory_info().rss / MEGABYTE)

    @property
    def cpu_seconds(self) -> float:
        """What both processes have computed, without Postgres."""
        spent = [one.cpu_times() for one in (psutil.Process(self.pid), self._companion())]
        return float(sum(one.user + one.system for one in spent))

    def _companion(self) -> psutil.Process:
        [companion] = [
            child for child in psutil.Process(self.pid).children() if "coverledger.worker" in child.cmdline()
        ]
        return companion


@contextmanager
def running() -> Iterator[Up]:
    """Run `up` on the home that the environment names, and give a token that may do anything."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [PROGRAM, "up", "--port", str(port)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as up:
        if up.stderr is None:
            raise RuntimeError(words)
        said = up.stderr.fileno()
        text = b""
        while b"\nReady" not in text:
            more = os.read(said, 4096)
            if not more:
                raise RuntimeError(text)
            text += more
        # What it says of each request must be read, or it would wait to be.
        reading = multiprocessing.get_context("fork").Process(target=_read_on, args=(said,))
        reading.start()
        try:
            yield Up(port, _token(), up.pid)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(30)
            reading.terminate()
            reading.join()


def commands_over_http(up: Up, clients: int, seconds: float) -> Latencies:
    """Send commands as fast as they are answered, each client one after the other.

    Each client opens a claim of its own and gives advice on it, ten commands a claim; an answer counts with
    the wait for its seal.
    """
    taken = _apart(_crowd(_send_commands, up, clients, seconds))
    return _latencies(taken, seconds)


def delivery(up: Up, events_a_second: int, seconds: float, record: Record) -> Latencies:
    """Record at this pace and listen: from an event's `time` to when a listener has it.

    `time` is read as the command's streams are: deciding and committing are part of what is measured.
    """
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=record, args=(up, events_a_second, seconds))
    writer.start()
    taken = _apart(lambda: asyncio.run(_listen(up, seconds)))
    writer.join()
    return _latencies(taken, seconds)


def many_listeners(up: Up, listeners: int, rounds: int, seconds: float) -> Listeners:
    """Let so many listen while events are recorded, and go, and come again; whether each got all of them."""
    before = up.memory_mb
    told = [_round(up, listeners, seconds) for _ in range(rounds)]
    connected, after, sent, missed = zip(*told, strict=True)
    return Listeners(before, connected, after, sum(sent), sum(missed))


def _round(up: Up, listeners: int, seconds: float) -> tuple[float, float, int, int]:
    """One crowd: memory while it is connected and after it has gone, events sent to each, missed by all."""
    context = multiprocessing.get_context("fork")
    connected, results, end = context.Event(), context.SimpleQueue(), context.Value("q", -1)

    def listen() -> None:
        async def all_of_them() -> list[int]:
            streams = [await _open_stream(up) for _ in range(listeners)]
            connected.set()
            return await asyncio.gather(*(_counted(stream[0], end) for stream in streams))

        results.put(asyncio.run(all_of_them()))

    crowd = context.Process(target=listen)
    crowd.start()
    connected.wait(60)
    held, begun_at = up.memory_mb, _feed_end()
    record_long_ago(up, 100, seconds)
    end.value = _feed_end()
    got = results.get()
    crowd.join()
    time.sleep(1)  # until the server has seen that they have gone
    sent = int(end.value) - begun_at
    return held, up.memory_mb, sent, sum(sent - one for one in got)


async def _counted(reader: asyncio.StreamReader, end: "Synchronized[int]") -> int:
    """Count the events that come, until that of the feed's end has, or none for some seconds."""
    count, position = 0, -1
    while end.value < 0 or position < end.value:
        try:
            line = await asyncio.wait_for(reader.readline(), PATIENCE_SECONDS)
        except TimeoutError:
            break
        if line.startswith(b"data: "):
            count, position = count + 1, int(json.loads(line[6:])["sequence"])
    return count


def _feed_end() -> int:
    with opened(BOOK) as wiring, wiring.pool.connection() as connection:
        return feed_end(connection, BOOK)


def _read_on(descriptor: int) -> None:
    while os.read(descriptor, 1 << 16):
        pass


def _token() -> str:
    words = [PROGRAM, "token", "create", "--role", "admin", "--name", "bench"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _apart(work: Callable[[], T]) -> T:
    """Work in a process of its own, so that it takes no time from ours."""
    context = multiprocessing.get_context("fork")
    results: multiprocessing.SimpleQueue[tuple[T | None, str]] = context.SimpleQueue()

    def run() -> None:
        try:
            results.put((work(), ""))
        except Exception as error:  # noqa: BLE001  # told by whoever waits for the result
            results.put((None, repr(error)))

    worker = context.Process(target=run)
    worker.start()
    found, error = results.get()
    worker.join()
    if found is None:
        raise RuntimeError(error)
    return found


def _crowd(work: Client, up: Up, clients: int, seconds: float) -> Callable[[], list[float]]:
    async def all_of_them() -> list[float]:
        until = time.monotonic() + seconds
        done = await asyncio.gather(*(work(up, place, until) for place in range(clients)))
        return [took for one in done for took in one]

    return lambda: asyncio.run(all_of_them())


async def _send_commands(up: Up, place: int, until: float) -> list[float]:
    connection = await asyncio.open_connection("127.0.0.1", up.port)
    run = f"{time.monotonic_ns():x}-{place}"
    contract = f"CC-{run}"
    await _post(connection, up, "StartContract", _contract(contract), f"{run}-start")
    taken: list[float] = []
    number = 0
    while time.monotonic() < until:
        claim = f"K-{run}-{number // COMMANDS_A_CLAIM}"
        name, fields = "GiveAdvice", {"claim": claim, "topics": ["block_card"]}
        if number % COMMANDS_A_CLAIM == 0:
            name, fields = "OpenClaim", _claim(claim, contract)
        begun = time.perf_counter()
        await _post(connection, up, name, fields, f"{run}-{number}")
        taken.append(time.perf_counter() - begun)
        number += 1
    connection[1].close()
    return taken


async def _post(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    up: Up,
    name: str,
    fields: dict[str, object],
    key: str,
) -> None:
    reader, writer = connection
    body = json.dumps(fields).encode()
    head = (
        f"POST /v1/{BOOK}/commands/{name} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {up.token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answered = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", answered)
    told = await reader.readexactly(int(length[1]) if length else 0)
    if not answered.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(answered[:80] + told[:300])


async def _open_stream(up: Up) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", up.port)
    asked = (
        f"GET /v1/{BOOK}/events/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {up.token}\r\n\r\n"
    )
    writer.write(asked.encode())
    await reader.readuntil(b"retry: ")
    return reader, writer


async def _received(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> list[float]:
    """Give, for each event that comes, the seconds since it was recorded."""
    until = time.monotonic() + seconds
    taken: list[float] = []
    while (left := until - time.monotonic()) > 0:
        try:
            line = await asyncio.wait_for(reader.readline(), left)
        except TimeoutError:
            break
        if line.startswith(b"data: "):
            recorded_at = datetime.fromisoformat(json.loads(line[6:])["time"])
            taken.append((datetime.now(UTC) - recorded_at).total_seconds())
    writer.close()
    return taken


async def _listen(up: Up, seconds: float) -> list[float]:
    return await _received(*await _open_stream(up), seconds)


def record_one_by_one(up: Up, events_a_second: int, seconds: float) -> None:
    """Give advice on claims at this pace: an event a command, as people record it."""

    async def record(up: Up, place: int, until: float) -> list[float]:
        connection = await asyncio.open_connection("127.0.0.1", up.port)
        run = f"{time.monotonic_ns():x}-{place}"
        contract, claim = f"CC-{run}", ""
        await _post(connection, up, "StartContract", _contract(contract), f"{run}-start")
        async for number in _paced(events_a_second / RECORDERS, place, until):
            name, fields = "GiveAdvice", {"claim": claim, "topics": ["block_card"]}
            if number % COMMANDS_A_CLAIM == 0:
                claim = f"K-{run}-{number}"
                name, fields = "OpenClaim", _claim(claim, contract)
            await _post(connection, up, name, fields, f"{run}-{number}")
        connection[1].close()
        return []

    _crowd(record, up, RECORDERS, seconds)()


def record_long_ago(up: Up, events_a_second: int, seconds: float) -> None:
    """Start contracts of long ago at this pace, with all that time has owed each: many events a command."""
    with opened(BOOK) as wiring:
        first = f"CC-{time.monotonic_ns():x}"
        wiring.ledger.submit(submission(first, "StartContract", _contract(first, LONG_AGO)))
        loaded = wiring.store.load_many(BOOK, [contract_ref(first)])
        pace = events_a_second / loaded.streams[contract_ref(first)].head.version / RECORDERS

    async def record(up: Up, place: int, until: float) -> list[float]:
        connection = await asyncio.open_connection("127.0.0.1", up.port)
        run = f"{time.monotonic_ns():x}-{place}"
        async for number in _paced(pace, place, until):
            contract = f"CC-{run}-{number}"
            await _post(connection, up, "StartContract", _contract(contract, LONG_AGO), contract)
        connection[1].close()
        return []

    _crowd(record, up, RECORDERS, seconds)()


async def _paced(a_second: float, place: int, until: float) -> AsyncIterator[int]:
    """Count from 0, so many times a second, until the instant of the monotonic clock."""
    # Each recorder begins at a moment of its own: in step, all would send at once, and then none.
    begun, number = time.monotonic() + place / RECORDERS / a_second, 0
    while time.monotonic() < until:
        early = begun + number / a_second - time.monotonic()
        if early > 0:
            await asyncio.sleep(min(early, 1.0))
            continue
        yield number
        number += 1


def _contract(number: str, starts_on: str = "2026-06-01") -> dict[str, object]:
    person = {"person": f"P-{number}", "name": "Ada Peeters"}
    return {"contract": number, "product": "cyber-care", "starts_on": starts_on, "policyholder": person}


def _claim(number: str, contract: str) -> dict[str, object]:
    victim = {"person": f"P-{contract}", "name": "Ada Peeters", "relation": "policyholder", "same_roof": True}
    return {
        "claim": number,
        "contract": contract,
        "guarantee": "payment",
        "cause": "fraud",
        "occurred_at": "2026-06-02",
        "channel": "phone",
        "victim": victim,
    }


def _latencies(taken: Sequence[float], seconds: float) -> Latencies:
    ordered = sorted(taken)
    p50, p99 = (1000 * ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    return Latencies(len(ordered) / seconds, p50, p99)
