"""Webhooks: every event, at least once, in order for each contract, whatever the receiver does."""

import asyncio
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from fixtures.database import Database, execute
from fixtures.receiver import Delivery, Receiver, receiving
from fixtures.subscribed import Desk, eventually
from ledger.errors import Rejected, UsageError
from ledger.webhooks.dispatcher import Dispatcher, DispatchSettings
from ledger.webhooks.subscriptions import OtherKind, SubscriptionExists, SubscriptionUnknown

HURRIED = DispatchSettings(allow_private=True, try_seconds=0.5, lease_seconds=3.0)
WATCHFUL = DispatchSettings(allow_private=True, look_seconds=0.05)
HOUR, THREE_DAYS = timedelta(hours=1), timedelta(days=3)


def lag(desk: Desk, name: str = "erp") -> int:
    return desk.subscriptions.one(name).lag


def tried(desk: Desk) -> int:
    """How many tries are on record, of all that is kept."""
    return sum(kept.tries for kept in desk.subscriptions.kept("erp"))


def state(desk: Desk, name: str = "erp") -> str:
    return desk.subscriptions.one(name).subscription.state


def waiting(desk: Desk, name: str = "erp") -> int:
    return desk.subscriptions.one(name).backlog.waiting


def parked(desk: Desk, name: str = "erp") -> int:
    return desk.subscriptions.one(name).backlog.parked


def waits_until(desk: Desk, name: str = "erp") -> datetime | None:
    return desk.subscriptions.one(name).subscription.waits_until


def test_a_webhook_is_given_every_event_in_order_for_each_contract(desk: Desk, receiver: Receiver) -> None:
    desk.record(*(number % 7 for number in range(300)))
    desk.subscriptions.add_webhook("erp", receiver.url, after=-1)
    with desk.delivering():
        eventually(lambda: len(receiver.taken) == 300)
        desk.record(1, 2, 3)
        eventually(lambda: len(receiver.taken) == 303)
    assert sorted(receiver.positions) == list(range(303))
    assert receiver.in_order_for_each_contract()
    [standing] = desk.subscriptions.all()
    assert (standing.lag, standing.backlog.waiting, standing.subscription.position) == (0, 0, 302)


@pytest.mark.parametrize("prefix", ["coverledger", "claims-ledger"])
def test_types_begin_with_what_those_of_the_book_begin_with(
    desk: Desk, receiver: Receiver, database: Database, prefix: str
) -> None:
    if prefix != "coverledger":
        execute(database.superuser_dsn, f"update ledger.books set event_type_prefix = '{prefix}'")
    desk.subscriptions.add_webhook("erp", receiver.url, after=-1)
    desk.record(1, 2)
    with desk.delivering():
        eventually(lambda: len(receiver.taken) == 2)
    assert {delivery.event["type"] for delivery in receiver.taken} == {f"{prefix}.claim.AdviceGiven.v1"}


def test_standardwebhooks_verifies_every_delivery_and_no_other_secret_does(
    desk: Desk, receiver: Receiver
) -> None:
    secret = desk.subscriptions.add_webhook("erp", receiver.url, after=-1)
    other = desk.subscriptions.add_webhook("other", receiver.url)
    desk.record(*range(20))
    with desk.delivering():
        eventually(lambda: len(receiver.taken) == 40)
    ours = [delivery for delivery in receiver.taken if _verifies(secret, delivery)]
    assert sorted(delivery.position for delivery in ours) == list(range(20))
    assert not any(_verifies(other, delivery) for delivery in ours)
    assert all(delivery.headers["webhook-id"] == delivery.event["id"] for delivery in ours)
    assert {delivery.headers["content-type"] for delivery in ours} == {"application/cloudevents+json"}


