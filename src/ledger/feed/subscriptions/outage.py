"""Whether a receiver is away as a whole: then it is probed with one event at a time. Pure.

What is not sent stays in the feed, so that an outage of days leaves a handful of events to try again.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ledger.feed.subscriptions.outcome import Verdict

CONTRACTS_FAILING: Final = 3
"""So many contracts in a row that find the receiver away are an outage."""
CONTRACTS_WAITING: Final = 1_000
"""So many contracts whose events are refused are one too: of a receiver that is up and takes nothing."""
FIRST_PROBE: Final = timedelta(seconds=5)
LONGEST_PROBE: Final = timedelta(minutes=1)


class Outage:
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
        """Say whether the receiver is away."""
        return len(self._failing) >= CONTRACTS_FAILING or self.waiting >= CONTRACTS_WAITING

    def may_probe(self, now: datetime) -> bool:
        """Say whether it is time to try one further event."""
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
