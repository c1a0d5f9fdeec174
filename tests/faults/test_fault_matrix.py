"""Every service under every fault works again by itself, says so meanwhile, and loses or doubles nothing.

One `up` meets them all, one after the other: its database through a proxy, its home on a small disk of its
own.
What ends a service's database for good, fills the database's own disk or deletes the home is tried in
test_half_open.py, test_full_disk.py and test_gone_for_good.py.
"""

import contextlib
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg2
import pytest

from fixtures.database import Database, execute
from fixtures.desk import contract
from fixtures.program import Program, ended_by, environment_for, readiness, settings_of, wait_until_ready
from fixtures.receiver import Delivery, Receiver, receiving
from fixtures.refused_rows import refused_rows
from fixtures.silent_proxy import SilentProxy, led_through, silent_proxy
from fixtures.small_disk import SmallDisk, small_disk
from ledger.clock import machine_now
from ledger.config import Settings
from ledger.domain.calendar import add_months, brussels_date
from ledger.running_file import running_up

WITHIN_SECONDS = 60.0
LETTERS_WITHIN_SECONDS = WITHIN_SECONDS + 60.0
"""The post looks once a minute."""
NOTICED_SECONDS = 45.0
BOOK = "cyber-care"
SALE_ENDS = date(2026, 6, 30)
SERVICES = {
    *("sealer", "http", "companion", "views", "rebuilding", "diary", "clockwork", "post", "digest"),
    *("heads", "cancellation", "figures", "subscriptions", "operator"),
}

pytestmark = pytest.mark.test_all


def wait_for(
    condition: Callable[[], object], seconds: float = WITHIN_SECONDS, what: Callable[[], object] | str = ""
) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, what() if callable(what) else what
        time.sleep(0.2)


