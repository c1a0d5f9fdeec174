"""The composition root: opens one book of the ledger and hands out its parts.

    with opened("cyber-care", Registry()) as wiring:
        wiring.ledger.submit(...)
        wiring.catch_up("limits")

Used by every command and by `up`. Only `up`, `init`, `migrate`, `import` and `restore` of a backup make a
ledger where there is none, or change its schema; all others raise NoLedger or OldSchema and leave no trace.

What stands above the ledger (views, diary, deadlines) is in the registry that it is opened with: an empty one
is a ledger of its own, `coverledger.composition.opened` opens one with all that the program is made of.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from socket import socket
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self
from urllib.parse import quote

from ledger.application import Ledger
from ledger.clock import BEGINNING
from ledger.config import Settings
from ledger.errors import NoLedger, OldSchema, Rejected, UsageError
from ledger.feed.follower_group import FollowerGroup
from ledger.feed.followers import Follower, FollowerRunner, Prepares
from ledger.migrate import Schema, migrate, schema_of
from ledger.postgres import EmbeddedPostgres, blot_out_log
from ledger.sealing.sealer import Sealer
from ledger.sealing.signer import Signer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.books import (
    DATABASE,
    MIGRATOR,
    SEALING,
    WRITER,
    Books,
    admit,
    has_database,
    is_provisioned,
    join_roles,
    provision,
)
from ledger.store.errors import BookUnknown, KeyFileRefused, MigrationRefused
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys
from ledger.store.load import BookRow
from ledger.store.pool import Pool
from ledger.store.subscriptions import WebhookSecrets
from ledger.supervision import States
from ledger.verification.findings import CheckedView, OnProgress
from ledger.webhooks.subscriptions import Subscriptions

if TYPE_CHECKING:
    from fastapi import APIRouter

BOOK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""A book's name stands in addresses, in the names of key files and in the log's origin."""

NAMED_TABLES = 3
"""Of somebody else, named in a refusal."""

BookKind = Literal["real", "simulated"]
Beside = Callable[[Schema], None]
"""Asked before the ledger first comes into a database that holds other tables; raises to refuse."""


FollowerFactory = Callable[["App"], Follower | None]
"""None: there is nothing to follow with; so of a plug-in that failed."""
ViewCheck = Callable[["App", OnProgress], CheckedView]
"""Raises NotVerified."""
Sweep = Callable[["App", datetime], int]
"""Brings every stream to an instant, inclusive, whatever the book's clock says; returns how many events."""
Erasure = Callable[["App"], int]
"""Removes what lies outside the database of persons who were erased; returns how many things."""
Held = Callable[["App", str], object]
"""Returns what is held on a person beside the events, as JSON."""
SendHeads = Callable[["App"], Sequence[Mapping[str, object]]]
"""Sends the newest signed head to places outside; returns what came of each."""
Listing = Callable[["App", Mapping[str, str]], Any]
"""Returns what a verb prints with `--json` for these filters."""
Service = Callable[["App", StopEvent], None]
"""Runs until its stop event is set."""
Opening = Callable[["App"], Sequence[tuple[str, str]]]
"""Prepares what services need before any of them starts; returns what to tell: (what, where)."""
Routes = Callable[["App"], "APIRouter | None"]
"""Returns a router whose paths are whole (`/v1/{book}/limits`, `/contracts`); None: there are none."""


class _Named:
    """Dicts of what packages register, by name."""

    @classmethod
    def of(cls, adds: Iterable[Callable[[Self], None]]) -> Self:
        """Have all that packages register added."""
        made = cls()
        for add in adds:
            add(made)
        return made

    def include(self, more: Self) -> None:
        """Add all of `more`; nothing where a name is taken. Raises ValueError."""
        groups = [(kind, ours, vars(more)[kind]) for kind, ours in vars(self).items()]
        for kind, ours, theirs in groups:
            if taken := sorted(theirs.keys() & ours.keys()):
                message = f"the name {taken[0]!r} is taken among {kind.replace('_', ' ')}"
                raise ValueError(message)
        for _, ours, theirs in groups:
            ours.update(theirs)


