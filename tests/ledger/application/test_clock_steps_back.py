"""A clock that is set back: commands that name no instant go on, or wait until it is right again."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from random import Random

import psycopg2
import pytest

from fixtures.database import Database, execute
from fixtures.desk import asked, claim, contract, send
from fixtures.moved_clock import MovedClock
from fixtures.program import CommandLine
from fixtures.served import serving
from fixtures.visited import form_in, visiting
from ledger.app import App
from ledger.errors import ClockBehind

FAR = timedelta(hours=2)
ADVICE = {"claim": "K-1", "topics": ["passwords"]}

Back = Callable[[timedelta], None]


@pytest.fixture
def back(clock: MovedClock, wiring: App) -> Back:
    """Sets the clock back, behind a contract and its claim that were recorded just now."""
    for name, fields in (("StartContract", contract()), ("OpenClaim", claim())):
        assert send(wiring, name, fields).status == "recorded"
    return lambda by: clock.set(clock.now() - by)


def instants(database: Database) -> dict[str, list[datetime]]:
    """The `at` of every stream's events, in order of recording."""
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select stream, at from ledger.events order by stream, version")
        found: dict[str, list[datetime]] = {}
        for stream, at in cursor.fetchall():
            found.setdefault(stream, []).append(at)
        return found


@pytest.mark.parametrize("seconds", [0.3, 4.0])
def test_fault_14_a_clock_that_steps_back_a_little_refuses_nothing(
    back: Back, wiring: App, database: Database, seconds: float
) -> None:
    last = instants(database)["claim/K-1"][-1]
    back(timedelta(seconds=seconds))

    assert send(wiring, "GiveAdvice", ADVICE, may_backdate=False).status == "recorded"
    assert send(wiring, "OpenClaim", claim("K-2"), may_backdate=False).status == "recorded"
    assert instants(database)["claim/K-1"][-1] == last
    assert instants(database)["claim/K-2"] == [instants(database)["contract/CC-1"][-1]]


def test_fault_14_a_clock_that_steps_back_far_is_waited_for_and_nothing_is_remembered(
    back: Back, wiring: App, clock: MovedClock, database: Database
) -> None:
    before = instants(database)
    right = clock.now()
    back(FAR)
    command = asked("GiveAdvice", ADVICE, command_id="advice", may_backdate=False)
    for attempt in (wiring.ledger.submit, wiring.ledger.submit, wiring.ledger.dry_run):
        with pytest.raises(
            ClockBehind, match=r"7,\d\d\d s before the last event of claim/K-1: .* send .* again"
        ):
            attempt(command)
    # Another claim's contract counts as well: what is decided on two streams is after both.
    with pytest.raises(ClockBehind, match="contract/CC-1"):
        send(wiring, "OpenClaim", claim("K-2"))
    assert instants(database) == before
    # What the clock is not behind of goes on.
    assert send(wiring, "StartContract", contract("CC-9")).status == "recorded"

    clock.set(right + timedelta(seconds=1))
    assert wiring.ledger.submit(command).status == "recorded"
    assert wiring.ledger.submit(command).status == "repeated"


def test_fault_14_an_instant_that_somebody_names_is_still_refused_for_good(
    back: Back, wiring: App, clock: MovedClock
) -> None:
    at = (clock.now() - timedelta(days=1)).isoformat()
    answers = [send(wiring, "GiveAdvice", ADVICE, at, command_id="early") for _ in range(2)]
    assert [(answer.status, answer.first_code or answer.code) for answer in answers] == [
        ("refused", "OUT_OF_ORDER"),
        ("repeated", "OUT_OF_ORDER"),
    ]
    back(FAR)
    assert send(wiring, "GiveAdvice", ADVICE, clock.now().isoformat(), command_id="b").code == "OUT_OF_ORDER"


