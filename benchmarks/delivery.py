"""Webhooks: deliveries per second to receivers on this machine, and how soon a recorded event is received."""

import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Event as StopEvent
from threading import Thread

from aiohttp import web

from benchmarks.book import BOOK, home, import_rate
from coverledger.composition import opened
from ledger.app import App
from ledger.command_envelope import Submission, submission
from ledger.webhooks.dispatcher import Dispatcher, DispatchSettings
from ledger.webhooks.subscriptions import Subscriptions

RECEIVERS = 4
LONGEST_SECONDS = 600.0
PACED_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class DeliveryRates:
    """What was measured."""

    events: int
    to_one_per_second: float
    to_four_per_second: float
    """All four together."""
    commit_to_receipt_ms: tuple[float, float]
    """p50 and p99, from a command's answer to the receiver, sealing included, at 50 commands/s."""


def delivery_rates(copies: int, seconds: float) -> DeliveryRates:
    """Deliver a book of so many sample books to one receiver, then to four; then events as they come."""
    with home() as settings, _receivers() as receivers:
        import_rate(copies)
        with opened(BOOK, settings) as wiring:
            subscriptions = Subscriptions(wiring.pool, wiring.webhook_secrets, BOOK, allow_private=True)
            events, one = _rate(wiring, subscriptions, receivers[:1])
            _, four = _rate(wiring, subscriptions, receivers)
            latencies = _latencies(wiring, subscriptions, receivers[0], seconds)
    centiles = statistics.quantiles(latencies, n=100)
    return DeliveryRates(events, one, four, (1_000 * centiles[49], 1_000 * centiles[98]))


@dataclass(frozen=True, slots=True)
class _Receiver:
    url: str
    times: Connection
    """Asked for, it gives (subject, seconds of the monotonic clock) of all that came since the last time."""


@contextmanager
def _receivers() -> Iterator[list[_Receiver]]:
    """Run receivers, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receivers, processes = [], []
    for _ in range(RECEIVERS):
        ours, theirs = context.Pipe()
        process = context.Process(target=_receive, args=(theirs,), daemon=True)
        process.start()
        processes.append(process)
        receivers.append(_Receiver(f"http://127.0.0.1:{ours.recv()}/hook", ours))
    try:
        yield receivers
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _receive(asked: Connection) -> None:
    asyncio.run(_serve(asked))


async def _serve(asked: Connection) -> None:
    came: list[tuple[str, float]] = []

    async def hook(request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        came.append((event["subject"], time.monotonic()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    asked.send(runner.addresses[0][1])
    while True:
        if asked.poll():
            asked.recv()
            asked.send(came[:])
            came.clear()
        await asyncio.sleep(0.01)


@contextmanager
def _dispatching(wiring: App) -> Iterator[None]:
    stop = StopEvent()
    dispatch = Dispatcher(wiring.pool, wiring.webhook_secrets, BOOK, DispatchSettings(allow_private=True))
    thread = Thread(target=lambda: asyncio.run(dispatch.deliver(stop.is_set)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _rate(wiring: App, subscriptions: Subscriptions, receivers: Sequence[_Receiver]) -> tuple[int, float]:
    """Deliver the whole feed to each receiver; events in it, and deliveries per second of all together."""
    names = [f"r{number}" for number in range(len(receivers))]
    for name, receiver in zip(names, receivers, strict=True):
        subscriptions.add_webhook(name, receiver.url, after=-1)
    events = subscriptions.one(names[0]).lag
    begin = time.perf_counter()
    with _dispatching(wiring):
        _wait(lambda: all(standing.lag == 0 for standing in subscriptions.all()))
        took = time.perf_counter() - begin
    for name in names:
        subscriptions.remove(name)
    return events, events * len(names) / took


def _latencies(wiring: App, subscriptions: Subscriptions, receiver: _Receiver, seconds: float) -> list[float]:
    """Record commands at a steady pace; seconds from each answer to its first event's arrival."""
    subscriptions.add_webhook("paced", receiver.url, types=["contract.ContractStarted"])
    _ask(receiver)
    stop = StopEvent()
    sealing = Thread(target=wiring.sealer.run, args=(stop,))
    sealing.start()
    answered: dict[str, float] = {}
    arrived: dict[str, float] = {}
    with _dispatching(wiring):
        begin = time.monotonic()
        for number in range(int(seconds * PACED_PER_SECOND)):
            time.sleep(max(0.0, begin + number / PACED_PER_SECOND - time.monotonic()))
            wiring.ledger.submit(_start(number))
            answered[f"contract/PACED-{number}"] = time.monotonic()

        def all_arrived() -> bool:
            arrived.update(_ask(receiver))
            return arrived.keys() == answered.keys()

        _wait(all_arrived)
    stop.set()
    wiring.sealer.wake()
    sealing.join()
    return [arrived[subject] - answered[subject] for subject in answered]


def _start(number: int) -> Submission:
    fields = {
        "contract": f"PACED-{number}",
        "product": "cyber-care",
        "starts_on": "2026-01-01",
        "policyholder": {"person": f"P-PACED-{number}", "name": "Ada Peeters"},
    }
    return submission(f"paced-{number}", "StartContract", fields)


def _ask(receiver: _Receiver) -> list[tuple[str, float]]:
    receiver.times.send(None)
    came: list[tuple[str, float]] = receiver.times.recv()
    return came


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while not done():
        if time.monotonic() > until:
            message = "the deliveries came to no end"
            raise TimeoutError(message)
        time.sleep(0.05)