@dataclass
class BookParts(_Named):
    """What works on one book beside the ledger, by name. The names of followers are stored."""

    followers: dict[str, FollowerFactory] = field(default_factory=dict)
    view_checks: dict[str, ViewCheck] = field(default_factory=dict)
    sweeps: dict[str, Sweep] = field(default_factory=dict)
    erasures: dict[str, Erasure] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    head_senders: dict[str, SendHeads] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    """What the site's pages show of a package that they do not import."""


@dataclass
class Serving(_Named):
    """What `up` runs for one book, by name."""

    services: dict[str, Service] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    routes: dict[str, Routes] = field(default_factory=dict)


class Composition(Protocol):
    """What stands above the ledger: a registry of `ledger.registry`."""

    @property
    def adds_parts(self) -> Iterable[Callable[[BookParts], None]]:
        """Who add to the parts of a book."""

    @property
    def adds_serving(self) -> Iterable[Callable[[Serving], None]]:
        """Who add to what `up` runs."""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The ways into one database, each with the rights of its role."""

    write: str
    seal: str
    migrate: str
    admit: Callable[[], None]
    """Gives the logins their roles, once the first migration has made them."""
    lost: Callable[[], str | None]
    """Says what is gone for good of that on which all stands: what is wrong, and what to do."""


class App:
    """The parts of one book, made when they are first asked for.

    `pool` is the application's (events, views, diary); the sealer has a pool of its own role.
    """

    def __init__(self, settings: Settings, book: str, ways: DatabaseUrls, registry: Composition) -> None:
        """Open nothing yet; `ways` lead to a database whose schema is up to date."""
        self.registry = registry
        self.settings = settings
        self.book = book
        self.ways = ways
        self.port: int | None = None
        """Port that `up` was told to serve the site on; None: the site's own choice."""
        self.listening: socket | None = None
        """Where `up` serves HTTP: bound before anything starts, so that a port in use is told in time."""
        self.address: str | None = settings.http_url
        """The address that people reach the site under; None while nobody serves it."""
        self.local_address: str | None = None
        """The address that programs of this machine reach it under."""
        self.states = States()
        """How the services of `up` are; empty in any other program."""

    @cached_property
    def pool(self) -> Pool:
        """Connections of the application's role."""
        return Pool(self.ways.write)

    @cached_property
    def sealer_pool(self) -> Pool:
        """Connections of the sealer's role."""
        return Pool(self.ways.seal, size=2, name="coverledger sealer")

    @cached_property
    def keys(self) -> MasterKeys:
        """The master keys, which wrap each person's key. Raises KeyFileRefused."""
        return MasterKeys.read(self.settings.master_key_path)

    @cached_property
    def store(self) -> EventStore:
        """Streams in the database."""
        return EventStore(self.pool, self.keys, prepares=self.settings.keeps_statements)

    @cached_property
    def books(self) -> Books:
        """Rows of the books."""
        return Books(self.pool)

    @cached_property
    def ledger(self) -> Ledger:
        """The book's ledger: submit commands to it."""
        return Ledger(self.store, self.books, self.book, self.pool)

    @cached_property
    def sealer(self) -> Sealer:
        """Gives what is recorded its positions."""
        return Sealer(self.sealer_pool, self.book, signer=self.signer)

    @cached_property
    def signing_place(self) -> SigningFiles:
        """Where the log's signing key lies, and what is kept beside it."""
        return SigningFiles(self.settings.signing_key_path(self.book))

    @cached_property
    def signer(self) -> Signer:
        """Signs the log's heads."""
        return Signer(self.sealer_pool, self.book, self.signing_place)

    @cached_property
    def event_type_prefix(self) -> str:
        """What the types of the book's CloudEvents begin with. Raises BookUnknown."""
        return self.books.event_type_prefix(self.book)

    @cached_property
    def parts(self) -> BookParts:
        """What works on the book beside the ledger."""
        return BookParts.of(self.registry.adds_parts)

    @cached_property
    def serving(self) -> Serving:
        """What `up` runs for the book."""
        return Serving.of(self.registry.adds_serving)

    @cached_property
    def followers(self) -> Mapping[str, Follower]:
        """Everything that follows the feed, by name, as the packages register it."""
        factories = self.parts.followers
        made = {name: factories[name](self) for name in sorted(factories)}
        return {name: follower for name, follower in made.items() if follower is not None}

    @property
    def services(self) -> Mapping[str, Service]:
        """What `up` runs beside the sealer, by name; each returns once its stop event is set."""
        return self.serving.services

    def prepare_services(self) -> Sequence[tuple[str, str]]:
        """Prepare what the services of `up` need before they start; return what to tell: (what, where).

        Raises what an opening raises, such as UsageError for a port that is in use.
        """
        openings = self.serving.openings
        return [told for name in sorted(openings) for told in openings[name](self)]

    @cached_property
    def webhook_secrets(self) -> WebhookSecrets:
        """What webhooks' deliveries are signed with. Raises KeyFileRefused."""
        return WebhookSecrets(self.store.book_keys)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Who is told of events."""
        return Subscriptions(
            self.pool, self.webhook_secrets, self.book, allow_private=self.settings.webhooks_allow_private
        )

    def book_row(self) -> BookRow:
        """Read the book's row: its kind, its clock, its open import. Raises BookUnknown."""
        return self.books.row(self.book)

    def now(self) -> datetime:
        """Read the database's time, UTC."""
        return self.store.load_many(self.book, ()).now

    def runner(self, name: str) -> FollowerRunner:
        """Return the runner of one follower. Raises UsageError for a name that nobody registered."""
        if name not in self.followers:
            message = f"Nothing called {name!r} follows the feed: choose one of {', '.join(self.followers)}."
            raise UsageError(message)
        return FollowerRunner(self.pool, self.book, self.followers[name])

    def seal(self) -> int:
        """Seal all that is recorded, unless another machine does; number of commits sealed.

        Raises LogForked when the log does not extend what was signed: nothing is sealed then.
        """
        return self.sealer.keep_up() if self.settings.sealer_enabled else 0

    def finish(self) -> None:
        """Sign what was sealed here and is not signed yet. Raises LogForked."""
        if self.settings.sealer_enabled and "sealer" in self.__dict__:
            self.sealer.finish()

    def catch_up(self, *names: str) -> None:
        """Seal all that is recorded and bring these followers (none named: all) to the feed's end."""
        self.seal()
        self.together(*names).catch_up()

    def together(self, *names: str) -> FollowerGroup:
        """Return these followers (none named: all), ready to follow over one reading of the feed."""
        runners = [self.runner(name) for name in names or self.followers]
        for runner in runners:
            if isinstance(runner.follower, Prepares):
                runner.follower.prepare(self.pool)
        return FollowerGroup(self.pool, self.book, runners)

    def sweep(self, until: datetime) -> int:
        """Record what time owes every stream up to `until`, inclusive; return how many events."""
        return sum(sweep(self, until) for sweep in self.parts.sweeps.values())

    def erase_outside(self) -> int:
        """Remove what lies outside the database of persons who were erased; how many things."""
        if self.settings.is_embedded:
            blot_out_log(self.settings.home)
        return sum(erase(self) for erase in self.parts.erasures.values())

    def held_beside(self, person: str) -> Mapping[str, object]:
        """Return what is held on a person beside the events, by what it is, as JSON: their letters."""
        held = self.parts.held
        return {name: held[name](self, person) for name in sorted(held)}

    def listed(self, name: str, filters: Mapping[str, str]) -> Any:  # noqa: ANN401  # JSON
        """Return what a verb of a package that the caller does not import prints with `--json`."""
        return self.parts.listings[name](self, filters)

    def send_heads(self) -> list[Mapping[str, object]]:
        """Send the newest signed head to the places outside; what came of each."""
        return [sent for send in self.parts.head_senders.values() for sent in send(self)]

    def hurry(self, seconds: float) -> None:
        """From now on no statement takes longer than so many seconds, those under way included."""
        for pool in self._pools():
            pool.hurry(seconds)

    def close(self) -> None:
        """Close the connections that were opened."""
        if self.listening is not None:
            self.listening.close()
        for pool in self._pools():
            pool.close()

    def _pools(self) -> list[Pool]:
        """Return the pools that were opened."""
        made: list[Pool] = []
        if "pool" in self.__dict__:
            made.append(self.pool)
        if "sealer_pool" in self.__dict__:
            made.append(self.sealer_pool)
        return made


