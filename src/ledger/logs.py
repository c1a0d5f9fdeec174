"""What programs tell about their own work: lines on stderr, never on stdout, which carries data."""

import logging
import sys

import structlog


def log_to_stderr(*, quiet: bool) -> None:
    """Send log lines to stderr, times in UTC. `quiet`: only what somebody has to look after."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=_stderr,
        cache_logger_on_first_use=False,
    )


def _stderr(*_names: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)
