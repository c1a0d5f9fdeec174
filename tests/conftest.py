"""What every test may ask for."""

import os
import signal

import hypothesis

from fixtures.memory import work_in_memory
from ledger.logging import log_to_stderr

pytest_plugins = [
    "fixtures.server",
    "fixtures.database",
    "fixtures.moved_clock",
    "fixtures.program",
    "fixtures.served",
    "fixtures.visited",
    "fixtures.node",
]


def pytest_configure() -> None:
    """Hear Ctrl-C, and let the programs hear it that tests start and then interrupt; wait for slow examples.

    A shell makes what it starts in the background deaf to it, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work_in_memory()
    # As each program does: what a sealer says in a thread must not stand in what a command prints.
    log_to_stderr(quiet=False)
    # How long an example takes says something of the machine, and nothing of the ledger.
    too_slow = hypothesis.HealthCheck.too_slow
    # What lands is judged by the same examples each time; everybody else looks for new ones.
    same = bool(os.environ.get("CI"))
    hypothesis.settings.register_profile(
        "busy", deadline=None, derandomize=same, suppress_health_check=[too_slow]
    )
    hypothesis.settings.load_profile("busy")
