"""A receiver is never sent to before it asked to be, and about as much as it takes. No database."""

import heapq
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from ledger.webhooks.retry import (
    JITTER,
    LAST_TRY,
    LONGEST_ASKED_FOR,
    LONGEST_PAUSE,
    DeliveryResult,
    RateLimiter,
    Verdict,
    answered,
    next_try,
)
from ledger.webhooks.sender import asked_for

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TAKEN = DeliveryResult(Verdict.TAKEN)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def flown(pace: RateLimiter, outcome: DeliveryResult, now: datetime) -> None:
    pace.begin(now)
    pace.end()
    pace.landed(outcome, now)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_fault_16_no_answer_that_comes_meanwhile_shortens_the_pause(status: int) -> None:
    pace = RateLimiter(16)
    pace.begin(NOW)
    flown(pace, answered(status, MINUTE), NOW)
    pace.end()
    pace.landed(TAKEN, after(1))
    flown(pace, answered(429, timedelta(seconds=1)), after(2))
    assert not pace.allows(after(59.9))
    assert pace.allows(after(60 * (1 + JITTER)))


def test_fault_16_recovery_begins_with_one_and_doubles() -> None:
    pace = RateLimiter(16)
    flown(pace, DeliveryResult(Verdict.AWAY), NOW)
    at_once = []
    for _ in range(6):
        flying = 0
        while pace.allows(NOW):
            pace.begin(NOW)
            flying += 1
        at_once.append(flying)
        for _ in range(flying):
            pace.end()
            pace.landed(TAKEN, NOW)
    assert at_once == [1, 2, 4, 8, 16, 16]


def test_fault_16_a_refusal_without_a_time_is_waited_for_ever_longer_until_one_is_taken() -> None:
    pace, now, waits = RateLimiter(16, chance=lambda: 0.0), NOW, []
    for _ in range(8):
        flown(pace, answered(429), now)
        assert pace.not_before is not None
        waits.append((pace.not_before - now).total_seconds())
        now = pace.not_before
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    flown(pace, TAKEN, now)
    flown(pace, answered(429), now)
    assert pace.not_before == now + timedelta(seconds=1)
    assert timedelta(seconds=waits[-1]) == LONGEST_PAUSE


def test_fault_16_503_without_a_time_and_500_with_one_are_no_pause_of_all() -> None:
    pace = RateLimiter(16)
    flown(pace, answered(503), NOW)
    flown(pace, answered(500, MINUTE), NOW)
    assert pace.allows(NOW)


def test_fault_16_two_senders_do_not_come_back_at_the_same_instant() -> None:
    ends = set()
    for _ in range(20):
        pace = RateLimiter(16)
        flown(pace, answered(503, MINUTE), NOW)
        assert pace.not_before is not None
        assert after(60) <= pace.not_before <= after(66)
        ends.add(pace.not_before)
    assert len(ends) > 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (["60"], 60),
        (["0"], 0),
        (["0060"], 60),
        ([" 60 "], 60),
        (["Sun, 01 Mar 2026 00:01:00 GMT"], 60),
        (["Sunday, 01-Mar-26 00:01:00 GMT"], 60),
        (["Sun, 01 Mar 2026 00:01:00 -0000"], 60),
        (["Sat, 28 Feb 2026 00:01:00 GMT"], 0),
        (["10", "60"], 60),
        (["nonsense", "60", "-5"], 60),
        (["9" * 5], 99_999),
    ],
)
def test_fault_16_what_a_receiver_asks_for_is_read(headers: list[str], wait: int) -> None:
    assert asked_for(headers, NOW) == timedelta(seconds=wait)


@pytest.mark.parametrize(
    "nonsense",
    ["", "-1", "+60", "1.5", "1e3", "soon", "٦٠", "60 s", "0x10", "Sun, 99 Mar 2026 00:01:00 GMT",
     "Sun, 01 Mar 99999999999999999999 00:01:00 GMT", "Sun, 01 Mar 2026 99:99:99 GMT", ",", ":::", "\x00"],
)  # fmt: skip
def test_fault_16_nonsense_in_its_place_is_as_if_nothing_was_said(nonsense: str) -> None:
    assert asked_for([nonsense], NOW) is None


@pytest.mark.parametrize("headers", [[str(10**30)], ["9" * 5_000], ["Fri, 31 Dec 9999 23:59:59 GMT"]])
def test_fault_16_nobody_is_waited_for_longer_than_a_day(headers: list[str]) -> None:
    asked = asked_for(headers, NOW)
    assert asked is not None
    pace = RateLimiter(16, chance=lambda: 0.0)
    flown(pace, answered(503, asked), NOW)
    assert pace.not_before == NOW + LONGEST_ASKED_FOR
    assert next_try(1, NOW, NOW, asked) == NOW + LONGEST_ASKED_FOR


def test_fault_16_the_last_try_too_waits_for_what_was_asked() -> None:
    now = NOW + LAST_TRY - timedelta(hours=1)
    assert next_try(50, NOW, now, timedelta(hours=3)) == now + timedelta(hours=3)
    assert next_try(50, NOW, now) == NOW + LAST_TRY


@dataclass
class Limiter:
    """A receiver that takes so many in each second: of the clock, or of any."""

    a_second: int
    slides: bool
    taken: list[float] = field(default_factory=list)

    def take(self, at: float) -> bool:
        begun = at - 1 if self.slides else math.floor(at) - 1e-9
        free = sum(one > begun for one in self.taken[-self.a_second :]) < self.a_second
        if free:
            self.taken.append(at)
        return free


@pytest.mark.parametrize("says_when", [True, False])
@pytest.mark.parametrize("slides", [True, False])
@pytest.mark.parametrize("latency", [0.002, 0.2])
@pytest.mark.parametrize("a_second", [1, 3, 10, 25, 80])
def test_fault_16_a_limited_receiver_is_sent_about_as_much_as_it_takes(
    a_second: int, latency: float, *, slides: bool, says_when: bool
) -> None:
    limiter, pace = Limiter(a_second, slides), RateLimiter(16, chance=Random(1).random)  # noqa: S311 # repeatable
    flying: list[tuple[float, bool]] = []
    posts, at, not_before = 0, 0.0, 0.0
    while len(limiter.taken) < 300 and at < 3_000:
        while flying and flying[0][0] <= at:
            landed_at, is_taken = heapq.heappop(flying)
            pace.end()
            pace.landed(TAKEN if is_taken else answered(429, timedelta(seconds=says_when) or None), after(at))
            if not is_taken and says_when:
                not_before = max(not_before, landed_at + 1)
        while pace.allows(after(at)):
            assert at >= not_before
            pace.begin(after(at))
            posts += 1
            heapq.heappush(flying, (at + latency, limiter.take(at + latency / 2)))
        at += 0.005
    assert len(limiter.taken) >= 300
    assert posts <= 1.2 * len(limiter.taken)
    assert at < 3 * 300 / a_second + 10, "it is given most of what it takes"
