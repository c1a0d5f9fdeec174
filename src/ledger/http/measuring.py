"""What the database knows of the feed and its followers, as metrics."""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from ledger.attempts import FailingItem, failing
from ledger.http.counts import Measured
from ledger.store.errors import Unreachable
from ledger.store.examining import FeedFound, examine_feed
from ledger.wiring import Wiring


def measured(wiring: Wiring) -> Measured:
    """Give what asks the database at each scrape. While it is away, only `claims_ledger_up` is told: 0."""

    def measure() -> Iterator[Metric]:
        try:
            with wiring.pool.connection() as connection:
                feed, items = examine_feed(connection, wiring.book), failing(connection, wiring.book)
        except Unreachable:
            yield _gauge("claims_ledger_up", "Whether the database answers.", 0)
            return
        yield _gauge("claims_ledger_up", "Whether the database answers.", 1)
        yield from _of_feed(feed)
        yield _of_items(items)

    return measure


def _of_feed(feed: FeedFound) -> Iterator[Metric]:
    yield _gauge("claims_ledger_feed_position", "Position of the newest sealed event.", feed.end)
    yield _gauge("claims_ledger_unsealed_commits", "Commits that have no position yet.", feed.unsealed)
    lag = GaugeMetricFamily(
        "claims_ledger_follower_lag_positions",
        "Positions that a follower is behind the feed's end.",
        labels=["follower"],
    )
    parked = GaugeMetricFamily(
        "claims_ledger_parked_events", "Events that a follower could not take.", labels=["follower"]
    )
    for name, position in feed.followers.items():
        lag.add_metric([name], feed.end - position)
        parked.add_metric([name], feed.parked.get(name, 0))
    yield lag
    yield parked


def _of_items(items: Sequence[FailingItem]) -> Metric:
    failed = GaugeMetricFamily(
        "claims_ledger_failing_items",
        "Items that a worker could not handle: waiting for another try, or parked.",
        labels=["worker", "state"],
    )
    numbers = Counter((one.worker, "parked" if one.is_parked else "waiting") for one in items)
    for (worker, state), number in sorted(numbers.items()):
        failed.add_metric([worker, state], number)
    return failed


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)
