"""Five simulated years, lived day by day: events and due rows are those of the second reading.

100 contracts; all 1,000 with FAULTS_FULL=1. The run time and the rate are printed (`pytest -s`).
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

import pytest
from five_years import FIRST, LAST, lines

from fixtures.program import Program
from ledger.app import App
from ledger.command_envelope import Submission, submission
from ledger.domain.calendar import brussels_midnight
from oracle.agreement import answers_agree, first_row_apart
from oracle.effects import effects_of_time
from oracle.reading import Book
from schedulers.sweep import sweep

CONTRACTS = 1_000 if os.environ.get("FAULTS_FULL") == "1" else 100


def done_by_time(wiring: App) -> "Counter[tuple[str, str, date]]":
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select stream, type, effective_on from ledger.events where book = %s and actor = 'time'",
            (wiring.book,),
        )
        return Counter(cursor.fetchall())


@pytest.mark.test_all
def test_five_years_lived_week_by_week_are_what_the_second_reading_says(
    simulated: App, program: Program
) -> None:
    told, chance = lines(CONTRACTS), Random(7)  # noqa: S311  # portions are no secrets
    begun = time.monotonic()
    ours = [simulated.ledger.submit(taken) for taken in lived(simulated, told, chance)]
    simulated.books.move_clock(simulated.book, brussels_midnight(LAST))
    sweep(simulated, brussels_midnight(LAST))
    simulated.catch_up()
    seconds = time.monotonic() - begun

    book = Book()
    theirs = [book.submit(line) for line in told]
    book.advance(LAST)
    apart = [
        (our, their)
        for our, their in zip(ours, theirs, strict=True)
        if not answers_agree(our.as_json(), their)
    ]
    assert apart == []
    assert done_by_time(simulated) == effects_of_time(book)
    printed = program.rows("due", "--book", simulated.book)
    assert first_row_apart("due", printed, book.due()) is None

    time_events = sum(effects_of_time(book).values())
    rate = (len(told) + time_events) / seconds
    sys.stdout.write(
        f"\nfive years of {CONTRACTS:,} contracts: {len(told):,} commands and {time_events:,} effects of time"
        f" in {seconds:.1f} s ({rate:,.0f} a second), {len(printed):,} due rows\n"
    )
    assert time_events > 5 * CONTRACTS


def lived(wiring: App, told: list[dict[str, object]], chance: Random) -> Iterator[Submission]:
    """Give the commands at their own time; in between, at odd moments, the schedulers sweep."""
    swept = FIRST
    for line in told:
        at = datetime.fromisoformat(str(line["at"]))
        while swept + timedelta(days=7) < at.date():
            swept += timedelta(days=chance.randint(1, 7))
            wiring.books.move_clock(wiring.book, brussels_midnight(swept))
            sweep(wiring, brussels_midnight(swept))
        yield submission(
            str(line["command_id"]),
            str(line["command"]),
            line["data"],  # type: ignore[arg-type] # a dictionary
            at=at,
            may_backdate=True,
        )
