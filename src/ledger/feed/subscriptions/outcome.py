"""What came of one try to deliver an event. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

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
class Outcome:
    """How a try ended, and what to tell the operator."""

    verdict: Verdict
    told: str = ""
    """One line without any part of an event or of an address."""
    asked_for: timedelta | None = None
    """Wait that the receiver asked for by Retry-After."""
    wants_pause: bool = False
    """The receiver asks for a pause of all deliveries, not only of this event's."""


def answered(status: int, asked_for: timedelta | None = None) -> Outcome:
    """Judge an answer by its status: 2xx takes, 410 ends the subscription, all else is tried again."""
    try:
        named = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        named = str(status)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(Verdict.TAKEN)
    if status == HTTPStatus.GONE:
        return Outcome(Verdict.GONE, f"it answered {named}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message = f"it answered {named}, and redirects are not followed: subscribe the address it leads to"
        return Outcome(Verdict.FAILED, message)
    if status in _AWAY:
        wants_pause = status == HTTPStatus.TOO_MANY_REQUESTS or asked_for is not None
        return Outcome(Verdict.AWAY, f"it answered {named}", asked_for, wants_pause)
    return Outcome(Verdict.FAILED, f"it answered {named}", asked_for)
