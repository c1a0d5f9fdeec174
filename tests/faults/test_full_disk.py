"""A full disk, of data, log or home: callers are told to come back, and all goes on once there is room."""

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from fixtures.database import Database, execute
from fixtures.desk import contract
from fixtures.program import Program, ended_by, environment_for, readiness, settings_of, wait_until_ready
from fixtures.small_disk import SmallDisk, small_disk
from ledger.config import Settings
from ledger.postgres import EmbeddedPostgres
from ledger.running_file import running_up

WITHIN_SECONDS = 60.0

pytestmark = pytest.mark.test_all


def wait_for(
    condition: Callable[[], object], what: Callable[[], object] | None = None, seconds: float = WITHIN_SECONDS
) -> None:
    """Wait for it to hold; `what` is shown where it does not."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, what and what()
        time.sleep(0.2)


def wait_until_ready_again(address: str, log: Path | None = None) -> None:
    """Wait until nothing is unwell; Postgres' own log is shown where that lasts too long."""

    def what() -> object:
        said = log.read_text(errors="replace").splitlines()[-40:] if log is not None else []
        return "\n".join([json.dumps(readiness(address), indent=1), *said])

    wait_for(lambda: readiness(address)["ready"], what)


class Caller:
    """Records contracts over HTTP, and remembers what was answered."""

    def __init__(self, program: Program, home: Path) -> None:
        found = running_up(Settings.load(home=home), "cyber-care")
        assert found is not None
        self.address = found.local
        made = program.run("token", "create", "--role", "admin", "--name", "caller").stdout.strip()
        self._client = httpx.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {made}"}, timeout=60
        )
        self.recorded: list[str] = []
        self.refused: list[httpx.Response] = []

    def record(self) -> httpx.Response:
        """Record one more contract, under an id of its own."""
        number = f"CC-{len(self.recorded) + len(self.refused):05d}"
        answer = self._client.post(
            "/v1/cyber-care/commands/StartContract",
            json=contract(number),
            headers={"Idempotency-Key": number},
        )
        if answer.status_code == HTTPStatus.CREATED:
            self.recorded.append(number)
        else:
            self.refused.append(answer)
        return answer

    def close(self) -> None:
        self._client.close()

    def listed(self) -> list[str]:
        found: list[dict[str, Any]] = self._client.get("/v1/cyber-care/contracts?limit=1000").json()
        return sorted(row["contract"] for row in found)


def wrong_of_doctor(program: Program) -> list[str]:
    told = json.loads(program.run("doctor", "--json").stdout)
    return [check["message"] for check in told["checks"] if check["state"] == "wrong"]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with small_disk(250) as disk:
        yield disk


def test_fault_6_on_a_full_disk_of_data_and_home_callers_come_back_and_all_goes_on(
    disk: SmallDisk, stack: ExitStack
) -> None:
    home = disk.folder / "home"
    program = Program(environment_for(home))
    running = program.up()
    try:
        caller = stack.enter_context(closing(Caller(program, home)))
        wait_until_ready(caller.address)
        assert caller.record().status_code == 201
        disk.fill()
        begun = time.monotonic()
        while not caller.refused and time.monotonic() - begun < WITHIN_SECONDS:
            caller.record()
        assert caller.refused, "the disk did not fill"
        for _ in range(3):
            caller.record()
        assert {answer.status_code for answer in caller.refused} == {503}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in caller.refused)
        assert {answer.headers["Content-Type"] for answer in caller.refused} == {"application/problem+json"}
        assert readiness(caller.address)["ready"] is False
        assert any("full" in message or "reach" in message for message in wrong_of_doctor(program))

        disk.make_room()
        wait_until_ready_again(caller.address)
        wait_for(lambda: caller.record().status_code == 201)
        wait_for(lambda: readiness(caller.address)["unsealed"] == 0)
        wait_for(lambda: caller.listed() == sorted(caller.recorded))
    finally:
        code, said = ended_by(running)
    assert (code, "Traceback" in said) == (0, False), said
    assert program.run("verify").returncode == 0


def test_fault_6_on_a_full_home_beside_a_database_elsewhere_sealing_goes_on_by_itself(
    disk: SmallDisk, stack: ExitStack, database: Database
) -> None:
    home = disk.folder / "home"
    given = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
    program = Program(environment_for(home, **given))
    running = program.up()
    try:
        caller = stack.enter_context(closing(Caller(program, home)))
        wait_until_ready(caller.address)
        disk.fill()
        found = readiness(caller.address)
        assert (found["ready"], found["home"]) == (False, "full")
        # What is recorded is recorded: the log alone waits, for its signed head is kept in the home.
        assert caller.record().status_code == 201
        wait_for(lambda: readiness(caller.address)["services"]["sealer"]["state"] == "waiting")
        assert "No space left" in readiness(caller.address)["services"]["sealer"]["error"]
        assert any("disk of the home is full" in message for message in wrong_of_doctor(program))

        disk.make_room()
        wait_until_ready_again(caller.address)
        wait_for(lambda: readiness(caller.address)["unsealed"] == 0)
    finally:
        assert ended_by(running)[0] == 0
    assert program.run("verify").returncode == 0


def test_fault_6_a_home_that_is_made_read_only_is_said_and_goes_on_once_it_is_not(
    disk: SmallDisk, stack: ExitStack, database: Database
) -> None:
    home = disk.folder / "home"
    given = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
    program = Program(environment_for(home, **given))
    running = program.up()
    try:
        caller = stack.enter_context(closing(Caller(program, home)))
        wait_until_ready(caller.address)
        disk.read_only(yes=True)
        found = readiness(caller.address)
        assert (found["ready"], found["home"]) == (False, "read_only")
        assert any("cannot be written" in message for message in wrong_of_doctor(program))
        assert caller.record().status_code == 201
        disk.read_only(yes=False)
        wait_until_ready_again(caller.address)
        wait_for(lambda: caller.listed() == caller.recorded)
    finally:
        assert ended_by(running)[0] == 0


@pytest.fixture
def dumping_core() -> Iterator[None]:
    """Let programs that end on a signal leave a core, as many machines do."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("dumping_core")
def test_fault_6_a_postgres_that_its_full_disk_ended_comes_back_once_there_is_room(
    stack: ExitStack,
) -> None:
    with small_disk(70) as log_disk, small_disk(200) as data_disk:
        home = data_disk.folder / "home"
        program = Program(environment_for(home))
        assert program.run("init").returncode == 0
        log, elsewhere = home / "postgres" / "data" / "pg_wal", log_disk.folder / "pg_wal"
        subprocess.run(["/bin/cp", "-a", str(log), str(elsewhere)], check=True)
        shutil.rmtree(log)
        log.symlink_to(elsewhere)
        running = program.up()
        try:
            caller = stack.enter_context(closing(Caller(program, home)))
            wait_until_ready(caller.address)
            with EmbeddedPostgres(home).join() as server:
                dsn = server.superuser_dsn
            log_disk.fill()
            begun = time.monotonic()
            while not caller.refused and time.monotonic() - begun < WITHIN_SECONDS:
                caller.record()
                with suppress(psycopg2.Error):  # it has ended
                    execute(dsn, "select pg_switch_wal()")
            assert {answer.status_code for answer in caller.refused} == {503}
            assert readiness(caller.address)["ready"] is False
            log_disk.make_room()
            wait_until_ready_again(caller.address, server.log)
            wait_for(lambda: caller.record().status_code == 201)
            wait_for(lambda: caller.listed() == sorted(caller.recorded))
        finally:
            code, said = ended_by(running)
        assert (code, "Traceback" in said) == (0, False), said
