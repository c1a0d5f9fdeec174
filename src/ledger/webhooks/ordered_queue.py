"""Events on their way to one webhook: many at once, but of each contract only one, and in order. Pure.

An event is open from the moment it is read until it is taken, or kept for another try. The checkpoint stands
before the first open one, so that whatever is open when the program dies is read, and sent, again.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.feed.reader import FeedEvent
from ledger.store.subscriptions import Kept, behind
from ledger.webhooks.retry import CircuitBreaker, DeliveryResult, Verdict, next_try


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that is to be delivered, or is being delivered."""

    event: FeedEvent
    kept: Kept | None = None
    """What is noted of its earlier tries; None when this is the first."""


@dataclass(frozen=True, slots=True)
class QueueChanges:
    """What has come about since the last checkpoint, to be noted in one transaction."""

    position: int
    """Every event up to it is taken, or kept."""
    keep: Sequence[Kept]
    forget: Sequence[int]
    """Positions of events that were kept and are taken now."""
    park: Sequence[UUID]
    """Contracts of which an event failed for the last time."""
    hurry: bool
    """The receiver is back: what failed because it was away may be tried at once."""
    taken_at: datetime | None
    """When an event was last taken; None: none was."""
    told: str | None
    """What the last failure was; None after a success."""
    gone: str | None
    """Why the receiver wants no more events."""
    drained: Sequence[UUID]
    """Contracts whose recalled events were all taken: there may be more, or they are free again."""

    @property
    def say_something(self) -> bool:
        """Whether anything has come about but the position."""
        return bool(self.keep or self.forget or self.park or self.taken_at or self.gone or self.drained)


def moved_to(position: int, taken_at: datetime | None, told: str | None) -> QueueChanges:
    """Return the changes of a subscriber of whom nothing is ever kept."""
    return QueueChanges(
        position, (), (), (), hurry=False, taken_at=taken_at, told=told, gone=None, drained=()
    )


