"""The plug-in carries an application that has nothing to do with insurance: that of docs/eventsourcing.md."""

import json
import os
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

import ledger.eventsourcing
from fixtures.database import Database, execute
from ledger.eventsourcing.proven_log import ProvenLog
from ledger.proofs.errors import BadProof
from ledger.proofs.merkle import leaf_hash
from ledger.verification.exports import NothingProven
from ledger.verification.findings import NotVerified

PAGE = Path(__file__).parents[3] / "docs" / "eventsourcing.md"
APPLICATION, *STEPS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
WRITERS = 16
STATIONS = 5
RENTALS = 15
"""Of each writer."""


@pytest.fixture
def page(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's application, in an environment as the page asks for it."""
    for name, value in {
        "PERSISTENCE_MODULE": ledger.eventsourcing.__name__,
        "LEDGER_DSN": database.app_dsn,
        "LEDGER_SEALER_DSN": database.sealer_dsn,
        "BIKESHARING_LEDGER_BOOK": "bikes",
        "LEDGER_ORIGIN": "bikes.test/log",
        "SIGNING_KEY": str(tmp_path / "signing" / "bikes.key"),
    }.items():
        monkeypatch.setenv(name, value)
    return bike_sharing()


@cache
def bike_sharing() -> ModuleType:
    """The application, defined once: `eventsourcing` knows each class by its topic."""
    module = sys.modules["bike_sharing"] = ModuleType("bike_sharing")
    exec(compile(APPLICATION, str(PAGE), "exec"), module.__dict__)  # noqa: S102  # our own page
    return module


def log_of(app: Any) -> ProvenLog:  # noqa: ANN401  # the page's application
    return ProvenLog(app.factory, Path(os.environ["SIGNING_KEY"]))


def test_the_page_says_what_happens(page: ModuleType) -> None:
    for step in STEPS:
        exec(compile(step, str(PAGE), "exec"), page.__dict__)  # noqa: S102  # as above
    page.app.close()


def test_16_writers_at_once_lose_nothing_leave_no_gap_and_all_is_proven(page: ModuleType) -> None:
    apps: list[Any] = [page.BikeSharing() for _ in range(4)]
    for station in range(STATIONS):
        apps[0].open(f"S-{station}", bikes=30)

    def ride(writer: int) -> list[dict[str, object]]:
        app, answers = apps[writer % len(apps)], []
        for number in range(RENTALS):
            command_id = f"{writer}-{number}"
            answer = app.rent(command_id, f"S-{(writer + number) % STATIONS}", f"rider-{writer}")
            assert app.rent(command_id, f"S-{(writer + number) % STATIONS}", f"rider-{writer}") == answer
            answers.append(answer)
        return answers

    with ThreadPoolExecutor(WRITERS) as writers:
        answers = [answer for told in writers.map(ride, range(WRITERS)) for answer in told]

    app = apps[0]
    rented = Counter(answer["station"] for answer in answers if answer["rented"])
    assert sum(rented.values()) == 30 * STATIONS  # more riders came than there were bicycles
    assert [app.bikes_at(f"S-{station}") for station in range(STATIONS)] == [0] * STATIONS

    feed = app.recorder.select_notifications(1, 1_000)
    assert [notification.id for notification in feed] == list(range(1, STATIONS + 30 * STATIONS + 1))
    versions: dict[UUID, list[int]] = {}
    for notification in feed:
        versions.setdefault(notification.originator_id, []).append(notification.originator_version)
    assert sorted(versions.values()) == [list(range(1, 32))] * STATIONS

    log = log_of(app)
    with pytest.raises(NothingProven):
        log.prove(1)
    log.sign()
    for notification in feed:
        proven = log.prove(notification.id)
        head = proven.proof.verify(leaf_hash(proven.leaf), [log.verifier_key])
        assert head.size == len(feed)
        assert json.loads(proven.leaf)["stream"] == str(notification.originator_id)
    with pytest.raises(BadProof):
        proven.proof.verify(leaf_hash(b"another leaf"), [log.verifier_key])
    assert log.verify().streams == STATIONS
    for each in apps:
        each.close()


@pytest.mark.parametrize(
    ("altered", "told"),
    [
        ("stream = 'bikes'", "its stream is 'bikes'"),
        ("stream = '5b1ae2b4-0000-4000-8000-000000000000'", "its stream is"),
        (r"payload = payload || '\x20'::bytea", "its payload is not the one that was recorded"),
    ],
)
def test_verify_tells_that_an_event_of_another_application_was_altered(
    page: ModuleType, database: Database, altered: str, told: str
) -> None:
    app = page.BikeSharing()
    app.open("Museum", bikes=1)
    log_of(app).sign()
    execute(
        database.superuser_dsn,
        "alter table ledger.events disable trigger all",
        f"update ledger.events set {altered}",
    )
    with pytest.raises(NotVerified, match=told):
        log_of(app).verify()
    app.close()
