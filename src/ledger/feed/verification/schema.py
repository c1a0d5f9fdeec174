"""Whether the schema still is what the migrations made: guards, views and rights among it."""

from typing import Final

from ledger.feed.verification.fault import NotVerified
from ledger.store.catalogue import departures
from ledger.store.pool import Pool

MOST_TOLD: Final = 5


def verify_schema(pool: Pool) -> None:
    """Hold the schema against the migrations. Raises NotVerified, naming what is not as they make it.

    Who else may only read is no fault of it: `doctor` tells of that.
    """
    with pool.transaction() as connection:
        found = [departure for departure in departures(connection) if not departure.only_reads]
    if found:
        told = "; ".join(map(str, found[:MOST_TOLD]))
        more = f"; and {len(found) - MOST_TOLD:,} more" if len(found) > MOST_TOLD else ""
        raise NotVerified(None, "the schema", told + more)
