"""How fast time acts: many deadlines that fall due at one midnight, swept by one scheduler and by several."""

import multiprocessing
import time
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.book import home
from coverledger.composition import opened
from ledger.app import App
from ledger.command_envelope import submission
from ledger.config import Settings
from ledger.domain.calendar import brussels_date, brussels_midnight
from schedulers.agenda import load_states
from schedulers.simulate import simulate
from schedulers.sweep import sweep

BOOK = "virtual"
MEASURED = """
select count(*), extract(epoch from max(recorded_at) - min(recorded_at))
from ledger.events where book = %s and actor = 'time'
"""


def sweep_rate(contracts: int, schedulers: int) -> tuple[float, int]:
    """Effects per second, from the first one to the last, while so many schedulers sweep; how many."""
    with home() as settings, opened(BOOK, settings, kind="simulated") as wiring:
        _start(wiring, contracts)
        until = brussels_midnight(brussels_date(wiring.now()) + timedelta(days=400))
        wiring.books.move_clock(BOOK, until)
        wiring.catch_up()
        context = multiprocessing.get_context("spawn")
        together = context.Barrier(schedulers)
        sweepers = [
            context.Process(target=_sweep, args=(str(settings.home), together)) for _ in range(schedulers - 1)
        ]
        for sweeper in sweepers:
            sweeper.start()
        together.wait(120)
        sweep(wiring, until)
        for sweeper in sweepers:
            sweeper.join()
        with wiring.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(MEASURED, (BOOK,))
            [(effects, took)] = cursor.fetchall()
    return effects / float(took), effects


def virtual_year_rate(contracts: int) -> float:
    """Contracts per second through a virtual year in memory."""
    with home() as settings, opened(BOOK, settings, kind="simulated") as wiring:
        _start(wiring, contracts)
        wiring.catch_up()
        now = wiring.now()
        with wiring.pool.connection() as connection:
            streams = load_states(connection, BOOK)
        begin = time.perf_counter()
        simulate(streams, now, now + timedelta(days=365), posts_ahead_days=20)
        return contracts / (time.perf_counter() - begin)


def _start(wiring: App, contracts: int) -> None:
    for number in range(contracts):
        fields = {
            "contract": f"CC-{number}",
            "product": "cyber-care",
            "starts_on": f"2026-{number % 6 + 1:02}-{number % 28 + 1:02}",
            "policyholder": {"person": f"P-{number}", "name": "Ada"},
        }
        answer = wiring.ledger.submit(submission(f"start-{number}", "StartContract", fields))
        if answer.said_no:
            raise RuntimeError(answer.message)


def _sweep(place: str, together: Barrier) -> None:
    with opened(BOOK, Settings.load(home=Path(place))) as wiring:
        together.wait(120)
        sweep(wiring, wiring.book_row().clock_at or wiring.now())
