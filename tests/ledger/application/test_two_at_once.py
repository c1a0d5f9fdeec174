"""Whatever runs in parallel: a limit is never exceeded (I1), a command has one effect (I10)."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from fixtures.desk import asked, contract, ready_to_accept, send
from ledger.app import App
from ledger.command_envelope import Submission
from ledger.command_handler import Answer
from ledger.domain.contract.events import LimitConsumed
from ledger.domain.identifiers import contract_ref

FULL = os.environ.get("FAULTS_FULL") == "1"
ACCEPTED_AT = "2026-02-04T09:00:00+01:00"


def both(wiring: App, first: Submission, second: Submission) -> tuple[Answer, Answer]:
    """Submit two commands at the same moment."""
    together = Barrier(2)

    def submit(command: Submission) -> Answer:
        together.wait()
        return wiring.ledger.submit(command)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(submit, (first, second))
    return one, other


def consumed_cents(wiring: App, number: str) -> int:
    loaded = wiring.store.load_many(wiring.book, [contract_ref(number)])
    (stream,) = loaded.streams.values()
    amounts = [
        recorded.event.amount_cents
        for recorded in stream.recorded
        if isinstance(recorded.event, LimitConsumed)
    ]
    return sum(amounts)


def two_acceptances_of_3000_euro(wiring: App, tries: int) -> None:
    for turn in range(tries):
        number, one, other = f"CC-{turn}", f"K-{turn}-1", f"K-{turn}-2"
        send(wiring, "StartContract", contract(number), "2026-01-01T09:00:00+01:00")
        ready_to_accept(wiring, one, number)
        ready_to_accept(wiring, other, number)
        answers = both(
            wiring,
            *(asked("AcceptClaim", {"claim": k, "loss_cents": 300_000}, ACCEPTED_AT) for k in (one, other)),
        )

        assert [answer.status for answer in answers] == ["recorded", "recorded"]
        assert consumed_cents(wiring, number) == 500_000


def test_two_acceptances_of_3000_euro_at_once_consume_5000_and_never_more(wiring: App) -> None:
    two_acceptances_of_3000_euro(wiring, 20)


@pytest.mark.test_all
def test_two_acceptances_of_3000_euro_at_once_consume_5000_in_many_tries(wiring: App) -> None:
    two_acceptances_of_3000_euro(wiring, 1_000 if FULL else 200)


def test_one_command_sent_twice_at_the_same_moment_has_one_effect(wiring: App) -> None:
    for turn in range(20):
        command = asked("StartContract", contract(f"CC-{turn}"), "2026-01-01T09:00:00+01:00")
        answers = both(wiring, command, command)

        assert sorted(answer.status for answer in answers) == ["recorded", "repeated"]
        assert answers[0].events == answers[1].events


def test_eight_desks_on_one_contract_are_all_answered(wiring: App) -> None:
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    commands = [
        asked("CorrectPerson", {"contract": "CC-1", "person": "P-CC-1", "address": f"Nieuwstraat {turn}"})
        for turn in range(40)
    ]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(wiring.ledger.submit, commands))

    assert {answer.status for answer in answers} == {"recorded"}
    versions = sorted(answer.events[0].version for answer in answers)
    assert versions == list(range(versions[0], versions[0] + 40))
