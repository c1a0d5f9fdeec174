"""How often one address, and all together, may send what needs no sign-in."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Final

MOST_ADDRESSES: Final = 50_000


class Rate:
    """At most `burst` at once, then one in `seconds`, for each address. Threads may share it."""

    def __init__(self, burst: int, seconds: float, *, now: Callable[[], float] = monotonic) -> None:
        """`now`: seconds of a steady clock, in tests."""
        self._burst = burst
        self._seconds = seconds
        self._now = now
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Say whether one more is allowed, and count it if so."""
        with self._lock:
            now = self._now()
            left, since = self._left.pop(address, (float(self._burst), now))
            left = min(self._burst, left + (now - since) / self._seconds)
            allowed = left >= 1
            self._left[address] = (left - 1 if allowed else left, now)
            if len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
            return allowed
