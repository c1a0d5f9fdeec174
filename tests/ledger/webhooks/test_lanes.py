"""Whatever comes in whatever order: nothing is lost, nothing overtakes within its contract. No database."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from fixtures.published_events import every_event
from ledger.feed.reader import FeedEvent
from ledger.store.subscriptions import Kept
from ledger.webhooks.ordered_queue import Delivery, OrderedQueue, QueueChanges
from ledger.webhooks.retry import (
    LAST_TRY,
    LONGEST_PROBE,
    LONGEST_WAIT,
    CircuitBreaker,
    DeliveryResult,
    Verdict,
    answered,
    next_try,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SAMPLE = next(every_event())
TAKEN = DeliveryResult(Verdict.TAKEN)


def event(position: int, contract: int) -> FeedEvent:
    fields = {name: getattr(SAMPLE, name) for name in SAMPLE.__slots__ if name != "_decoded"}
    return FeedEvent(**fields | {"position": position, "correlation_id": UUID(int=contract)})


class Table:
    """The rows of `ledger.deliveries`, as the database keeps them."""

    def __init__(self) -> None:
        self.rows: dict[int, Kept] = {}
        self.position = -1

    def note(self, changes: QueueChanges) -> None:
        assert changes.position >= self.position, "the checkpoint never goes back"
        self.position = changes.position
        for kept in changes.keep:
            self.rows[kept.position] = kept
        for position in changes.forget:
            del self.rows[position]
        for contract in changes.park:
            for kept in self.of(contract):
                self.rows[kept.position] = kept._replace(state="parked")

    def of(self, contract: UUID) -> list[Kept]:
        return sorted(kept for kept in self.rows.values() if kept.contract == contract)

    def first_due(self, now: datetime) -> list[UUID]:
        firsts = [self.of(contract)[0] for contract in {kept.contract for kept in self.rows.values()}]
        return [kept.contract for kept in firsts if kept.state == "waiting" and kept.due_at <= now]


class Course:
    """One course of events, by chance: what is read, sent, noted, recalled, and when the program dies."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 # chance that can be repeated
        contracts = self.chance.randint(1, 4)
        self.feed = [
            event(position, self.chance.randrange(contracts))
            for position in range(self.chance.randint(1, 25))
        ]
        self.table, self.lanes, self.now = Table(), OrderedQueue(-1, ()), NOW
        self.flying: list[Delivery] = []
        self.taken: list[FeedEvent] = []
        self.deaths = self.chance.randrange(4)

    def run(self) -> None:
        steps = (self.read, self.fly, self.fly, self.land, self.land, self.note, self.recall, self.die)
        for _ in range(5_000):
            self.chance.choice(steps)()
            if self.table.position == len(self.feed) - 1 and not self.table.rows and not self.flying:
                return
        message = f"it came to no end: {self.table.position} {self.table.rows}"
        raise AssertionError(message)

    def read(self) -> None:
        if self.lanes.position + 1 < len(self.feed):
            self.lanes.offer(self.feed[self.lanes.position + 1], self.now)

    def fly(self) -> None:
        flight = self.lanes.next(self.now)
        if flight is not None:
            self.flying.append(flight)

    def land(self) -> None:
        if not self.flying:
            return
        flight = self.flying.pop(self.chance.randrange(len(self.flying)))
        outcome = self.chance.choice([TAKEN, TAKEN, answered(500), answered(503)])
        if outcome is TAKEN or self.chance.random() < 0.3:  # taken, and the answer was lost
            self.taken.append(flight.event)
        self.lanes.landed(flight, outcome, self.now)

    def note(self) -> None:
        changes = self.lanes.changes()
        self.table.note(changes)
        for contract in changes.drained:
            self.recall_one(contract)

    def recall(self) -> None:
        self.now += timedelta(seconds=self.chance.choice([0, 1, 30, 3_600]))
        for contract in self.table.first_due(self.now):
            self.recall_one(contract)

    def recall_one(self, contract: UUID) -> None:
        if self.lanes.is_busy(contract):
            return
        rows = [kept for kept in self.table.of(contract) if kept.state == "waiting"]
        if rows:
            self.lanes.recall(contract, [Delivery(self.feed[kept.position], kept) for kept in rows[:2]])
        else:
            self.lanes.release(contract)

    def die(self) -> None:
        if self.deaths > 0 and self.chance.random() < 0.1:
            self.deaths -= 1
            self.taken += [flight.event for flight in self.flying]  # the receiver had them, nobody knows
            self.flying = []
            self.lanes = OrderedQueue(
                self.table.position, {kept.contract for kept in self.table.rows.values()}
            )


@pytest.mark.parametrize("seed", range(300))
def test_every_event_is_taken_at_least_once_and_first_in_order_of_its_contract(seed: int) -> None:
    course = Course(seed)
    course.run()
    assert {one.position for one in course.taken} == set(range(len(course.feed)))
    last: dict[UUID, int] = {}
    for one in dict.fromkeys(event.position for event in course.taken):
        contract = course.feed[one].correlation_id
        assert one > last.get(contract, -1)
        last[contract] = one


def test_waits_double_from_five_seconds_to_two_hours_and_end_after_three_days() -> None:
    tries, now, waits = 0, NOW, []
    while True:
        tries += 1
        due = next_try(tries, NOW, now)
        if due is None:
            break
        waits.append(due - now)
        now = due
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert max(waits) == LONGEST_WAIT
    assert now == NOW + LAST_TRY
    assert 40 < tries < 60
    assert next_try(1, NOW, NOW, timedelta(hours=1)) == NOW + timedelta(hours=1)
    assert next_try(1, NOW, NOW, timedelta(days=30)) == NOW + timedelta(days=1)
    assert next_try(10_000, NOW, NOW) == NOW + LONGEST_WAIT


def test_an_outage_is_probed_ever_more_rarely_and_ends_with_the_first_success() -> None:
    outage, now = CircuitBreaker(), NOW
    for contract in range(3):
        assert not outage.is_on
        outage.landed(UUID(int=contract), Verdict.AWAY, now)
    assert outage.is_on
    assert not outage.may_probe(now)
    waits = []
    for contract in range(10):
        begun = now
        while not outage.may_probe(now):
            now += timedelta(seconds=1)
        waits.append(now - begun)
        outage.landed(UUID(int=contract), Verdict.AWAY, now)
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_PROBE
    assert outage.landed(UUID(int=99), Verdict.TAKEN, now), "whoever waits may be tried at once"
    assert not outage.is_on


def test_one_contract_that_times_out_again_and_again_is_no_outage() -> None:
    outage = CircuitBreaker()
    for _ in range(100):
        outage.landed(UUID(int=1), Verdict.AWAY, NOW)
    assert not outage.is_on
