"""What is counted while serving, for Prometheus to scrape."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

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