def test_after_a_rotation_both_secrets_verify_until_the_old_one_expires(
    desk: Desk, receiver: Receiver
) -> None:
    old = desk.subscriptions.add_webhook("erp", receiver.url)
    new = desk.subscriptions.rotate_secret("erp", HOUR)
    with desk.delivering():
        desk.record(1)
        eventually(lambda: len(receiver.taken) == 1)
        assert _verifies(old, receiver.taken[0])
        assert _verifies(new, receiver.taken[0])
        newest = desk.subscriptions.rotate_secret("erp", timedelta(0))
        eventually(lambda: _told_anew(desk, receiver, newest))
    last = receiver.taken[-1]
    assert not _verifies(old, last)
    assert not _verifies(new, last)


def _told_anew(desk: Desk, receiver: Receiver, secret: str) -> bool:
    desk.record(1)
    seen = len(receiver.taken)
    eventually(lambda: len(receiver.taken) > seen)
    return _verifies(secret, receiver.taken[-1])


def test_a_secret_is_nowhere_in_the_database(desk: Desk, receiver: Receiver, database: Database) -> None:
    secret = desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select s::text from ledger.subscription_secrets s union all "
                       "select s::text from ledger.subscriptions s")  # fmt: skip
        kept = " ".join(row for (row,) in cursor.fetchall())
    assert secret.removeprefix("whsec_") not in kept
    assert database.name


