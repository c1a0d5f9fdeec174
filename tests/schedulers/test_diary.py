"""The diary: it names every stream to which time will owe something, at the instant that the domain says."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from desk_histories import feed, record

from ledger.domain.deciding import State, fold, next_instant
from ledger.domain.identifiers import StreamRef
from ledger.feed.followers import FollowerRunner
from ledger.wiring import Wiring
from schedulers.diary.follower import NAME, Diary
from schedulers.diary.queries import Appointment, appointments, count_due, due_by


def owed(wiring: Wiring) -> dict[StreamRef, datetime]:
    """When time will next owe each stream something, by the domain alone."""
    states: dict[StreamRef, State | None] = {}
    for event in feed(wiring):
        states[event.stream] = fold(states.get(event.stream), event.recorded)
    instants = {ref: next_instant(state) for ref, state in states.items() if state is not None}
    return {ref: instant for ref, instant in instants.items() if instant is not None}


def diarised(wiring: Wiring) -> list[Appointment]:
    with wiring.pool.connection() as connection:
        return appointments(connection, wiring.book)


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_the_diary_holds_what_the_domain_says_whatever_the_batches(simulated: Wiring, seed: int) -> None:
    random = Random(seed)  # noqa: S311  # batches are no secrets
    record(simulated, seed)
    with simulated.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("delete from schedulers.diary")
        cursor.execute("update ledger.followers set position = -1 where name = %s", (NAME,))
    runner = FollowerRunner(simulated.pool, simulated.book, Diary(simulated.book), batch=3)
    while runner.catch_up(random.randint(1, 7)):
        pass

    entries = diarised(simulated)
    assert {entry.stream: entry.due_at for entry in entries} == owed(simulated)
    assert [(entry.due_at, entry.stream.name) for entry in entries] == sorted(
        (entry.due_at, entry.stream.name) for entry in entries
    )


def test_the_diary_is_paged_without_losing_a_stream(simulated: Wiring) -> None:
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
