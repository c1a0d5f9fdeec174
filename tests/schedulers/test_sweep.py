"""The sweep: whatever its portions, and however often it is broken off, time does the same, once."""

from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event as StopEvent
from threading import Thread

import pytest
from desk_histories import feed, record, told

from fixtures.database import Database
from fixtures.desk import contract, send
from fixtures.refused_rows import in_sql, refused_rows
from ledger.app import App
from ledger.attempts import failing, replay
from ledger.store.errors import ImportOpen
from schedulers import sweep as sweep_module
from schedulers.agenda import list_appointments
from schedulers.sweep import seconds_to_the_next, sweep, sweep_to_the_present

LATER = datetime(2037, 6, 1, tzinfo=UTC)
SEEDS = (1, 5, 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_time_cut_into_any_portions_does_what_it_does_at_once(
    simulated: App, another: App, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = record(simulated, seed)
    assert record(another, seed) == last

    at_once = sweep(simulated, LATER)
    random, until, piecemeal = Random(seed), last, 0  # noqa: S311  # portions are no secrets
    while until < LATER:
        monkeypatch.setattr(sweep_module, "PORTION", random.randint(1, 5))
        until = min(LATER, until + timedelta(hours=random.randint(1, 30_000)))
        piecemeal += sweep(another, until)

    assert at_once == piecemeal > 0
    assert told(simulated) == told(another)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sweep_that_is_broken_off_is_finished_by_the_next(
    simulated: App, another: App, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(simulated, seed)
    record(another, seed)
    sweep(another, LATER)

    monkeypatch.setattr(sweep_module, "PORTION", 1)
    stop = StopEvent()
    sweep(simulated, LATER, report=lambda done, _: stop.set() if done >= 2 else None, stop=stop)
    assert told(simulated) != told(another)
    sweep(simulated, LATER)

    assert told(simulated) == told(another)


def test_a_second_sweep_finds_nothing_to_do(simulated: App) -> None:
    record(simulated, SEEDS[0])
    assert sweep(simulated, LATER) > 0
    before = feed(simulated)

    assert sweep(simulated, LATER) == 0
    assert feed(simulated) == before


def test_two_sweeps_at_once_do_everything_once(
    simulated: App, another: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(simulated, SEEDS[1])
    record(another, SEEDS[1])
    sweep(another, LATER)
    monkeypatch.setattr(sweep_module, "PORTION", 1)

    sweepers = [Thread(target=sweep, args=(simulated, LATER)) for _ in range(4)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join()

    assert told(simulated) == told(another)


def test_progress_is_told_portion_by_portion_up_to_the_end(
    simulated: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(simulated, SEEDS[0])
    monkeypatch.setattr(sweep_module, "PORTION", 2)
    reports: list[tuple[int, int]] = []
    sweep(simulated, LATER, report=lambda done, of: reports.append((done, of)))

    assert [done for done, _ in reports] == sorted({done for done, _ in reports})
    assert reports[-1][0] == reports[-1][1]


def test_time_waits_while_an_import_is_open(simulated: App) -> None:
    record(simulated, SEEDS[0])
    simulated.books.move_clock(simulated.book, LATER)
    opened = simulated.books.open_import(simulated.book, b"\0" * 32)

    assert sweep_to_the_present(simulated) == 0
    with pytest.raises(ImportOpen):
        sweep(simulated, LATER)

    simulated.books.finish_import(simulated.book, opened.import_id)
    assert sweep_to_the_present(simulated) > 0


def test_time_waits_where_a_book_is_held_in_the_past(wiring: App) -> None:

    send(wiring, "StartContract", contract("CC-1", "2020-01-01"), "2020-01-01T09:00:00+01:00")
    wiring.books.hold(wiring.book, datetime(2020, 6, 1, tzinfo=UTC))
    assert sweep_to_the_present(wiring) == 0

    wiring.books.hold(wiring.book, None)
    assert sweep_to_the_present(wiring) > 0


def test_the_next_thing_is_awaited_by_the_databases_clock_and_not_while_time_waits(
    wiring: App, simulated: App
) -> None:
    for book in (wiring, simulated):
        send(book, "StartContract", contract("CC-1", "2026-06-01"), "2026-06-01T09:00:00+02:00")
        sweep_to_the_present(book)
        book.catch_up()
    with wiring.pool.connection() as connection:
        [entry] = list_appointments(connection, wiring.book)
    seconds = seconds_to_the_next(wiring)
    assert seconds is not None
    assert abs((entry.due_at - wiring.now()).total_seconds() - seconds) < 60
    assert seconds_to_the_next(simulated) is None

    wiring.books.hold(wiring.book, datetime(2026, 6, 1, tzinfo=UTC))
    assert seconds_to_the_next(wiring) is None


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "midnight_utc"),
    [
        (
            "2025-03-30",
            "2026-03-30",
            "2026-03-29T22:00:00+00:00",
        ),  # the night after the change to summer time
        ("2025-03-29", "2026-03-29", "2026-03-28T23:00:00+00:00"),  # the night of it
        ("2024-10-27", "2025-10-27", "2025-10-26T23:00:00+00:00"),
        ("2024-10-26", "2025-10-26", "2025-10-25T22:00:00+00:00"),
        ("2024-02-29", "2025-03-01", "2025-02-28T23:00:00+00:00"),  # a leap day has no anniversary
    ],
)
def test_time_acts_at_brussels_midnight_and_not_a_moment_before(
    simulated: App, starts_on: str, ends_on: str, midnight_utc: str
) -> None:
    midnight = datetime.fromisoformat(midnight_utc)
    send(simulated, "StartContract", contract("CC-1", starts_on), f"{starts_on}T09:00:00+02:00")
    sweep(simulated, midnight - timedelta(microseconds=1))
    before = [event.type for event in feed(simulated)]
    assert "contract.ContractRenewed" not in before
    assert sweep(simulated, midnight) == 1
    renewed = feed(simulated)[-1]
    assert (renewed.type, renewed.at, renewed.effective_on.isoformat()) == (
        "contract.ContractRenewed",
        midnight,
        ends_on,
    )


@pytest.mark.parametrize("poisoned", [["CC-2"], ["CC-1", "CC-3"]], ids=["one", "several"])
def test_fault_4_a_stream_that_cannot_be_brought_up_to_date_stops_no_other(
    simulated: App, database: Database, poisoned: list[str]
) -> None:
    numbers = {"CC-1", "CC-2", "CC-3", "CC-4"}
    for number in sorted(numbers):
        send(simulated, "StartContract", contract(number, "2025-06-01"), "2025-06-01T09:00:00+02:00")
    streams = [f"contract/{number}" for number in poisoned]
    with refused_rows(database, "ledger.events", f"new.stream in {in_sql(streams)}"):
        assert sweep(simulated, LATER) > 0
    assert failing_items(simulated) == [("deadlines", stream) for stream in streams]
    assert renewed(simulated) == {f"contract/{number}" for number in numbers} - {*streams}

    with simulated.pool.connection() as connection:
        assert replay(connection, simulated.book) == len(streams)
    assert sweep(simulated, LATER) > 0
    assert renewed(simulated) == {f"contract/{number}" for number in numbers}
    assert failing_items(simulated) == []


def failing_items(wiring: App) -> list[tuple[str, str]]:
    with wiring.pool.connection() as connection:
        return [(one.worker, one.item) for one in failing(connection, wiring.book)]


def renewed(wiring: App) -> set[str]:
    return {event.stream.name for event in feed(wiring) if event.type == "contract.ContractRenewed"}