@contextmanager
def opened(
    book: str,
    registry: Composition,
    settings: Settings | None = None,
    *,
    kind: BookKind = "real",
    creates: bool = True,
) -> Iterator[App]:
    """Open a book for one program: start or join Postgres, create what is missing, migrate.

    `registry`: what stands above the ledger.
    `kind`: what the book is created as if it does not exist yet; one that exists stays what it is.
    `creates`: False for a program that takes what is there and leaves no trace where there is nothing.

    Raises:
        Unavailable: no server to be had; NoLedger, OldSchema: there is nothing to open, and none is made.
        Rejected: the ledger is not there, and the database holds other tables.
        UsageError: settings.
        ledger.store.errors.KeyFileRefused: the master key is missing or open to others.

    """
    if not BOOK_NAME.fullmatch(book):
        message = f"{book[:40]!r} is no name of a book: use letters, digits, '.', '_' and '-', 64 at most."
        raise UsageError(message)
    settings = settings or Settings.load()
    with ExitStack() as stack:
        ways = _ways(settings, stack, creates=creates)
        _bring_up_to_date(ways, creates=creates)
        wiring = App(settings, book, ways, registry)
        stack.callback(wiring.close)
        if creates:
            _create_what_is_missing(wiring, kind)
        else:
            _find_book(wiring)
        yield wiring
        wiring.finish()


