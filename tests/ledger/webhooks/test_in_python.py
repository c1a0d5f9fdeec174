"""A program in Python reads the feed in a loop, and `eventsourcing`'s own subscription works as well."""

from collections.abc import Sequence
from itertools import islice
from threading import Event as StopEvent
from threading import Thread

import pytest
from eventsourcing.projection import ApplicationSubscription

from fixtures.desk import contract, ready_to_accept, send
from fixtures.subscribed import eventually
from ledger.app import App
from ledger.errors import Rejected, UsageError
from ledger.webhooks.subscriptions import NotActive, OtherKind, ReadElsewhere


@pytest.fixture
def book(simulated: App) -> App:
    """A book with ten events in its feed."""
    send(simulated, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    ready_to_accept(simulated, "K-1")
    ready_to_accept(simulated, "K-2")
    simulated.seal()
    assert end_of(simulated) == 8
    return simulated


def end_of(wiring: App) -> int:
    return [event.position for event in wiring.ledger.subscribe("end", follow=False)][-1]


def positions(wiring: App, name: str, types: Sequence[str] | None = None) -> list[int]:
    return [event.position for event in wiring.ledger.subscribe(name, types=types, follow=False)]


def test_a_loop_is_given_every_event_once_and_goes_on_where_it_was(book: App) -> None:
    assert positions(book, "erp") == list(range(9))
    assert positions(book, "erp") == []
    send(book, "GiveAdvice", {"claim": "K-1", "topics": ["passwords"]}, "2026-02-04T10:00:00+01:00")
    book.seal()
    assert positions(book, "erp") == [9]


def test_asking_for_the_next_event_commits_the_one_before_and_nothing_else_does(book: App) -> None:
    first = book.ledger.subscribe("erp", follow=False)
    assert [next(first).position, next(first).position] == [0, 1]
    first.close()  # as when the program dies while it handles position 1
    assert positions(book, "erp")[0] == 1


def test_an_error_of_the_consumer_leaves_its_event_to_be_given_again(book: App) -> None:
    def consume() -> None:
        for event in book.ledger.subscribe("erp", follow=False):
            if event.position == 3:
                message = "the consumer's own"
                raise RuntimeError(message)

    for _ in range(2):
        with pytest.raises(RuntimeError):
            consume()
    assert positions(book, "erp")[0] == 3


def test_a_new_name_begins_where_it_likes_and_an_old_one_where_it_was(book: App) -> None:
    assert [event.position for event in islice(book.ledger.subscribe("late", after=6), 2)] == [7, 8]
    assert next(book.ledger.subscribe("late", after=-1)).position == 8
    for beyond in (9, -2):
        with pytest.raises(UsageError):
            next(book.ledger.subscribe("beyond", after=beyond))


def test_only_types_that_are_wanted_are_given_and_the_checkpoint_passes_the_others(book: App) -> None:
    wanted = [event.type for event in book.ledger.subscribe("one", types=["claim.ClaimOpened"], follow=False)]
    assert wanted == ["claim.ClaimOpened"] * 2
    assert book.subscriptions.one("one").lag == 0
    with pytest.raises(UsageError, match=r"did you mean claim\.ClaimOpened"):
        book.ledger.subscribe("two", types=["claim.ClaimOpen"])


def test_it_waits_for_what_comes_and_ends_when_it_is_told_to(book: App) -> None:
    stop, seen = StopEvent(), []

    def consume() -> None:
        seen.extend(event.position for event in book.ledger.subscribe("tail", after=8, stop=stop))

    consuming = Thread(target=consume)
    consuming.start()
    eventually(lambda: any(one.subscription.name == "tail" for one in book.subscriptions.all()))
    send(book, "GiveAdvice", {"claim": "K-1", "topics": ["passwords"]}, "2026-02-04T10:00:00+01:00")
    book.seal()
    eventually(lambda: book.subscriptions.one("tail").lag == 0)
    stop.set()
    consuming.join(5)
    assert not consuming.is_alive()
    assert seen == [9]


def test_two_programs_under_one_name_are_told_so_and_neither_misses_anything(book: App) -> None:
    one, other = book.ledger.subscribe("erp"), book.ledger.subscribe("erp")
    assert (next(one).position, next(other).position) == (0, 0)
    assert next(one).position == 1
    with pytest.raises(ReadElsewhere):
        next(other)
    assert next(one).position == 2


def test_a_paused_name_a_webhooks_name_and_no_name_are_refused(book: App) -> None:
    reading = book.ledger.subscribe("erp")
    next(reading)
    book.subscriptions.pause("erp", "release on Monday")
    for again in (reading, book.ledger.subscribe("erp")):
        with pytest.raises(NotActive, match="release on Monday"):
            next(again)
    book.subscriptions.resume("erp")
    assert next(book.ledger.subscribe("erp")).position == 0
    book.subscriptions.add_webhook("hook", "https://erp.example/hook")
    with pytest.raises(OtherKind):
        next(book.ledger.subscribe("hook"))
    for name in ("", "a b", "-x", "x" * 65):
        with pytest.raises(UsageError):
            book.ledger.subscribe(name)


def test_a_pull_is_neither_resent_nor_replayed(book: App) -> None:
    positions(book, "erp")
    for refused in (
        lambda: book.subscriptions.resend("erp", 0, 1),
        lambda: book.subscriptions.replay_parked("erp"),
    ):
        with pytest.raises(Rejected):
            refused()


def test_a_consumer_sees_personal_values_sealed_only(book: App) -> None:
    for event in book.ledger.subscribe("erp", follow=False):
        assert "Ada Peeters" not in repr(event) + repr(event.event)


def test_the_subscription_of_eventsourcing_gives_the_same_events(book: App) -> None:
    subscription = ApplicationSubscription(book.ledger, gt=None)
    with subscription:
        given = list(islice(subscription, 9))
    theirs = [event for event, _ in given]
    ours = list(book.ledger.subscribe("erp", follow=False))
    assert theirs == [event.recorded for event in ours]
    assert [tracking.notification_id - 1 for _, tracking in given] == list(range(9))
    with ApplicationSubscription(book.ledger, gt=7) as later:
        assert [tracking.notification_id for _, tracking in islice(later, 2)] == [8, 9]
