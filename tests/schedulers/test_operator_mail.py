"""The operator's mail: what needs a person, once an hour at most, and nothing twice."""

from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from test_digest import mail_server, using

from fixtures.database import Database, execute
from ledger.app import App
from ledger.attempts import Attempts, ItemFailed
from ledger.clock import machine_now
from ledger.supervision import ServiceState
from schedulers.digest import compose_digest, render_text
from schedulers.mail import MailServer, NotMailed, OperatorMail

HOUR = 3_600.0


@dataclass
class Watch:
    """The machine's clock of durations, as the test moves it."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class House:
    """A book, and the operator who is mailed of it."""

    wiring: App
    database: Database
    taken: list[bytes] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)

    def mail(self, port: int) -> OperatorMail:
        url = f"smtp://127.0.0.1:{port}/?from=ledger@example.be&to=ops@example.be"
        assert using(self.wiring, operator_mail=url).operator_mail == url
        return OperatorMail(self.wiring, MailServer.parse(url), monotonic_now=self.watch)

    def an_hour_later(self) -> None:
        self.watch.seconds += HOUR
        execute(
            self.database.superuser_dsn,
            "update ledger.operator_mails set sent_at = sent_at - interval '1 hour'",
        )

    def disable(self, name: str) -> None:
        self.wiring.subscriptions.add_webhook(name, "https://erp.example/hook")
        execute(
            self.database.superuser_dsn,
            f"update ledger.subscriptions set state = 'disabled', because = 'it answered 410 Gone' "
            f"where name = '{name}'",
        )

    def park(self, worker: str, item: str) -> None:
        def act() -> None:
            message = "it cannot be set"
            raise ItemFailed(message, retry=False)

        Attempts(self.wiring.pool, self.wiring.book, worker).run(item, act)

    def said(self) -> list[str]:
        return [
            str(message_from_bytes(one, policy=policy.default).get_body().get_content())  # type: ignore[union-attr]
            for one in self.taken
        ]


@pytest.fixture
def house(wiring: App, database: Database) -> House:
    return House(wiring, database)


def test_fault_29_what_needs_a_person_is_mailed_once_an_hour_at_most_and_not_twice(house: House) -> None:
    with mail_server(house.taken) as port:
        mail = house.mail(port)
        assert not mail.look(), "nothing needs anybody"
        house.disable("erp")
        assert mail.look()
        for _ in range(50):
            house.park("letters", f"L-{_}")
            assert not mail.look()
        house.an_hour_later()
        assert mail.look()
        house.an_hour_later()
        assert not mail.look(), "it was told of all that stands"
    first, second = house.said()
    assert "Subscription erp is disabled (it answered 410 Gone)" in first
    assert "letters could not handle 50 items" in second
    assert "erp is disabled" in second
    subjects = [str(message_from_bytes(one)["Subject"]) for one in house.taken]
    assert subjects == ["cyber-care: 1 thing needs a person", "cyber-care: 2 things need a person"]


def test_fault_29_what_was_put_right_and_comes_again_is_told_again(house: House) -> None:
    with mail_server(house.taken) as port:
        mail = house.mail(port)
        house.disable("erp")
        assert mail.look()
        house.wiring.subscriptions.resume("erp")
        house.an_hour_later()
        assert not mail.look()
        house.wiring.subscriptions.remove("erp")
        house.disable("erp")
        assert mail.look()
    assert len(house.taken) == 2


def test_fault_29_two_machines_send_one_mail(house: House) -> None:
    with mail_server(house.taken) as port:
        machines = [house.mail(port), house.mail(port)]
        house.disable("erp")
        assert [machine.look() for machine in machines] == [True, False]
    assert len(house.taken) == 1


def test_fault_29_a_mail_that_is_not_taken_is_sent_as_soon_as_it_can_be(house: House) -> None:
    house.disable("erp")
    with pytest.raises(NotMailed):
        house.mail(9).look()
    with mail_server(house.taken) as port:
        assert house.mail(port).look()
    assert len(house.taken) == 1


def test_fault_29_a_service_that_is_not_well_for_minutes_is_told_of_also_while_the_database_is_away(
    house: House,
) -> None:
    def state(minutes: int) -> ServiceState:
        since = machine_now() - timedelta(minutes=minutes)
        return ServiceState(
            "sealer", matters=True, state="waiting", since=since, error="Unreachable", restarts=3, moved=None
        )

    with mail_server(house.taken) as port:
        mail = house.mail(port)
        house.wiring.states.tell([state(1)])
        assert not mail.look()
        house.wiring.states.tell([state(3)])
        elsewhere = house.database.superuser_dsn.replace(f"dbname={house.database.name}", "dbname=postgres")
        execute(
            elsewhere,
            f"alter database {house.database.name} allow_connections false",
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{house.database.name}'",
        )
        try:
            assert mail.look()
            assert not mail.look()
        finally:
            execute(elsewhere, f"alter database {house.database.name} allow_connections true")
    (said,) = house.said()
    assert "The service sealer is waiting since" in said
    assert "Unreachable" in said


@pytest.mark.usefixtures("clock")
def test_fault_29_the_digest_names_subscribers_that_are_not_told(house: House) -> None:
    house.disable("erp")
    digest = compose_digest(house.wiring)
    assert "subscribers not told: 1" in digest.subject
    assert "erp is disabled (it answered 410 Gone)" in render_text(digest)
    assert not digest.is_calm