@contextmanager
def reached(settings: Settings, *, creates: bool = False) -> Iterator[DatabaseUrls]:
    """Start or join Postgres for work on a whole database. Makes no book.

    `creates` and what is raised: as in `opened`.
    """
    with ExitStack() as stack:
        ways = _ways(settings, stack, creates=creates)
        _bring_up_to_date(ways, creates=creates)
        yield ways


def migrated(settings: Settings | None = None, *, beside: Beside | None = None) -> Sequence[str]:
    """Start or join Postgres and bring its schema up to date; names of the migrations applied now.

    `beside`: asked before the ledger first comes into a database that holds other tables.
    """
    with ExitStack() as stack:
        ways = _ways(settings or Settings.load(), stack, creates=True)
        return _migrate(ways, schema_of(ways.migrate), beside or _refuse_beside)


def _bring_up_to_date(ways: DatabaseUrls, *, creates: bool) -> None:
    """Migrate, or make sure that nothing has to be. Raises NoLedger, OldSchema, Rejected."""
    schema = schema_of(ways.migrate)
    if creates:
        _migrate(ways, schema, _refuse_beside)
    elif not schema.is_ours:
        message = (
            f"There is no ledger here, in the database {schema.database!r}: make one with "
            "`coverledger init`, or name the database of yours in COVERLEDGER_DSN."
        )
        raise NoLedger(message)
    elif schema.pending:
        message = (
            f"The ledger here is older than this program and lacks {len(schema.pending)} migrations "
            f"({schema.pending[0]} the first): back it up, then run `coverledger migrate`."
        )
        raise OldSchema(message)


def _refuse_beside(schema: Schema) -> None:
    message = (
        f"The database {schema.database!r} holds other tables ({told_tables(schema.others)}): name one of "
        "the ledger's own in COVERLEDGER_DSN; or, if it is to stand beside them, run "
        "`coverledger migrate --yes` first."
    )
    raise Rejected(message)


def told_tables(names: Sequence[str]) -> str:
    """Return the names of some of the tables, and how many more there are."""
    more = len(names) - NAMED_TABLES
    return ", ".join(names[:NAMED_TABLES]) + (f" and {more:,} more" if more > 0 else "")


def _migrate(ways: DatabaseUrls, schema: Schema, beside: Beside) -> Sequence[str]:
    if not schema.pending:
        return []
    if schema.others:
        beside(schema)
    try:
        applied = migrate(ways.migrate)
    except MigrationRefused as error:
        message = f"The schema needs migrating, and {error}; COVERLEDGER_MIGRATE_DSN names such a login."
        raise Rejected(message) from error
    ways.admit()
    return applied


