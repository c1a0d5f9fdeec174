"""Webhooks: every event, at least once, in order for each contract, whatever the receiver does."""

from fixtures.receiver import Receiver
from fixtures.subscribed import Desk, eventually


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
