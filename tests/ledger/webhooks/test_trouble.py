"""A subscriber that is switched off, given up on or far behind is told of: to whoever may do something."""

from datetime import UTC, datetime, timedelta

import pytest

from fixtures.database import Database, execute
from fixtures.receiver import Receiver
from fixtures.subscribed import Desk, eventually
from ledger.webhooks.dispatcher import DispatchSettings
from ledger.webhooks.problems import SubscriptionProblem, subscription_problems

WATCHFUL = DispatchSettings(allow_private=True, look_seconds=0.05)


def found(desk: Desk) -> list[SubscriptionProblem]:
    with desk.pool.connection() as connection:
        return subscription_problems(connection, desk.book)


def aged(database: Database, by: str = "2 hours") -> None:
    """Let all that is on record of subscriptions and the log be older."""
    execute(
        database.superuser_dsn,
        f"update ledger.subscriptions set created_at = created_at - interval '{by}'",
        f"update ledger.deliveries set failed_at = failed_at - interval '{by}'",
        "alter table ledger.log disable trigger user",
        f"update ledger.log set sealed_at = sealed_at - interval '{by}'",
        "alter table ledger.log enable trigger user",
    )


def test_fault_29_nothing_is_told_of_who_gets_all(desk: Desk, receiver: Receiver, database: Database) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(WATCHFUL):
        desk.record(1, 2)
        eventually(lambda: desk.subscriptions.one("erp").lag == 0)
    aged(database)
    assert found(desk) == []


def test_fault_29_one_that_410_switched_off_is_told_of(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda _: 410
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(WATCHFUL):
        desk.record(1)
        eventually(lambda: desk.subscriptions.one("erp").subscription.state == "disabled")
    (trouble,) = found(desk)
    assert (trouble.subscription, trouble.problem, trouble.error) == (
        "erp",
        "disabled",
        "it answered 410 Gone",
    )
    assert "coverledger subscriptions resume erp" in trouble.said


def test_fault_29_parked_events_are_told_of_with_their_number(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(WATCHFUL):
        desk.record(1, 1)
        eventually(lambda: desk.subscriptions.one("erp").backlog.waiting == 2)
        desk.clock.advance(timedelta(days=4))
        eventually(lambda: desk.subscriptions.one("erp").backlog.parked == 2)
    (trouble,) = found(desk)
    assert (trouble.problem, trouble.events) == ("parked", 2)
    assert trouble.since is not None


@pytest.mark.parametrize("why", ["fails", "nobody delivers"])
def test_fault_29_one_that_was_given_nothing_for_an_hour_is_told_of(
    desk: Desk, receiver: Receiver, database: Database, why: str
) -> None:
    receiver.answer = lambda _: 500
    desk.subscriptions.add_webhook("erp", receiver.url)
    desk.record(1)
    if why == "fails":
        with desk.delivering(WATCHFUL):
            eventually(lambda: desk.subscriptions.one("erp").backlog.waiting == 1)
    assert found(desk) == []
    aged(database)
    (trouble,) = found(desk)
    assert (trouble.problem, trouble.events) == ("behind", 1)
    assert trouble.since is not None
    assert trouble.since < datetime.now(UTC) - timedelta(hours=1)


def test_fault_29_what_somebody_paused_and_who_asks_for_himself_are_nobodys_trouble(
    desk: Desk, receiver: Receiver, database: Database
) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    desk.subscriptions.pause("erp", "release on Monday")
    desk.record(1)
    aged(database)
    assert found(desk) == []


def test_fault_29_a_relay_too(desk: Desk, database: Database) -> None:
    desk.subscriptions.add_relay("bus", "claims-cyber-care")
    desk.record(1)
    aged(database)
    (trouble,) = found(desk)
    assert (trouble.subscription, trouble.kind, trouble.problem) == ("bus", "nats", "behind")
