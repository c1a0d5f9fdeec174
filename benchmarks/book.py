"""A whole book through the embedded ledger: the import, the views, commands one by one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.crowd import Work, rate_of
from benchmarks.sample import sample_lines, write_book
from coverledger.composition import opened
from ledger.app import App
from ledger.command_envelope import Submission, submission
from ledger.config import Settings

BOOK = "cyber-care"
VIEWS = ("limits", "due")


@contextmanager
def home() -> Iterator[Settings]:
    """Make a ledger's home that goes when the block ends, with a Postgres that runs all the while."""
    with TemporaryDirectory(prefix="ledger-bench-") as folder:
        os.environ["COVERLEDGER_HOME"] = folder
        settings = Settings.load()
        try:
            with opened(BOOK, settings):
                yield settings
        finally:
            _remove(Path(folder))


def import_rate(copies: int) -> tuple[float, int]:
    """Commands per second of `coverledger import` from its start to its end, sealing included; how many."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "book.jsonl"
        commands = write_book(file, copies)
        begin = time.perf_counter()
        done = subprocess.run(
            [Path(sys.executable).with_name("coverledger"), "import", str(file), "--until", "2026-03-01"],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        took = time.perf_counter() - begin
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)
    return commands / took, commands


def views_rate(wiring: App) -> tuple[float, int]:
    """Events per second while limits and due are built from the feed's beginning; how many."""
    events = 0
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger.log where book = %s", (BOOK,))
        events = cursor.fetchone()[0]
    begin = time.perf_counter()
    wiring.catch_up(*VIEWS)
    return events / (time.perf_counter() - begin), events


def commands_rate(writers: int, seconds: float, batch: int = 1) -> float:
    """Commands per second, submitted by `writers` programs, a sealer beside them.

    `batch`: commands that are submitted together; 1: one by one.
    """
    return rate_of(writers, seconds, _submitter, batch, next(_series))


_series = count(1)
"""Each measurement has numbers of its own: the book keeps what was submitted before."""


def _submitter(place: int, batch: int, series: int) -> Work:
    stack = ExitStack()
    wiring = stack.enter_context(opened(BOOK))

    def work(until: float) -> int:
        done = 0
        with stack:
            commands = _commands(100_000 * (place + 1) + 1_000 * series)
            while time.monotonic() < until:
                if batch == 1:
                    wiring.ledger.submit(next(commands))
                else:
                    wiring.ledger.submit_many(list(islice(commands, batch)))
                done += batch
        return done

    return work


def _commands(copy: int) -> Iterator[Submission]:
    """Yield the sample book's commands, copy after copy, without an end."""
    for number in count(copy):
        for text in sample_lines(number):
            line = json.loads(text)
            yield submission(
                line["command_id"],
                line["command"],
                line["data"],
                at=datetime.fromisoformat(line["at"]),
                actor=line["actor"],
                may_backdate=True,
            )


def _remove(folder: Path) -> None:
    from ledger.postgres import EmbeddedPostgres  # noqa: PLC0415 - only to clean up

    EmbeddedPostgres(folder).remove()
