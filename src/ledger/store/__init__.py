"""The write side's store: a psycopg2 recorder on Postgres, append-only, with personal data sealed per person.

`Pool` lends connections. `EventStore.load` reads all that a decision needs in one query, `EventStore.append`
records a `Commit` in one round trip. `Books` keeps the books' rows. `MasterKeys` reads the file of the keys
that wrap all others. `Factory` (`PERSISTENCE_MODULE=ledger.store.factory:Factory`) plugs the store into
`eventsourcing`.
"""

from ledger.store.books import Books
from ledger.store.commit import Appended, AppendedEvent, CommandAnswer, Commit, NewEvent, StreamHead
from ledger.store.errors import (
    BookUnknown,
    CommandExists,
    DatabaseRefused,
    ImportOpen,
    KeyFileRefused,
    LogBroken,
    MasterKeyMissing,
    MigrationRefused,
    NothingRecorded,
    OutcomeUnknown,
    StoreError,
    SubjectErased,
    Unreachable,
    Unreadable,
    VersionConflict,
)
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys
from ledger.store.loaded import BookRow, FirstAnswer, Loaded, LoadedStream, OpenImport
from ledger.store.pool import Connection, Pool
from ledger.store.streams import stream_id, stream_ref

__all__ = [
    "Appended",
    "AppendedEvent",
    "BookRow",
    "BookUnknown",
    "Books",
    "CommandAnswer",
    "CommandExists",
    "Commit",
    "Connection",
    "DatabaseRefused",
    "EventStore",
    "FirstAnswer",
    "ImportOpen",
    "KeyFileRefused",
    "Loaded",
    "LoadedStream",
    "LogBroken",
    "MasterKeyMissing",
    "MasterKeys",
    "MigrationRefused",
    "NewEvent",
    "NothingRecorded",
    "OpenImport",
    "OutcomeUnknown",
    "Pool",
    "StoreError",
    "StreamHead",
    "SubjectErased",
    "Unreachable",
    "Unreadable",
    "VersionConflict",
    "stream_id",
    "stream_ref",
]