class OrderedQueue:
    """One lane for each contract that has events on their way."""

    def __init__(self, position: int, kept: Iterable[UUID], told: str | None = None) -> None:
        """Go on after `position`; `kept`: contracts with events that wait or are parked."""
        self.position = position
        """Last position read."""
        self.outage = CircuitBreaker()
        self._kept = set(kept)
        self._lanes: dict[UUID, deque[Delivery]] = {}
        self._flying: set[UUID] = set()
        self._fresh_flying = 0
        self._ready_fresh: deque[UUID] = deque()
        self._ready_kept: deque[UUID] = deque()
        self._open: dict[int, None] = {}
        self._closed = False
        self._told = told
        self._taken_at: datetime | None = None
        self._gone: str | None = None
        self._begin_anew()

    @property
    def open_events(self) -> int:
        """Number of events read that are neither taken nor kept."""
        return len(self._open)

    @property
    def in_flight(self) -> int:
        """Number of events that are being delivered at this moment."""
        return len(self._flying)

    @property
    def settled(self) -> int:
        """Position up to which every event is taken, or kept."""
        return next(iter(self._open)) - 1 if self._open else self.position

    def is_busy(self, contract: UUID) -> bool:
        """Return whether a contract has events on their way, or something that is not noted yet."""
        return contract in self._lanes or contract in self._touched

    def offer(self, event: FeedEvent, now: datetime) -> bool:
        """Take the next event of the feed; False when it has to stand behind one that was kept."""
        self.position = event.position
        contract = event.correlation_id
        if contract in self._kept:
            self._touched.add(contract)
            self._keep.append(behind(event.position, contract, now))
            return False
        self._open[event.position] = None
        self._line_up(contract, [Delivery(event)])
        return True

    def pass_over(self, position: int) -> None:
        """Take note of a position whose event is not wanted."""
        self.position = position

    def recall(self, contract: UUID, deliveries: Sequence[Delivery]) -> None:
        """Try kept events of a contract again, in this order; it is not busy."""
        self._kept.add(contract)
        self._line_up(contract, deliveries)

    def may_fly(self, now: datetime) -> bool:
        """Return whether there is an event to deliver now. In an outage only one at a time is tried anew."""
        if self._closed:
            return False
        if self._ready_kept:
            return True
        held = self.outage.is_on and (self._fresh_flying > 0 or not self.outage.may_probe(now))
        return bool(self._ready_fresh) and not held

    def next(self, now: datetime) -> Delivery | None:
        """Return an event to deliver now, if there is one. Its contract is in flight until it has landed."""
        if not self.may_fly(now):
            return None
        if self._ready_kept:
            contract = self._ready_kept.popleft()
        else:
            contract = self._ready_fresh.popleft()
            self._fresh_flying += 1
        self._flying.add(contract)
        return self._lanes[contract][0]

    def landed(self, delivery: Delivery, outcome: DeliveryResult, now: datetime) -> None:
        """Take note of how a delivery ended."""
        contract = delivery.event.correlation_id
        self._flying.discard(contract)
        if delivery.kept is None:
            self._fresh_flying -= 1
        self._hurry |= self.outage.landed(contract, outcome.verdict, now)
        if outcome.verdict is Verdict.TAKEN:
            self._taken(contract, delivery, now)
        else:
            self._failed(contract, delivery, outcome, now)

    def end(self, because: str) -> None:
        """Disable the subscription, whatever the receiver says."""
        self._gone = because

    def close(self) -> None:
        """Start no further delivery."""
        self._closed = True

    def changes(self) -> QueueChanges:
        """Return what has come about since the last time; it is forgotten here."""
        changes = QueueChanges(
            self.settled,
            self._keep,
            self._forget,
            self._park,
            self._hurry,
            self._taken_at,
            self._told,
            self._gone,
            self._drained,
        )
        self._begin_anew()
        return changes

    def release(self, contract: UUID) -> None:
        """Deliver events of a contract as they come again: no event of it is kept any more."""
        self._kept.discard(contract)

    def _line_up(self, contract: UUID, deliveries: Sequence[Delivery]) -> None:
        lane = self._lanes.get(contract)
        if lane is None:
            self._lanes[contract] = deque(deliveries)
            self._make_ready(contract, deliveries[0])
        else:
            lane.extend(deliveries)

    def _make_ready(self, contract: UUID, first: Delivery) -> None:
        (self._ready_fresh if first.kept is None else self._ready_kept).append(contract)

    def _taken(self, contract: UUID, delivery: Delivery, now: datetime) -> None:
        self._taken_at, self._told = now, None
        lane = self._lanes[contract]
        lane.popleft()
        if delivery.kept is None:
            del self._open[delivery.event.position]
        else:
            self._touched.add(contract)
            self._forget.append(delivery.event.position)
        if lane:
            self._make_ready(contract, lane[0])
            return
        del self._lanes[contract]
        if delivery.kept is not None:
            self._drained.append(contract)

    def _failed(self, contract: UUID, delivery: Delivery, outcome: DeliveryResult, now: datetime) -> None:
        self._told = outcome.told
        self._touched.add(contract)
        if outcome.verdict is Verdict.GONE:
            self._gone = outcome.told
        tries = (delivery.kept.tries if delivery.kept else 0) + 1
        failed_at = (delivery.kept.failed_at if delivery.kept else None) or now
        due_at = next_try(tries, failed_at, now, outcome.asked_for)
        if due_at is None:
            self._park.append(contract)
        is_outage = outcome.verdict is Verdict.AWAY
        first = Kept(
            delivery.event.position,
            contract,
            "waiting",
            tries,
            failed_at,
            due_at or now,
            is_outage,
            outcome.told,
        )
        self._keep.append(first)
        self._kept.add(contract)
        for other in self._lanes.pop(contract):
            # What was kept already stays as it is noted.
            if other.kept is None:
                del self._open[other.event.position]
                if other is not delivery:
                    self._keep.append(behind(other.event.position, contract, now))

    def _begin_anew(self) -> None:
        self._keep: list[Kept] = []
        self._forget: list[int] = []
        self._park: list[UUID] = []
        self._hurry = False
        self._taken_at = None
        self._gone = None
        self._drained: list[UUID] = []
        self._touched: set[UUID] = set()