def test_fault_14_over_http_and_on_the_site_a_clock_that_is_behind_is_a_503(
    back: Back, wiring: App, clock: MovedClock
) -> None:
    right = clock.now()
    with serving(wiring) as served, visiting(served, "back_office") as desk:
        wiring.catch_up()
        page = form_in(desk.get("/claims/K-1").text, "GiveAdvice") | {"topics": "passwords"}
        back(FAR)
        for role in ("back_office", "admin", "admin"):
            answer = served.command("GiveAdvice", ADVICE, "advice", role)
            assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
            assert answer.headers["retry-after"]
            assert "clock" in answer.json()["detail"]
        shown = desk.post("/commands/GiveAdvice", page)
        assert (shown.status_code, "clock stands before" in shown.text) == (503, True)
        dutch = desk.post("/commands/GiveAdvice", page, **{"Accept-Language": "nl"})
        assert (dutch.status_code, "De klok van het grootboek" in dutch.text) == (503, True)

        clock.set(right + timedelta(seconds=1))
        assert desk.post("/commands/GiveAdvice", page).status_code == 303
        assert served.command("GiveAdvice", ADVICE, "advice", "back_office").status_code == 201
        assert served.command("GiveAdvice", ADVICE, "advice", "admin").status_code == 201


def test_fault_14_on_the_command_line_it_ends_with_3_in_one_line(
    clock: MovedClock, command_line: CommandLine
) -> None:
    words = ("submit", "GiveNotice", '{"contract": "CC-1", "received_on": "2026-01-02", "channel": "email"}')
    start = contract(starts_on="2025-01-01")
    assert command_line("submit", "StartContract", json.dumps(start)).exit_code == 0
    right = clock.now()
    clock.set(right - FAR)
    for more in ((), ("--dry-run",), ("--json",)):
        typed = command_line(*words, "--id", "notice", *more)
        assert (typed.exit_code, typed.out, len(typed.err.splitlines())) == (3, "", 1), typed
    clock.set(right - timedelta(seconds=2))
    assert command_line(*words, "--id", "notice", "--json").json["status"] == "recorded"


def test_fault_14_time_acts_once_whatever_its_clock_does(
    clock: MovedClock, wiring: App, database: Database
) -> None:
    right = clock.now()
    assert send(wiring, "StartContract", contract(starts_on="2026-01-01")).status == "recorded"
    clock.set(right + timedelta(days=400))
    wiring.sweep(clock.now())
    ahead = instants(database)
    assert len(ahead["contract/CC-1"]) > 1  # renewed, by a clock that was wrong
    clock.set(right)
    for _ in range(2):
        assert wiring.sweep(clock.now()) == 0
    with pytest.raises(ClockBehind):
        send(wiring, "GiveNotice", {"contract": "CC-1", "received_on": "2026-01-02", "channel": "email"})
    assert instants(database) == ahead


def test_fault_14_a_simulated_book_has_no_clock_that_is_wrong(simulated: App, database: Database) -> None:
    send(simulated, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    send(simulated, "OpenClaim", claim(), "2026-03-01T09:00:00+01:00")
    # As left by a program that ended between a command and the move of the clock.
    execute(database.superuser_dsn, "update ledger.books set clock_at = '2026-01-01T08:00:00Z'")

    assert send(simulated, "GiveAdvice", ADVICE).status == "recorded"
    assert simulated.book_row().clock_at == instants(database)["claim/K-1"][-1]
    assert len(set(instants(database)["claim/K-1"])) == 1


def test_fault_14_a_clock_that_jumps_never_refuses_and_never_turns_a_stream_round(
    back: Back, wiring: App, clock: MovedClock, database: Database
) -> None:
    chance = Random(14)  # noqa: S311  # faults, not secrets
    del back
    waits = taken = 0
    for step in range(40):
        jump = chance.choice((-7200, -30, -8, -3, -0.3, 0, 0.3, 3, 30, 7200))
        clock.set(clock.now() + timedelta(seconds=jump))
        name, fields = ("GiveAdvice", ADVICE) if step % 2 else ("OpenClaim", claim(f"K-{step}0"))
        needed = ("claim/K-1",) if step % 2 else ("contract/CC-1",)
        ahead = max(instants(database)[stream][-1] for stream in needed) - clock.now()
        try:
            answer = send(wiring, name, fields, command_id=f"step-{step}", may_backdate=False)
        except ClockBehind:
            assert ahead > timedelta(seconds=4)
            waits += 1
        else:
            assert ahead < timedelta(seconds=6)
            assert answer.status == "recorded", answer
            taken += 1
        for stream in instants(database).values():
            assert stream == sorted(stream)
    assert waits > 5
    assert taken > 5
