"""The diary: it names every stream to which time will owe something, at the instant that the domain says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from desk_histories import feed, record

from ledger.app import App
from ledger.domain.deadlines import Deadline
from ledger.domain.dispatch import State, fold, next_instant
from ledger.domain.identifiers import StreamRef
from ledger.feed.followers import FollowerRunner
from schedulers.agenda import (
    NAME,
    Agenda,
    Appointment,
    count_due,
    due_by,
    list_appointments,
    next_due_after,
    pending_deadlines,
)


def owed(wiring: App) -> dict[StreamRef, datetime]:
    """When time will next owe each stream something, by the domain alone."""
    states: dict[StreamRef, State | None] = {}
    for event in feed(wiring):
        states[event.stream] = fold(states.get(event.stream), event.recorded)
    instants = {ref: next_instant(state) for ref, state in states.items() if state is not None}
    return {ref: instant for ref, instant in instants.items() if instant is not None}


def owed_rows(wiring: App) -> list[Deadline]:
    """The rows that ask for something still, by the domain alone."""
    states: dict[StreamRef, State | None] = {}
    for event in feed(wiring):
        states[event.stream] = fold(states.get(event.stream), event.recorded)
    rows = [row for state in states.values() if state is not None for row in state.deadlines]
    return sorted(
        (row for row in rows if row.status == "open" or (row.status == "missed" and row.met_on is None)),
        key=lambda row: (row.due_on, row.subject.name, row.kind, row.seq),
    )


def standing_rows(wiring: App) -> list[Deadline]:
    with wiring.pool.connection() as connection:
        return list(pending_deadlines(connection, wiring.book))


def diarised(wiring: App) -> list[Appointment]:
    with wiring.pool.connection() as connection:
        return list_appointments(connection, wiring.book)


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_the_diary_holds_what_the_domain_says_whatever_the_batches(simulated: App, seed: int) -> None:
    random = Random(seed)  # noqa: S311  # batches are no secrets
    record(simulated, seed)
    with simulated.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("delete from schedulers.diary; delete from schedulers.deadlines")
        cursor.execute("update ledger.followers set position = -1 where name = %s", (NAME,))
    runner = FollowerRunner(simulated.pool, simulated.book, Agenda(simulated.book), batch=3)
    while runner.catch_up(random.randint(1, 7)):
        pass

    entries = diarised(simulated)
    assert {entry.stream: entry.due_at for entry in entries} == owed(simulated)
    assert [(entry.due_at, entry.stream.name) for entry in entries] == sorted(
        (entry.due_at, entry.stream.name) for entry in entries
    )
    assert standing_rows(simulated) == owed_rows(simulated) != []


def test_a_diary_kept_anew_from_the_start_is_the_same(simulated: App) -> None:
    record(simulated, 5)
    kept, rows = diarised(simulated), standing_rows(simulated)
    assert simulated.runner(NAME).start_over()
    assert (diarised(simulated), standing_rows(simulated)) == ([], [])
    simulated.catch_up(NAME)
    assert (diarised(simulated), standing_rows(simulated)) == (kept, rows)


def test_the_next_instant_is_the_first_one_after_now(simulated: App) -> None:
    record(simulated, 3)
    instants = sorted({entry.due_at for entry in diarised(simulated)})
    with simulated.pool.connection() as connection:
        for before, after in pairwise(instants):
            assert next_due_after(connection, simulated.book, before) == after
        assert next_due_after(connection, simulated.book, instants[-1]) is None


def test_the_diary_is_paged_without_losing_a_stream(simulated: App) -> None:
    record(simulated, 3)
    far = datetime(2100, 1, 1, tzinfo=UTC)
    with simulated.pool.connection() as connection:
        paged: list[Appointment] = []
        while page := due_by(connection, simulated.book, far, paged[-1] if paged else None, 1):
            paged += page
        assert paged == diarised(simulated)
        assert count_due(connection, simulated.book, far) == len(paged)
        first = paged[0].due_at
        assert due_by(connection, simulated.book, first - timedelta(microseconds=1), None, 10) == []
