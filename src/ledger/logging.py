"""What programs tell about their own work: lines on stderr, never on stdout, which carries data."""

import logging
import sys

import structlog
from structlog.typing import Processor


def log_to_stderr(*, quiet: bool, as_json: bool = False) -> None:
    """Send log lines to stderr, times in UTC. `quiet`: only what somebody has to look after.

    `as_json`: each line one JSON object, for whatever gathers logs.
    """
    render: Processor = (
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
        if as_json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=_stderr,
        cache_logger_on_first_use=False,
    )


def _stderr(*_names: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)