@dataclass
class Ledger:
    """A running `up`, all of its surroundings, and what was acknowledged."""

    program: Program
    direct: Program
    """The same ledger, its database reached without the proxy."""
    database: Database
    proxy: SilentProxy
    disk: SmallDisk
    receiver: Receiver
    home: Path
    running: "subprocess.Popen[str]"
    address: str
    client: httpx.Client
    acknowledged: list[str] = field(default_factory=list)
    visitors: int = 0
    refused: set[str] = field(default_factory=set)
    """Contracts whose deliveries the receiver cannot take."""

    def record(self, number: str) -> int | None:
        """Record a contract whose letter is due; the status of the answer, None when none came."""
        last = brussels_date(machine_now()) + timedelta(days=15)
        ends_on, years = add_months(last + timedelta(days=1), 3), 1
        while add_months(ends_on, -12 * years) > SALE_ENDS:
            years += 1
        person = {
            "person": f"P-{number}",
            "name": "Zoë Ünal-Désiré",
            "email": "zoe@example.org",
            "address": "Rue de l'Église 7\n4000 Liège",
        }
        fields = contract(number, add_months(ends_on, -12 * years).isoformat(), policyholder=person)
        try:
            answer = self.client.post(
                f"/v1/{BOOK}/commands/StartContract", json=fields, headers={"Idempotency-Key": number}
            )
        except httpx.TransportError:
            return None
        if answer.status_code in {HTTPStatus.CREATED, HTTPStatus.OK}:
            self.acknowledged.append(number)
        return answer.status_code

    def cancel(self, number: str) -> None:
        """Send the form with which a customer cancels; each from an address of their own, as customers do."""
        self.visitors += 1
        transport = httpx.HTTPTransport(local_address=f"127.0.1.{self.visitors}")
        with httpx.Client(base_url=self.address, timeout=30, transport=transport) as visitor:
            form = visitor.get("/cancel").text
            [csrf] = {part.split('"')[0] for part in form.split('name="csrf" value="')[1:]} or {""}
            assert visitor.post("/cancel", data={"number": number, "csrf": csrf}).status_code == 303

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with (
            closing(psycopg2.connect(self.database.superuser_dsn)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, values)
            return cursor.fetchall()

    def is_ready(self) -> bool:
        return bool(readiness(self.address)["ready"])

    def services(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = readiness(self.address)["services"]
        return found

    def unwell(self) -> dict[str, dict[str, Any]]:
        """The services that do not run, or have not come through a round yet."""
        return {name: one for name, one in self.services().items() if one["state"] not in {"running", "idle"}}

    def doctor(self) -> list[str]:
        """What `doctor` finds that somebody should look after."""
        told = json.loads(self.direct.run("doctor", "--json").stdout)
        return [check["message"] for check in told["checks"] if check["state"] != "well"]

    def contracts(self) -> list[str]:
        found = self.client.get(f"/v1/{BOOK}/contracts?limit=1000").json()
        return sorted(row["contract"] for row in found)

    def letters(self, number: str) -> list[tuple[Any, ...]]:
        return self.rows(
            "select reference from schedulers.letters where contract = %s and status = 'handed_over'", number
        )

    def mails(self, number: str) -> int:
        mails = [
            message_from_bytes(path.read_bytes(), policy=default)
            for path in (self.home / "mail").glob("*.eml")
        ]
        return sum(number in str(mail["Subject"]).split() for mail in mails)

    def is_delivered(self, number: str) -> bool:
        return any(delivery.event["subject"] == f"contract/{number}" for delivery in self.receiver.taken)


def works(ledger: Ledger, number: str, *, letters: bool) -> None:
    """Each service does its work on something new, within a minute; letters a round of the post later."""
    begun = time.monotonic()

    def left(seconds: float = WITHIN_SECONDS) -> float:
        return seconds - (time.monotonic() - begun)

    wait_for(ledger.is_ready, left(), "readyz")
    wait_for(lambda: ledger.record(number) in {200, 201}, left(), "http")
    ledger.cancel(number)
    wait_for(lambda: readiness(ledger.address)["unsealed"] == 0, left(), "sealer")
    wait_for(lambda: number in ledger.contracts(), left(), "views")
    kept = "select from schedulers.diary where stream = %s and due_at is not null"
    wait_for(lambda: ledger.rows(kept, f"contract/{number}"), left(), "diary")
    wait_for(lambda: ledger.is_delivered(number), left(), "subscriptions")
    wait_for(lambda: ledger.mails(number) == 1, left(), "cancellation")
    wait_for(lambda: not ledger.unwell(), left(), ledger.unwell)
    assert ledger.services().keys() == SERVICES
    if letters:
        wait_for(lambda: ledger.letters(number), left(LETTERS_WITHIN_SECONDS), "post")


def nothing_lost_or_doubled(ledger: Ledger) -> None:
    assert set(ledger.acknowledged) <= set(ledger.contracts())
    started = "select stream, count(*) from ledger.events where type = 'contract.ContractStarted' group by 1"
    assert {number for _, number in ledger.rows(started)} == {1}
    taken: dict[str, set[int]] = {}
    for delivery in ledger.receiver.taken:
        taken.setdefault(delivery.event["id"], set()).add(delivery.position)
    assert all(len(positions) == 1 for positions in taken.values())
    assert ledger.receiver.in_order_for_each_contract()
    [(end,)] = ledger.rows("select max(position) from ledger.log where book = %s", BOOK)
    wanted = set(range(end + 1))
    wait_for(
        lambda: set(ledger.receiver.positions) >= wanted,  # more may have been sealed since
        what=lambda: (
            f"not delivered: {sorted(wanted - set(ledger.receiver.positions))}, "
            + ledger.direct.run("subscriptions", "list").stdout
        ),
    )
    letters = ledger.rows("select contract, kind, count(*) from schedulers.letters group by 1, 2")
    assert {number for _, _, number in letters} <= {1}
    assert all(ledger.mails(number) <= 1 for number in ledger.acknowledged)
    told = ledger.direct.run("verify", "--views")
    assert told.returncode == 0, told.stderr


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def ledger(stack: ExitStack, database: Database) -> Iterator[Ledger]:
    disk = stack.enter_context(small_disk(80))
    proxy = stack.enter_context(silent_proxy(database.app_dsn))
    receiver = stack.enter_context(receiving())
    home, blocked = disk.folder / "home", disk.folder / "no-folder"
    blocked.write_text("a file, where a place outside is to have its folder")
    (disk.folder / "heads").mkdir()
    surroundings = {
        "COVERLEDGER_WEBHOOKS_ALLOW_PRIVATE": "yes",
        "COVERLEDGER_CHECKPOINT_FOLDERS": f"{blocked / 'heads'}:{disk.folder / 'heads'}",
        "COVERLEDGER_DIGEST_FOLDER": str(disk.folder / "digest"),
    }
    dsns = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
    # A peer that says nothing is given up sooner than by default, as a careful operator may have it.
    through = {name: led_through(proxy, dsn) + " tcp_user_timeout=5000" for name, dsn in dsns.items()}
    direct = Program(environment_for(home, **surroundings, **dsns))
    program = Program(environment_for(home, **surroundings, **through))
    assert direct.run("init").returncode == 0
    assert (
        direct.run("subscriptions", "add", "erp", "--webhook", receiver.url, "--after", "-1").returncode == 0
    )
    # So that there is a head to send at the start.
    assert direct.run("submit", "StartContract", json.dumps(contract("CC-before"))).returncode == 0
    token = direct.run("token", "create", "--role", "admin", "--name", "matrix").stdout.strip()
    running = program.up()
    found = running_up(Settings.load(home=home), BOOK)
    assert found is not None
    headers = {"Authorization": f"Bearer {token}"}
    client = stack.enter_context(httpx.Client(base_url=found.local, headers=headers, timeout=30))
    wait_until_ready(found.local)
    ledger = Ledger(program, direct, database, proxy, disk, receiver, home, running, found.local, client)
    receiver.answer = lambda delivery: 500 if _of(delivery) in ledger.refused else 204
    yield ledger
    if running.poll() is None:
        running.kill()
    running.communicate()


def _of(delivery: Delivery) -> str:
    return str(delivery.event["subject"]).rpartition("/")[2]


def poison_items(ledger: Ledger, number: str, _seconds: float) -> None:
    """One item of each worker that cannot be handled: the others are, and it is once the cause is gone."""
    with ExitStack() as stack:
        for table, which in (
            ("projections.contracts", f"new.contract = '{number}'"),
            ("schedulers.diary", f"new.stream = 'contract/{number}'"),
            ("schedulers.letters", f"new.contract = '{number}'"),
            ("projections.cancellation_requests", f"new.contract = '{number}' and new.mail_tries > 0"),
        ):
            stack.enter_context(refused_rows(ledger.database, table, which))
        ledger.refused.add(number)
        assert ledger.record(number) == HTTPStatus.CREATED
        ledger.cancel(number)
        hostile = httpx.post(f"{ledger.address}/persons.json", content=b"[" * 60_000, timeout=30)
        assert hostile.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        parked = "select follower from ledger.parked where stream = %s"
        wait_for(lambda: {("contracts",), ("diary",)} <= set(ledger.rows(parked, f"contract/{number}")))
        failing = "select worker from ledger.attempts"
        wait_for(lambda: {("cancellation",), ("heads",)} <= set(ledger.rows(failing)))
        wait_for(lambda: ledger.rows("select from ledger.deliveries where told is not null"))
        works(ledger, f"{number}-beside", letters=False)
        told = "\n".join(ledger.doctor())
        for worker in ("contracts", "diary", "cancellation", "heads", "erp"):
            assert worker in told
    ledger.refused.clear()
    assert ledger.direct.run("parked", "replay").returncode == 0
    [(end,)] = ledger.rows("select max(position) from ledger.log where book = %s", BOOK)
    again = ("--from", "0", "--to", str(end), "--contract", number)
    assert ledger.direct.run("subscriptions", "resend", "erp", *again).returncode == 0
    wait_for(lambda: number in ledger.contracts())
    wait_for(lambda: ledger.mails(number) == 1)


def cut_connections(ledger: Ledger, number: str, seconds: float) -> None:
    """The database hangs up on everybody, in the midst of what they ask, again and again."""
    until, tried = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        execute(
            ledger.database.superuser_dsn,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where datname = '{ledger.database.name}' and pid <> pg_backend_pid()",
        )
        tried += 1
        ledger.record(f"{number}-{tried}")
    wait_for(lambda: any(one["restarts"] for one in ledger.services().values()))


def say_so(ledger: Ledger, number: str) -> None:
    """Readiness and doctor say that something is wrong; callers are told to come again, or get no answer."""
    wait_for(lambda: not ledger.is_ready(), NOTICED_SECONDS, "readyz says that all is well")
    assert ledger.doctor()
    assert ledger.record(number) in {None, HTTPStatus.SERVICE_UNAVAILABLE}


def freeze_database(ledger: Ledger, number: str, seconds: float) -> None:
    """The database stands still, and goes on as if nothing had been."""
    begun = time.monotonic()
    ledger.proxy.freeze()
    say_so(ledger, f"{number}-1")
    time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
    ledger.proxy.thaw()


def forget_connections(ledger: Ledger, number: str, seconds: float) -> None:
    """Connections whose other end is gone without a word."""
    begun = time.monotonic()
    ledger.proxy.fall_silent()
    say_so(ledger, f"{number}-1")
    time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
    ledger.proxy.speak()


def fill_disk(ledger: Ledger, number: str, seconds: float) -> None:
    """The home's disk is full: what is recorded is recorded, and the log waits."""
    ledger.disk.fill()
    wait_for(lambda: not ledger.is_ready(), NOTICED_SECONDS)
    assert ledger.record(f"{number}-1") == HTTPStatus.CREATED
    assert any("full" in message for message in ledger.doctor())
    time.sleep(seconds)
    ledger.disk.make_room()


def forbid_writing(ledger: Ledger, number: str, seconds: float) -> None:
    """The home turns read-only."""
    ledger.disk.read_only(yes=True)
    wait_for(lambda: not ledger.is_ready(), NOTICED_SECONDS)
    assert ledger.record(f"{number}-1") == HTTPStatus.CREATED
    assert any("cannot be written" in message for message in ledger.doctor())
    time.sleep(seconds)
    ledger.disk.read_only(yes=False)


def kill_companion(ledger: Ledger, number: str, seconds: float) -> None:
    """What runs beside `up` is killed, whenever it is there."""
    until = time.monotonic() + seconds
    before, unready = ledger.services()["companion"]["restarts"], False
    while time.monotonic() < until or not unready:
        for child in psutil.Process(ledger.running.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it is dead already, a zombie included
                if "coverledger.worker" in child.cmdline():
                    child.kill()
        assert ledger.record(f"{number}-{time.monotonic_ns()}") == HTTPStatus.CREATED
        unready = unready or not ledger.is_ready()
        assert time.monotonic() < until + NOTICED_SECONDS
    assert ledger.services()["companion"]["restarts"] > before


FAULTS = (
    poison_items,
    cut_connections,
    freeze_database,
    forget_connections,
    fill_disk,
    forbid_writing,
    kill_companion,
)


def test_fault_matrix_of_every_service_and_every_fault(ledger: Ledger, full: bool) -> None:  # noqa: FBT001
    works(ledger, "CC-at-first", letters=full)
    wait_for(lambda: list((ledger.disk.folder / "heads").rglob("*.checkpoint")), what="heads")
    for number, fault in enumerate(FAULTS):
        fault(ledger, f"CC-{number}", 60.0 if full else 5.0)
        works(ledger, f"CC-{number}-after", letters=full)
        assert ledger.running.poll() is None
    nothing_lost_or_doubled(ledger)
    restarts = Counter({name: one["restarts"] for name, one in ledger.services().items()})
    assert restarts["companion"] >= 1
    code, said = ended_by(ledger.running, signal.SIGTERM)
    assert (code, "Traceback" in said) == (0, False), said
