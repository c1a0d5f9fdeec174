"""Our plug-in for the library `eventsourcing`, for its own applications too: `docs/eventsourcing.md`.

`PERSISTENCE_MODULE=ledger.eventsourcing` looks for the one factory in the module that it names: here.
"""

from ledger.eventsourcing.factory import Factory

__all__ = ["Factory"]
