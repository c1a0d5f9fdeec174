"""What came of one try to deliver an event, when it is tried again, and how fast a receiver is delivered to.

Pure but for the chance that parts many senders.

What was not taken is tried again soon, then ever less often, for three days. A receiver that is away as a
whole is probed with one event at a time; what is not sent stays in the feed, so that an outage of days leaves
a handful of events to try again.

A receiver has one rate, however many subscriptions lead to it: never before it asked to be, and no more than
it takes. One that asks for a pause (429, or 503 and the like with Retry-After) is given it, whatever other
answers come in meanwhile. After it one delivery goes out, and one more at once with each that is taken. What
was taken in the second before tells how much it takes: from then on deliveries keep a distance, a fifth
longer than that says at first, which shrinks by a hundredth with each that is taken: some twenty are taken
for one that is not.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus
from random import random
from typing import Final
from uuid import UUID

_AWAY: Final = frozenset({
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
})  # fmt: skip


class Verdict(Enum):
    """How a try ended."""

    TAKEN = auto()
    """The receiver has it."""
    FAILED = auto()
    """It has it not, or nobody knows: to be tried again."""
    AWAY = auto()
    """The same, and another event would have fared no better: the receiver is down, or busy."""
    GONE = auto()
    """The receiver wants no more events (410)."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How a try ended, and what to tell the operator."""

    verdict: Verdict
    told: str = ""
    """One line without any part of an event or of an address."""
    asked_for: timedelta | None = None
    """Wait that the receiver asked for by Retry-After."""
    wants_pause: bool = False
    """The receiver asks for a pause of all deliveries, not only of this event's."""


def answered(status: int, asked_for: timedelta | None = None) -> DeliveryResult:
    """Judge an answer by its status: 2xx takes, 410 ends the subscription, all else is tried again."""
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return DeliveryResult(Verdict.TAKEN)
    if status == HTTPStatus.GONE:
        return DeliveryResult(Verdict.GONE, f"it answered {named}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message = f"it answered {named}, and redirects are not followed: subscribe the address it leads to"
        return DeliveryResult(Verdict.FAILED, message)
    if status in _AWAY:
        wants_pause = status == HTTPStatus.TOO_MANY_REQUESTS or asked_for is not None
        return DeliveryResult(Verdict.AWAY, f"it answered {named}", asked_for, wants_pause)
    return DeliveryResult(Verdict.FAILED, f"it answered {named}", asked_for)


LONGEST_ASKED_FOR: Final = timedelta(hours=24)
"""What a receiver may ask for by Retry-After; whoever asks for longer is asked again after that."""
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=1)
"""After a refusal that names no time: twice as long each time until one is taken."""
JITTER: Final = 0.1
"""Of a pause, at most, is added by chance, so that not all who wait come at the same instant."""
LONGEST_JITTER: Final = timedelta(seconds=30)

_WINDOW: Final = timedelta(seconds=1)
_LATENESS: Final = timedelta(milliseconds=40)
_SLOWER, _SLOWEST_STEP = 0.8, 0.25
_FASTER, _MUCH_FASTER, _MUCH_FASTER_AFTER = 1.01, 1.03, 60
"""With each that is taken; much faster from so many in a row on: more is taken than was thought."""
_SLOWEST: Final = 0.1
"""Deliveries a second."""
_NO_LIMIT: Final = 1_000.0
"""Deliveries a second from which on no distance is kept any more."""