def test_a_refused_event_holds_its_own_contract_and_no_other(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda delivery: 422 if delivery.event["subject"] == "claim/CL-1" else 204
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering():
        desk.record(*(number % 3 for number in range(30)))
        eventually(lambda: lag(desk) == 0)
        assert len(receiver.taken) == 20
        assert (waiting(desk), parked(desk)) == (10, 0)
        assert "422" in str(desk.subscriptions.kept("erp")[0].told)
        receiver.answer = lambda _: 204
        desk.clock.advance(timedelta(seconds=10))
        eventually(lambda: waiting(desk) == 0)
    assert sorted(receiver.positions) == list(range(30))
    assert receiver.in_order_for_each_contract()
    assert desk.subscriptions.kept("erp") == []


def test_a_slow_contract_holds_up_neither_its_neighbours_nor_other_webhooks(desk: Desk) -> None:
    let_go = threading.Event()
    with receiving() as slow, receiving() as quick:
        slow.answer = lambda delivery: (
            204 if delivery.event["subject"] != "claim/CL-1" or let_go.wait(20) else 500
        )
        desk.subscriptions.add_webhook("slow", slow.url)
        desk.subscriptions.add_webhook("quick", quick.url)
        with desk.delivering():
            desk.record(*(number % 5 for number in range(200)))
            eventually(lambda: len(quick.taken) == 200)
            eventually(lambda: len(slow.taken) == 160)
            let_go.set()
            eventually(lambda: len(slow.taken) == 200)
        assert slow.in_order_for_each_contract()


@pytest.mark.slow
def test_a_receiver_that_is_down_for_an_hour_catches_up_in_order(desk: Desk, receiver: Receiver) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    up = threading.Event()
    receiver.answer = lambda _: 204 if up.is_set() else 503
    with desk.delivering():
        for minute in range(60):
            desk.record(*(number % 150 for number in range(5 * minute, 5 * minute + 5)))
            desk.clock.advance(timedelta(minutes=1))
            threading.Event().wait(0.03)
        eventually(lambda: desk.subscriptions.one("erp").backlog.failing_since is not None)
        assert waiting(desk) < 150, "an outage leaves what is not sent in the feed"
        assert len(receiver.came) < 300, "a receiver that is down is not asked for each event"
        assert receiver.taken == []
        up.set()
        desk.clock.advance(timedelta(minutes=1))
        eventually(lambda: lag(desk) == 0 and waiting(desk) == 0)
    assert sorted(set(receiver.positions)) == list(range(300))
    assert receiver.in_order_for_each_contract()


@pytest.mark.slow
def test_tries_go_on_for_three_days_and_then_the_contract_is_parked_until_it_is_replayed(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.answer = lambda delivery: 500 if delivery.event["subject"] == "claim/CL-1" else 204
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(WATCHFUL):
        desk.record(1, 2, 1)
        eventually(lambda: waiting(desk) == 2)
        begun = desk.clock()
        while desk.clock() - begun < THREE_DAYS + HOUR:
            tries = tried(desk)
            desk.clock.advance(timedelta(hours=2))
            # On record, not only on its way: the next try is due so long after that.
            eventually(lambda tries=tries: tried(desk) > tries or parked(desk) > 0)
            if parked(desk):
                break
        assert desk.clock() - begun >= THREE_DAYS - HOUR
        assert (waiting(desk), parked(desk)) == (0, 2)
        receiver.answer = lambda _: 204
        desk.record(1, 2)
        eventually(lambda: parked(desk) == 3)
        desk.clock.advance(THREE_DAYS)
        assert 3 not in receiver.positions, "what is parked holds the rest of its contract"
        assert desk.subscriptions.replay_parked("erp") == 3
        eventually(lambda: parked(desk) == waiting(desk) == 0)
    assert sorted(receiver.positions) == list(range(5))
    assert receiver.in_order_for_each_contract()


def test_a_receiver_may_ask_for_a_longer_wait(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda _: (429, {"Retry-After": "3600"})
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering():
        desk.record(1)
        eventually(lambda: waiting(desk) == 1)
        [kept] = desk.subscriptions.kept("erp")
    assert kept.failed_at is not None
    assert timedelta(minutes=59) < kept.due_at - kept.failed_at <= timedelta(hours=1, seconds=5)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_fault_16_retry_after_binds_the_endpoint_also_over_a_restart(
    desk: Desk, receiver: Receiver, status: int, *, as_date: bool
) -> None:
    came_at: list[datetime] = []
    asked_at: list[datetime] = []

    def answer(_: Delivery) -> int | tuple[int, dict[str, str]]:
        came_at.append(desk.clock())
        if len(came_at) != 3:
            return 204
        asked_at.append(desk.clock())
        date = format_datetime(asked_at[0] + timedelta(seconds=60), usegmt=True)
        return status, {"Retry-After": date if as_date else "60"}

    receiver.answer = answer
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(WATCHFUL):
        desk.record(*range(12))
        eventually(lambda: waits_until(desk) is not None)
        rested = len(receiver.taken)
        desk.clock.advance(timedelta(seconds=25))
        desk.record(20, 21)
        threading.Event().wait(0.5)
    with desk.delivering(WATCHFUL):
        desk.clock.advance(timedelta(seconds=25))
        desk.record(22, 23)
        threading.Event().wait(0.5)
        assert len(receiver.taken) <= rested + 3, "what was in flight may land"
        desk.clock.advance(timedelta(seconds=20))
        eventually(lambda: len(set(receiver.positions)) == 16)
    ends = asked_at[0].replace(microsecond=0) + timedelta(seconds=60)
    early = [at for at in came_at[3:] if asked_at[0] + timedelta(seconds=1) < at < ends]
    assert early == []
    assert receiver.in_order_for_each_contract()


def test_fault_16_a_pause_is_of_the_receiver_and_of_all_that_lead_to_it(
    desk: Desk, receiver: Receiver
) -> None:
    with receiving() as other:
        receiver.answer = lambda _: (429, {"Retry-After": "3600"})
        desk.subscriptions.add_webhook("erp", receiver.url)
        desk.subscriptions.add_webhook("erp-too", receiver.url)
        desk.subscriptions.add_webhook("other", other.url)
        with desk.delivering(WATCHFUL):
            desk.record(1)
            eventually(lambda: waits_until(desk) is not None or waits_until(desk, "erp-too") is not None)
            desk.record(*range(2, 40))
            eventually(lambda: len(other.taken) == 39)
            assert len(receiver.came) <= 2
            desk.clock.advance(HOUR + timedelta(minutes=1))
            receiver.answer = lambda _: 204
            eventually(lambda: len(receiver.taken) == 78)


def test_fault_16_who_resumes_it_lifts_the_pause(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda _: (503, {"Retry-After": "86400"})
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(WATCHFUL):
        desk.record(1)
        eventually(lambda: waits_until(desk) is not None)
        receiver.answer = lambda _: 204
        desk.subscriptions.resume("erp")
        eventually(lambda: len(receiver.taken) == 1)
    assert waits_until(desk) is None


@pytest.mark.test_all
@pytest.mark.parametrize("says_when", [True, False])
def test_fault_16_a_limited_receiver_gets_about_as_many_posts_as_it_takes(
    desk: Desk, receiver: Receiver, *, says_when: bool
) -> None:
    taken_at: deque[float] = deque(maxlen=20)

    def answer(_: Delivery) -> int | tuple[int, dict[str, str]]:
        with receiver.lock:
            if len(taken_at) == 20 and taken_at[0] > time.monotonic() - 1:
                return 429, {"Retry-After": "1"} if says_when else {}
            taken_at.append(time.monotonic())
            return 204

    receiver.answer = answer
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering():
        desk.record(*(number % 60 for number in range(400)))
        eventually(lambda: len(set(receiver.positions)) == 400, seconds=120)
    assert len(receiver.came) <= 1.2 * len(receiver.taken)
    assert receiver.in_order_for_each_contract()


def test_410_disables_and_resume_goes_on_where_it_was(desk: Desk, receiver: Receiver) -> None:
    receiver.answer = lambda _: 410
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering():
        desk.record(1)
        eventually(lambda: state(desk) == "disabled")
        assert desk.subscriptions.one("erp").subscription.because == "it answered 410 Gone"
        came = len(receiver.came)
        desk.record(2, 3)
        desk.clock.advance(timedelta(days=1))
        receiver.answer = lambda _: 204
        desk.subscriptions.resume("erp")
        eventually(lambda: lag(desk) == 0 and waiting(desk) == 0)
    assert came == 1
    assert sorted(receiver.positions) == [0, 1, 2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(desk: Desk, receiver: Receiver, status: int) -> None:
    with receiving() as elsewhere:
        receiver.answer = lambda _: (status, {"Location": elsewhere.url})
        desk.subscriptions.add_webhook("erp", receiver.url)
        with desk.delivering():
            desk.record(1)
            eventually(lambda: waiting(desk) == 1)
        assert elsewhere.came == []
    assert "redirects are not followed" in str(desk.subscriptions.kept("erp")[0].told)


def test_a_receiver_that_never_answers_is_given_up_in_time(desk: Desk, receiver: Receiver) -> None:
    let_go = threading.Event()
    receiver.answer = lambda _: 204 if let_go.wait(10) else 500
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(HURRIED):
        desk.record(1)
        eventually(lambda: waiting(desk) == 1)
        assert desk.subscriptions.kept("erp")[0].told == "it did not answer in time"
        let_go.set()


def test_what_is_paused_rests_and_misses_nothing(desk: Desk, receiver: Receiver) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering():
        desk.record(1, 2)
        eventually(lambda: len(receiver.taken) == 2)
        desk.subscriptions.pause("erp", "release on Monday")
        eventually(lambda: _rests(desk))
        desk.record(1, 2)
        assert lag(desk) == 2
        desk.subscriptions.resume("erp")
        eventually(lambda: lag(desk) == 0)
    assert sorted(receiver.positions) == [0, 1, 2, 3]


def _rests(desk: Desk) -> bool:
    with desk.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select lease is null from ledger.subscriptions")
        return bool(cursor.fetchone() == (True,))


def test_events_are_resent_under_their_ids_in_order_and_before_what_follows(
    desk: Desk, receiver: Receiver
) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering():
        desk.record(*(number % 4 for number in range(40)))
        eventually(lambda: lag(desk) == 0)
        first = {delivery.position: delivery for delivery in receiver.taken}
        assert desk.subscriptions.resend("erp", 10, 29) == 20
        assert desk.subscriptions.resend("erp", 10, 29, "CC-2") == 0, "they wait already"
        eventually(lambda: len(receiver.taken) == 60)
        eventually(lambda: waiting(desk) == 0)
        assert desk.subscriptions.resend("erp", 0, 39, "CC-2") == 10
        eventually(lambda: len(receiver.taken) == 70)
    again = receiver.taken[40:60]
    assert sorted(delivery.position for delivery in again) == list(range(10, 30))
    assert all(delivery.body == first[delivery.position].body for delivery in again)
    for contract in {delivery.contract for delivery in again}:
        positions = [delivery.position for delivery in again if delivery.contract == contract]
        assert positions == sorted(positions)
    with pytest.raises(UsageError):
        desk.subscriptions.resend("erp", 0, 40)


def test_only_the_types_that_are_wanted_are_delivered(desk: Desk, receiver: Receiver) -> None:
    desk.subscriptions.add_webhook("none", receiver.url, types=["claim.ClaimOpened"], after=-1)
    desk.subscriptions.add_webhook("all", receiver.url, types=["claim.AdviceGiven"], after=-1)
    desk.record(1, 2, 3)
    with desk.delivering():
        eventually(lambda: lag(desk, "none") == lag(desk, "all") == 0)
    assert len(receiver.came) == 3
    with pytest.raises(UsageError, match=r"did you mean claim\.ClaimOpened"):
        desk.subscriptions.add_webhook("wrong", receiver.url, types=["claim.ClaimOpen"])


def test_two_machines_share_the_work_and_deliver_nothing_twice(desk: Desk, receiver: Receiver) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    with desk.delivering(), desk.delivering():
        for _ in range(5):
            desk.record(*range(20))
        eventually(lambda: lag(desk) == 0)
    assert sorted(receiver.positions) == list(range(100))


def test_another_machine_takes_over_once_the_lease_of_a_dead_one_has_run_out(
    desk: Desk, receiver: Receiver, database: Database
) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    desk.record(1)
    execute(
        database.app_dsn,
        "update ledger.subscriptions set lease = gen_random_uuid(), leased_until = now() + interval '2 s'",
    )
    begun = datetime.now(UTC)
    with desk.delivering():
        eventually(lambda: len(receiver.taken) == 1)
    assert datetime.now(UTC) - begun > timedelta(seconds=1.5)


def test_what_breaks_the_dispatch_ends_its_deliveries_and_is_not_swallowed(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    dispatch = Dispatcher(desk.pool, desk.secrets, desk.book, DispatchSettings(allow_private=True))
    looked = dispatch._feed_end  # noqa: SLF001 # a defect is put there

    def breaks() -> int:
        if receiver.taken:
            message = "a defect of ours"
            raise ZeroDivisionError(message)
        return looked()

    monkeypatch.setattr(dispatch, "_feed_end", breaks)
    desk.record(1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(dispatch.deliver(lambda: False), 20))
    assert len(receiver.taken) == 1
    assert _rests(desk)


def test_a_gap_in_the_feed_halts_the_delivery(desk: Desk, receiver: Receiver, database: Database) -> None:
    desk.record(1, 2, 3)
    execute(
        database.superuser_dsn,
        "alter table ledger.log disable trigger append_only",
        "delete from ledger.log where position = 1",
    )
    desk.subscriptions.add_webhook("erp", receiver.url, after=-1)
    with desk.delivering():
        threading.Event().wait(1.5)
    assert receiver.came == []
    assert lag(desk) == 3


def test_what_is_removed_is_told_no_more_and_its_name_is_free(desk: Desk, receiver: Receiver) -> None:
    desk.subscriptions.add_webhook("erp", receiver.url)
    with pytest.raises(SubscriptionExists):
        desk.subscriptions.add_webhook("erp", receiver.url)
    desk.subscriptions.remove("erp")
    with pytest.raises(SubscriptionUnknown):
        desk.subscriptions.pause("erp")
    desk.subscriptions.add_relay("erp", "claims")
    with pytest.raises(OtherKind):
        desk.subscriptions.rotate_secret("erp", HOUR)
    with pytest.raises(UsageError):
        desk.subscriptions.add_relay("bus", "claims.*")
    with pytest.raises(Rejected, match="user or a password"):
        desk.subscriptions.add_webhook("secret", "https://ada:secret@erp.example/hook")


def _verifies(secret: str, delivery: Delivery) -> bool:
    try:
        Webhook(secret).verify(delivery.body, delivery.headers)
    except WebhookVerificationError:
        return False
    return True