def _ways(settings: Settings, stack: ExitStack, *, creates: bool) -> DatabaseUrls:
    """Find the database: the one that the settings name, or the embedded one, founded if it is new.

    Raises NoLedger where nothing is to be founded.
    """
    if settings.dsn is not None:
        migrating = settings.dsn_to_migrate or settings.dsn
        return DatabaseUrls(
            write=settings.dsn,
            seal=settings.dsn_to_seal or settings.dsn,
            migrate=migrating,
            admit=lambda: join_roles(migrating) if migrating == settings.dsn else None,
            lost=_home_watch(settings.home),
        )
    embedded = EmbeddedPostgres(settings.home, binaries=settings.postgres_bin)
    if creates:
        settings.make_home()
    elif not embedded.is_made:
        raise _none_at_home(settings)
    server = stack.enter_context(embedded.join())
    if not creates and not has_database(server.superuser_dsn):
        raise _none_at_home(settings)
    ways = DatabaseUrls(
        write=server.dsn(WRITER, DATABASE),
        seal=server.dsn(SEALING, DATABASE),
        migrate=server.dsn(MIGRATOR, DATABASE),
        admit=lambda: admit(server.superuser_dsn),
        lost=server.lost,
    )
    if creates and not (has_database(server.superuser_dsn) and is_provisioned(ways.seal)):
        provision(server.superuser_dsn, server.password)
    return ways


def _home_watch(home: Path) -> Callable[[], str | None]:
    """Return what looks whether the home is still that of the first look: it, and no new one in its place."""
    first: list[tuple[int, int]] = []

    def look() -> str | None:
        provision = _folder(home)
        if not first and provision is not None:
            first.append(provision)
            if hasattr(os, "O_DIRECTORY"):
                os.open(home, os.O_RDONLY | os.O_DIRECTORY)  # held open, so that no other takes its inode
        if not first or provision == first[0]:
            return None
        return f"The ledger's home {home} is gone: put it back, and start again."

    return look


def _folder(path: Path) -> tuple[int, int] | None:
    """Return what differs between a folder and another one that stands in its place later."""
    try:
        provision = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return provision.st_dev, provision.st_ino


def _none_at_home(settings: Settings) -> NoLedger:
    message = (
        f"There is no ledger here, in {settings.home}: make one with `coverledger init`, or name the home "
        "of yours in COVERLEDGER_HOME, or its database in COVERLEDGER_DSN."
    )
    return NoLedger(message)


def _find_book(wiring: App) -> None:
    """Ensure that the book is there. Raises NoLedger."""
    try:
        wiring.book_row()
    except BookUnknown:
        names = wiring.books.names()
        there = f"it has {told_tables(names)}" if names else "it has no book yet"
        message = (
            f"There is no ledger here of a book {wiring.book!r} ({there}): choose one with --book, or make it"
            f" with `coverledger init --book {wiring.book}`."
        )
        raise NoLedger(message) from None


def _create_what_is_missing(wiring: App, kind: BookKind) -> None:
    """Create the book's row where there is none yet, and with the first book the master key."""
    try:
        wiring.book_row()
    except BookUnknown:
        if not wiring.books.names():
            _create_master_key(wiring.settings)
        wiring.books.create(
            wiring.book,
            kind=kind,
            origin=origin_of(wiring.book, kind),
            clock_at=BEGINNING if kind == "simulated" else None,
        )
        if wiring.settings.sealer_enabled and not wiring.signing_place.key.exists():
            wiring.signing_place.create_keys(wiring.book_row().origin)


def _create_master_key(settings: Settings) -> None:
    """Make the master key of a new ledger. Never later: a key missing then was lost, and is restored."""
    path = settings.master_key_path
    if not path.exists():
        settings.make_home()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(KeyFileRefused):  # Another program made it between our look and our word.
            MasterKeys.create(path)


def origin_of(book: str, kind: BookKind) -> str:
    """Return a new log's name for its checkpoints: like no other in the world; a simulated one says so."""
    name = f"claims-ledger.{token_hex(8)}/{quote(book, safe='')}"
    return name if kind == "real" else f"{name}/simulated"