class RateLimiter:
    """The pace of one receiver. Times are aware."""

    def __init__(
        self, most_at_once: int, not_before: datetime | None = None, *, chance: Callable[[], float] = random
    ) -> None:
        """`not_before`: end of the pause that it has asked for. `chance`: gives a number from 0 to 1."""
        self._most_at_once = most_at_once
        self._not_before = not_before
        self._chance = chance
        self._at_once = 1
        self._in_flight = 0
        self._rate: float | None = None
        self._next_at: datetime | None = None
        self._refused_in_a_row = self._taken_in_a_row = 0
        self._taken: deque[datetime] = deque()

    @property
    def not_before(self) -> datetime | None:
        """End of the last pause that was asked for or taken; None: there was none."""
        return self._not_before

    def hold(self, until: datetime | None) -> None:
        """Deliver nothing before an instant, which another program was asked for."""
        if until is not None and (self._not_before is None or until > self._not_before):
            self._not_before = until

    def free(self) -> None:
        """Forget the pause: somebody says that it may go on at once."""
        self._not_before = None

    def allows(self, now: datetime) -> bool:
        """Return whether a further delivery may begin now."""
        return (
            self._in_flight < self._at_once
            and (self._not_before is None or now >= self._not_before)
            and (self._next_at is None or now >= self._next_at)
        )

    def begin(self, now: datetime) -> None:
        """Take note of a delivery that begins. `end` follows, whatever comes of it."""
        self._in_flight += 1
        if self._rate is not None:
            distance = timedelta(seconds=(1 + JITTER * self._chance()) / self._rate)
            # Whoever looks a little late begins the next one a little sooner.
            self._next_at = max(self._next_at or now, now - _LATENESS) + distance

    def end(self) -> None:
        """Take note that one is over."""
        self._in_flight -= 1

    def landed(self, outcome: DeliveryResult, now: datetime) -> None:
        """Take note of how a delivery ended."""
        if outcome.wants_pause:
            self._refused(now, outcome.asked_for)
        elif outcome.verdict is Verdict.TAKEN:
            self._was_taken(now)
        elif outcome.verdict is Verdict.AWAY:
            self._at_once = 1

    def _was_taken(self, now: datetime) -> None:
        """Allow one more delivery at once."""
        self._refused_in_a_row = 0
        self._at_once = min(self._at_once + 1, self._most_at_once)
        self._taken.append(now)
        self._drop_old(now)
        if self._rate is not None:
            self._taken_in_a_row += 1
            much = self._taken_in_a_row > _MUCH_FASTER_AFTER
            faster = self._rate * (_MUCH_FASTER if much else _FASTER)
            self._rate = faster if faster < _NO_LIMIT else None
            self._next_at = self._next_at if self._rate else None

    def _refused(self, now: datetime, asked_for: timedelta | None) -> None:
        """Pause for the receiver as it wants: for so long, or it does not say."""
        self._drop_old(now)
        if not self._resting(now):
            # Else it was on its way when the pause began, and says nothing new of how much is taken.
            self._refused_in_a_row += 1
            self._taken_in_a_row = 0
            self._slow_down()
        if asked_for is None:
            doublings = min(max(self._refused_in_a_row - 1, 0), 10)
            pause = min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
        else:
            pause = min(asked_for, LONGEST_ASKED_FOR)
        jitter = min(pause * JITTER, LONGEST_JITTER) * self._chance()
        self.hold(now + pause + jitter)
        self._at_once = 1

    def _resting(self, now: datetime) -> bool:
        return self._not_before is not None and now < self._not_before

    def _slow_down(self) -> None:
        measured = len(self._taken) / _WINDOW.total_seconds() * _SLOWER or None
        if self._rate is None:
            self._rate = measured  # None where nothing was taken: that says nothing of how much would be
            return
        slower = self._rate * _SLOWER
        if measured is not None:
            slower = max(min(measured, slower), self._rate * _SLOWEST_STEP)
        self._rate = max(slower, _SLOWEST)

    def _drop_old(self, now: datetime) -> None:
        while self._taken and self._taken[0] <= now - _WINDOW:
            self._taken.popleft()


FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(hours=2)
LAST_TRY: Final = timedelta(days=3)
"""After the first failure: the last try, after which an event is parked."""


def next_try(
    tries: int, failed_at: datetime, now: datetime, asked_for: timedelta | None = None
) -> datetime | None:
    """Return when an event is tried again that failed `tries` times, first at `failed_at` and last at `now`.

    The wait doubles from five seconds to two hours; a receiver may ask for a longer one, of a day at most.
    The last try is three days after the first failure, or when the receiver asked for it; None: that was it.
    """
    last = failed_at + LAST_TRY
    if now >= last:
        return None
    doublings = min(tries - 1, 30)  # more overflow, and the longest wait is reached long before
    wait: timedelta = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    due = min(now + wait, last)
    return due if asked_for is None else max(due, now + min(asked_for, LONGEST_ASKED_FOR))


CONTRACTS_FAILING: Final = 3
"""So many contracts in a row that find the receiver away are an outage."""
CONTRACTS_WAITING: Final = 1_000
"""So many contracts whose events are refused are one too: of a receiver that is up and takes nothing."""
FIRST_PROBE: Final = timedelta(seconds=5)
LONGEST_PROBE: Final = timedelta(minutes=1)


class CircuitBreaker:
    """Watches how tries end."""

    def __init__(self) -> None:
        """Think well of the receiver."""
        self._failing: set[UUID] = set()
        self._wait = FIRST_PROBE
        self._probe_at: datetime | None = None
        self.waiting = 0
        """Contracts that wait for another try, as last counted."""

    @property
    def is_on(self) -> bool:
        """Whether the receiver is away."""
        return len(self._failing) >= CONTRACTS_FAILING or self.waiting >= CONTRACTS_WAITING

    def may_probe(self, now: datetime) -> bool:
        """Return whether it is time to try one further event."""
        return self._probe_at is None or now >= self._probe_at

    def landed(self, contract: UUID, verdict: Verdict, now: datetime) -> bool:
        """Take note of how a try ended; True when it ends an outage."""
        if verdict is Verdict.TAKEN:
            ended = len(self._failing) >= CONTRACTS_FAILING
            self._failing.clear()
            self._wait, self._probe_at = FIRST_PROBE, None
            return ended
        if verdict is Verdict.AWAY:
            self._failing.add(contract)
        if self.is_on and self.may_probe(now):
            self.put_off(now)
        return False

    def put_off(self, now: datetime) -> None:
        """Probe again later, and ever later."""
        self._probe_at = now + self._wait
        self._wait = min(self._wait * 2, LONGEST_PROBE)
