"""Many programs at once, each with a connection of its own, that start together and stop after a time."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier

Work = Callable[[float], int]
"""Works until the given instant of the monotonic clock; returns how much it did."""


def rate_of(size: int, seconds: float, make: Callable[..., Work], *arguments: object) -> float:
    """Let `size` processes work for `seconds`; what all of them did together, per second.

    `make(place, *arguments)` opens what a worker needs, outside the measured time; `place` counts from 0.
    """
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(size)
    results: multiprocessing.SimpleQueue[int] = context.SimpleQueue()
    workers = [
        context.Process(target=_worker, args=(barrier, results, seconds, make, place, arguments))
        for place in range(size)
    ]
    for worker in workers:
        worker.start()
    done = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    if min(done) < 0:
        message = "a worker failed: its error stands above"
        raise RuntimeError(message)
    return sum(done) / seconds


def _worker(  # noqa: PLR0913, PLR0917 - the target of a process, called by name nowhere
    barrier: Barrier,
    results: "multiprocessing.SimpleQueue[int]",
    seconds: float,
    make: Callable[..., Work],
    place: int,
    arguments: tuple[object, ...],
) -> None:
    done = -1
    try:
        work = make(place, *arguments)
        barrier.wait(60)
        done = work(time.monotonic() + seconds)
    finally:
        results.put(done)
