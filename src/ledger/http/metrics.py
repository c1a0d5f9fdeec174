"""Metrics for Prometheus: what is counted while serving, and what the database knows."""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.app import App
from ledger.attempts import FailingItem
from ledger.http.health import Watch
from ledger.store.diagnostics import FeedFound
from ledger.supervision import ServiceState
from ledger.webhooks.problems import Problem, SubscriptionProblem
from ledger.webhooks.subscriptions import SubscriptionStatus

BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Seconds."""

Measured = Callable[[], Iterable[Metric]]


class Counts:
    """The counters of one application. `measured`: asked at each scrape, for what the database knows."""

    def __init__(self, measured: Measured | None = None) -> None:
        """Begin at nothing."""
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "claims_ledger_http_request_seconds",
            "Time from request to the end of its answer.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._commands = Counter(
            "claims_ledger_commands",
            "Commands sent over HTTP, by what the ledger answered.",
            ("command", "status"),
            registry=self._registry,
        )
        self.streams = Gauge(
            "claims_ledger_event_streams", "Clients that listen to the feed now.", registry=self._registry
        )
        if measured is not None:
            self._registry.register(_Measured(measured))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def command(self, name: str, status: str) -> None:
        """Count one command."""
        self._commands.labels(name, status).inc()

    def text(self) -> bytes:
        """Write all of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _Measured(Collector):
    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def describe(self) -> Iterable[Metric]:
        """Nothing to compare names with: asking the database for that would be too much."""
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._measured()


def measured(wiring: App, watch: Watch) -> Measured:
    """Return what is looked at for each scrape. While the database is away nothing is told of its feed."""

    def measure() -> Iterator[Metric]:
        yield from _of_services(wiring.states.all())
        found = watch.found()
        yield _gauge("claims_ledger_up", "Whether the database answers.", 0 if found.feed is None else 1)
        if found.feed is not None:
            yield from _of_feed(found.feed)
            yield _of_items(found.failing)
            yield from _of_subscribers(found.subscribers, found.troubles)

    return measure


def _of_services(states: Sequence[ServiceState]) -> Iterator[Metric]:
    up = GaugeMetricFamily("claims_ledger_service_up", "Whether a service is well.", labels=["service"])
    restarts = CounterMetricFamily(
        "claims_ledger_service_restarts", "Times that a service was started again.", labels=["service"]
    )
    moved = GaugeMetricFamily(
        "claims_ledger_service_last_progress_seconds",
        "Seconds since a service last showed that it moves; none while it has nothing to do.",
        labels=["service"],
    )
    for state in states:
        up.add_metric([state.name], 1 if state.is_well else 0)
        restarts.add_metric([state.name], state.restarts)
        if state.moved is not None:
            moved.add_metric([state.name], state.moved)
    yield from (up, restarts, moved)


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
    numbers = collections.Counter((one.worker, "parked" if one.is_parked else "waiting") for one in items)
    for (worker, state), number in sorted(numbers.items()):
        failed.add_metric([worker, state], number)
    return failed


def _of_subscribers(
    subscribers: Sequence[SubscriptionStatus], troubles: Sequence[SubscriptionProblem]
) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "claims_ledger_subscription_lag_positions",
        "Positions that a subscription is behind the feed's end.",
        labels=["subscription"],
    )
    kept = GaugeMetricFamily(
        "claims_ledger_subscription_events",
        "Events that a subscriber did not take: waiting for another try, or parked.",
        labels=["subscription", "state"],
    )
    for one in subscribers:
        name = one.subscription.name
        lag.add_metric([name], one.lag)
        kept.add_metric([name, "waiting"], one.backlog.waiting)
        kept.add_metric([name, "parked"], one.backlog.parked)
    troubled = GaugeMetricFamily(
        "claims_ledger_subscription_troubled",
        "Whether a subscription needs somebody: it is disabled, has parked events, or is an hour behind.",
        labels=["subscription", "problem"],
    )
    for one in subscribers:
        for problem in get_args(Problem):
            is_so = any(
                trouble.subscription == one.subscription.name and trouble.problem == problem
                for trouble in troubles
            )
            troubled.add_metric([one.subscription.name, problem], is_so)
    yield from (lag, kept, troubled)


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)
