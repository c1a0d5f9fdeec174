"""The supervisor: whatever a service does, it comes back, and how it is can be seen."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as StopEvent

import psycopg2
import pytest
from psycopg2.errors import DiskFull

from ledger.feed.followers import GapFound
from ledger.proofs.errors import LogForked
from ledger.store.errors import DatabaseUnavailable
from ledger.supervision import (
    ServiceState,
    States,
    Supervised,
    Supervisor,
    halts,
    lost,
    moved,
    rest,
    told_of,
)

WAIT_SECONDS = 10.0


def wait_for(condition: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < WAIT_SECONDS
        time.sleep(0.005)


@contextmanager
def supervised(
    serve: Callable[[StopEvent], None], *, longest_pause: float = 0.1, still_seconds: float = 30.0
) -> Iterator[States]:
    """A service `it` at work until the block ends, then ended."""
    stop, states = StopEvent(), States()
    supervisor = Supervisor(
        [Supervised("it", serve, matters=True)],
        stop,
        states,
        longest_pause=longest_pause,
        still_seconds=still_seconds,
    )
    supervisor.start()
    try:
        yield states
    finally:
        stop.set()
        assert supervisor.join(WAIT_SECONDS) == []
    assert [state.state for state in states.all()] == ["stopped"]


def the(states: States) -> ServiceState:
    [state] = states.all()
    return state


class Failing:
    """Fails so many times, each time otherwise, and then serves."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.errors = list(errors)
        self.begun_at: list[float] = []

    def __call__(self, stop: StopEvent) -> None:
        self.begun_at.append(time.monotonic())
        if self.errors:
            error = self.errors.pop(0)
            if error is None:
                return  # by itself: that ends no service either
            raise error
        while not rest(stop, 0.01):
            pass


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a defect"),
        psycopg2.OperationalError("server closed the connection unexpectedly"),
        psycopg2.InterfaceError("connection already closed"),
        LogForked("the log does not extend what was signed"),
        MemoryError(),
        RecursionError(),
        SystemExit(3),
        None,
    ],
    ids=lambda error: type(error).__name__,
)
def test_fault_4_no_error_of_any_kind_ends_a_service(error: BaseException | None) -> None:
    with supervised(Failing(error, error)) as states:
        wait_for(lambda: the(states).state == "running")
        assert the(states).restarts == 2
        assert the(states).error is not None


def test_its_pauses_grow_to_the_longest_and_no_further() -> None:
    failing = Failing(*[RuntimeError()] * 6)
    with supervised(failing, longest_pause=0.4) as states:
        wait_for(lambda: the(states).state == "running")
    pauses = [after - before for before, after in zip(failing.begun_at, failing.begun_at[1:], strict=False)]
    assert [pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.4, 0.4, 0.4), strict=True)] == [
        True
    ] * 6
    assert max(pauses) < 2.0


def test_until_it_has_moved_again_a_service_that_failed_is_not_said_to_run() -> None:
    may_go = StopEvent()

    def serve(stop: StopEvent) -> None:
        if not may_go.is_set():
            may_go.wait(0.05)
            raise RuntimeError
        while not rest(stop, 0.01):
            pass

    with supervised(serve) as states:
        wait_for(lambda: the(states).restarts >= 3)
        for _ in range(50):
            assert the(states).state == "waiting"
            time.sleep(0.002)
        since = the(states).since
        may_go.set()
        wait_for(lambda: the(states).state == "running")
        assert the(states).since > since


def test_fault_5_one_that_does_not_move_is_stuck_and_one_that_rests_is_not() -> None:
    hangs, goes_on = StopEvent(), StopEvent()

    def serve(stop: StopEvent) -> None:
        rest(stop, 0.5)  # longer than it may be still
        hangs.set()
        goes_on.wait(WAIT_SECONDS)
        while not rest(stop, 0.01):
            pass

    with supervised(serve, still_seconds=0.2) as states:
        while not hangs.is_set():
            assert the(states).state in {"starting", "running"}
            time.sleep(0.01)
        wait_for(lambda: the(states).state == "stuck")
        assert not the(states).is_well
        goes_on.set()
        wait_for(lambda: the(states).state == "running")


def test_one_that_hangs_from_its_start_is_stuck_too_and_one_with_nothing_to_do_is_idle() -> None:
    goes_on = StopEvent()

    def serve(stop: StopEvent) -> None:
        goes_on.wait(WAIT_SECONDS)
        rest(stop)

    with supervised(serve, still_seconds=0.1) as states:
        wait_for(lambda: the(states).state == "stuck")
        goes_on.set()
        wait_for(lambda: the(states).state == "idle")
        assert (the(states).is_well, the(states).moved) == (True, None)


def test_a_part_that_halts_shows_until_it_goes_on() -> None:
    again = StopEvent()

    def serve(stop: StopEvent) -> None:
        halts("limits", GapFound("position 7 is missing"))
        while not stop.wait(0.01):
            if again.is_set():
                halts("limits", None)
            moved()

    with supervised(serve) as states:
        wait_for(lambda: the(states).state == "halted")
        assert the(states).error == "limits: GapFound: position 7 is missing"
        assert not the(states).is_well
        again.set()
        wait_for(lambda: the(states).state == "running")


def test_outside_of_a_service_nobody_needs_to_hear_that_it_moves() -> None:
    moved()
    halts("x", RuntimeError())
    assert rest(StopEvent(), 0.0) is False


def test_fault_8_what_is_told_of_an_error_quotes_nothing_of_what_was_worked_on() -> None:
    class Refused(DiskFull):
        pgcode = "53100"

    told = [
        told_of(ValueError("Ada Peeters")),
        told_of(DatabaseUnavailable("connection to server at 10.0.0.7 as user ada failed")),
        told_of(psycopg2.errors.InvalidTextRepresentation('invalid input syntax: "Ada Peeters"')),
        told_of(Refused("could not extend file")),
        told_of(PermissionError(13, "Permission denied", "/home/ada/letters")),
        told_of(UnicodeEncodeError("ascii", "王小明", 0, 1, "no")),
    ]
    assert told == [
        "ValueError",
        "DatabaseUnavailable: the database is away",
        "InvalidTextRepresentation (SQLSTATE None)",
        "Refused: the database's disk is full",
        "PermissionError: Permission denied",
        "UnicodeEncodeError",
    ]


def test_a_state_goes_through_json_and_is_lost_with_its_process() -> None:
    with supervised(Failing(RuntimeError())) as states:
        wait_for(lambda: the(states).state == "running")
        told = the(states)
    read = ServiceState.from_json("it", json.loads(json.dumps(told.as_json())))
    assert (read.state, read.since, read.restarts, read.error) == ("running", told.since, 1, "RuntimeError")
    [gone] = lost([read], "companion: exit code -9")
    assert (gone.state, gone.error) == ("stopped", "companion: exit code -9")
    assert lost([gone], "companion: exit code -9") == [gone]
