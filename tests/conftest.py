"""What every test may ask for."""

import signal

pytest_plugins = [
    "fixtures.server",
    "fixtures.database",
    "fixtures.program",
    "fixtures.served",
    "fixtures.visited",
    "fixtures.node",
]


def pytest_configure() -> None:
    """Hear Ctrl-C, and let the programs hear it that tests start and then interrupt.

    A shell makes what it starts in the background deaf to it, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
