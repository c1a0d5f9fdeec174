"""A connection cut after COMMIT and before the answer: the command is looked up, never guessed (I10)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coverledger.composition import opened
from fixtures.database import Database
from fixtures.desk import asked, contract
from fixtures.program import settings_of
from fixtures.proxy import Proxy, proxied
from ledger.app import App
from ledger.config import Settings
from ledger.domain.dispatch import needs
from ledger.errors import Unavailable

INSERT = b"insert into ledger.commands"


@pytest.fixture
def cut_off(database: Database, tmp_path: Path) -> Iterator[tuple[Proxy, App]]:
    with proxied(database.app_dsn) as (proxy, dsn):
        settings = Settings.load(home=tmp_path / "home", **(settings_of(database) | {"dsn": dsn}))
        with opened("cyber-care", settings) as wiring:
            yield proxy, wiring


@pytest.mark.slow
def test_a_command_whose_acknowledgement_was_lost_is_answered_all_the_same_and_repeated_when_sent_again(
    cut_off: tuple[Proxy, App],
) -> None:
    proxy, wiring = cut_off
    for turn in range(100):
        command = asked("StartContract", contract(f"CC-{turn}"), "2026-01-01T09:00:00+01:00")
        proxy.cut_next_answer_after(INSERT)
        answer = wiring.ledger.submit(command)
        again = wiring.ledger.submit(command)

        assert proxy.cuts == turn + 1
        assert answer.status == "recorded"
        assert (again.status, again.first_status, again.events) == ("repeated", "recorded", answer.events)
        stream = wiring.store.load(wiring.book, needs(command.command)).streams
        assert [found.version for found in stream.values()] == [len(answer.events)]


def test_whoever_gives_up_after_the_cut_and_sends_it_again_is_told_repeated(
    cut_off: tuple[Proxy, App], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, wiring = cut_off
    command = asked("StartContract", contract(), "2026-01-01T09:00:00+01:00")
    proxy.cut_next_answer_after(INSERT)
    with monkeypatch.context() as giving_up:
        giving_up.setattr("ledger.application.TRIES", 1)
        with pytest.raises(Unavailable, match="under the same id, it will not be recorded twice"):
            wiring.ledger.submit(command)

    assert wiring.ledger.submit(command).status == "repeated"
