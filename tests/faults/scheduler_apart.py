"""A scheduler as `up` runs it, on a machine whose clock is so many seconds off: run by the fault tests.

`python scheduler_apart.py SECONDS [FIRST_ADDRESS]`: the home comes from the environment, as always.
"""

import sys
from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.schedulers import base as apscheduler

from coverledger.composition import compose
from ledger import clock
from ledger.app import App
from ledger.cli.up import run

AHEAD = timedelta(seconds=float(sys.argv[1]))
SERVICES = ("diary", "clockwork")
"""What a machine needs for deadlines to take effect; the sealer comes with `up`."""


class Wrong(datetime):
    """This machine's clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a plain datetime will do
        return datetime.now(tz or UTC) + AHEAD


all_services = App.services.fget  # type: ignore[attr-defined] # a property
apscheduler.datetime = Wrong
clock.datetime = Wrong  # type: ignore[misc] # that is the point
App.services = property(  # type: ignore[assignment,misc] # as above
    lambda wiring: {name: serve for name, serve in all_services(wiring).items() if name in SERVICES}
)
sys.exit(run("cyber-care", compose(), demo=False, port=None, one_process=True))
