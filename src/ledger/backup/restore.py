"""Restoring: a backup's rows put in the place of the present ones, and each log gone on with.

The schema stays as the migrations made it; rows alone are replaced. Data never brings keys back, and a vault
never brings an erased person back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ledger.app import App, Composition, DatabaseUrls
from ledger.backup.dump import Kind, Manifest, Program, Tools, read_manifest
from ledger.config import Settings
from ledger.errors import Rejected
from ledger.feed.followers import InTheVault
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures
from ledger.sealing.epochs import begin_epoch
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.backup_snapshot import applied_migrations, books_found, other_sessions
from ledger.store.books import Books
from ledger.store.errors import ImportOpen
from ledger.store.feed import feed_end
from ledger.store.keys import MasterKeys
from ledger.store.log import Epoch
from ledger.store.pool import Pool, act_as_owner
from ledger.store.vault import untold_erasures


def every_book(settings: Settings, ways: DatabaseUrls, registry: Composition) -> Iterator[App]:
    """Open each book in turn, and close it when the next one is asked for."""
    with Pool(ways.write, size=1) as pool:
        names = Books(pool).names()
    for name in names:
        wiring = App(settings, name, ways, registry)
        try:
            yield wiring
        finally:
            wiring.close()


_SCHEMAS: Final[Mapping[Kind, frozenset[str]]] = {
    "data": frozenset({"ledger", "projections", "schedulers"}),
    "vault": frozenset({"vault"}),
}
# What the schema is made of, and what was destroyed, is not undone by a backup.
_NEVER: Final = frozenset({("ledger", "migrations"), ("vault", "destroyed_masters")})
_KINDS_OF_ROWS: Final = ("TABLE DATA", "SEQUENCE SET")

# Newer programs write it, older servers do not know it, and it changes nothing here.
_NOT_FOR_OLD_SERVERS: Final = b"SET transaction_timeout"


def refuse_other_schema(manifest: Manifest, applied: Mapping[str, str]) -> None:
    """Ensure that a backup's rows fit the present schema. Raises Rejected with what to do."""
    missing = sorted(set(applied) - set(manifest.migrations))
    unknown = sorted(set(manifest.migrations) - set(applied))
    if unknown:
        message = (
            f"The backup was made by a newer program ({manifest.program}, with the migration {unknown[0]}): "
            "upgrade this one first."
        )
        raise Rejected(message)
    if missing:
        message = (
            f"The backup was made by coverledger {manifest.program}, before the migration {missing[0]}: "
            "restore it with that version into an empty database, upgrade there (coverledger migrate), and "
            "make a new backup."
        )
        raise Rejected(message)
    changed = sorted(name for name, sha256 in applied.items() if manifest.migrations[name] != sha256)
    if changed:
        message = (
            f"The backup's migration {changed[0]} is not this program's: it is another program's backup."
        )
        raise Rejected(message)


def load(pool: Pool, tools: Tools, kind: Kind, backup: Path) -> None:
    """Put a backup's rows in the place of the present ones.

    `pool` and `tools` connect as the role that migrates.
    Raises Rejected with what went wrong; then everything is as it was.
    """
    with pool.transaction() as connection:
        owner = act_as_owner(connection)
    listed = tools.run("pg_restore", "--list", backup)
    with TemporaryDirectory(prefix="coverledger-restore.") as folder:
        wanted = Path(folder) / "wanted"
        wanted.write_text("\n".join(_rows_of(kind, listed.splitlines())) + "\n", encoding="utf-8")
        tools.pipe(
            Program("pg_restore", ("--data-only", "--no-owner", f"--use-list={wanted}", "--file=-", backup)),
            Program("psql", ("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-")),
            (
                f"begin;\nset local role {owner};\n{_script(f'before_{kind}')}",
                f"{_script(f'after_{kind}')}commit;\n",
            ),
            drop=_NOT_FOR_OLD_SERVERS,
        )


def _rows_of(kind: Kind, listed: Iterable[str]) -> Iterable[str]:
    """Choose from the list of what a backup holds: `4012; 0 16500 TABLE DATA ledger books owner`."""
    for line in listed:
        words = line.partition("; ")[2].split(" ")
        if line.startswith(";") or " ".join(words[2:4]) not in _KINDS_OF_ROWS:
            continue
        schema, table = words[4], words[5]
        if schema in _SCHEMAS[kind] and (schema, table) not in _NEVER:
            yield line


def _script(name: str) -> str:
    return (files("ledger.backup") / f"{name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Recovered:
    """How one book goes on."""

    book: str
    events: int
    origin: str
    begun: Epoch | None
    """The epoch that was begun; None: the log extends all that was signed."""
    rebuilt: list[str]
    """Followers that had read further than the log goes, and start over."""
    erased: list[str]
    """Persons whose erasure the log had lost, and says again."""
    untold: list[str]
    """Persons whose erasure it cannot say again while an import is open."""

    @property
    def told(self) -> Mapping[str, object]:
        """The same for programs."""
        begun = self.begun
        return {
            "book": self.book,
            "events": self.events,
            "origin": self.origin,
            "epoch_begun": begun.epoch if begun else None,
            "from_position": begun.from_position if begun else None,
            "lost_size": begun.lost_size if begun else None,
            "rebuilt": self.rebuilt,
            "erased": self.erased,
            "untold": self.untold,
        }

    @property
    def line(self) -> str:
        """The same for people."""
        count = f"{self.events:,} event" + ("" if self.events == 1 else "s")
        if self.begun is None:
            said = f"{self.book}: {count}, and the log extends all that was signed"
        else:
            lost = f", where {self.begun.lost_size:,} had been signed" if self.begun.lost_size else ""
            said = (
                f"{self.book}: {count}{lost}; epoch {self.begun.epoch} has begun and parts "
                f"from those before at position {self.begun.from_position:,}: whoever follows from outside "
                "is told"
            )
        if self.erased:
            said += f"; said again of {len(self.erased):,} erased persons"
        if self.untold:
            said += f"; finish the open import, and then erase again: {', '.join(self.untold)}"
        return said + (f"; read anew: {', '.join(self.rebuilt)}" if self.rebuilt else "")


def tell_erased(wiring: App) -> tuple[list[str], list[str]]:
    """Record on the streams of the erased that they are, where the log went back to before that.

    Gives those of whom it was said now, and those of whom it cannot be said while an import is open.
    """
    with wiring.pool.connection() as connection:
        untold = untold_erasures(connection, wiring.book)
    erasures = Erasures(wiring.ledger)
    access = Access("restore", "restore", "the log was put back to before it said so")
    told: list[str] = []
    for place, person in enumerate(untold):
        try:
            if erasures.erase(person, access).events:
                told.append(person)
        except ImportOpen:
            return told, untold[place:]
    return told, []


def recover(wiring: App, because: str) -> Recovered:
    """Continue a book from what the database holds. Raises KeyFileRefused when the key is another log's."""
    begun = None
    if wiring.settings.sealer_enabled:
        begun = begin_epoch(wiring.sealer_pool, wiring.book, wiring.signing_place, because)
    with wiring.pool.connection() as connection:
        end = feed_end(connection, wiring.book)
    rebuilt = []
    for name in wiring.followers:
        runner = wiring.runner(name)
        parted = isinstance(runner.follower, InTheVault) and runner.position() >= 0
        if (parted or runner.position() > end) and runner.start_over():
            rebuilt.append(name)
    erased, untold = tell_erased(wiring)
    wiring.catch_up()
    wiring.finish()
    with wiring.pool.connection() as connection:
        events = feed_end(connection, wiring.book) + 1
    return Recovered(wiring.book, events, wiring.book_row().origin, begun, rebuilt, erased, untold)


ACCEPTED = "the state of the database was accepted"
OURS = ("coverledger", "claims-ledger")
"""What the names of our connections begin with; those of programs from before the new name are ours too."""
NAME = "coverledger restore"


class Restoration:
    """One call of `restore`."""

    def __init__(  # noqa: PLR0913  # what it works on, and one option each
        self,
        settings: Settings,
        ways: DatabaseUrls,
        registry: Composition,
        file: Path | None,
        vault: Path | None,
        *,
        accept: bool,
    ) -> None:
        """`accept`: also go on where the signing key is lost."""
        self._settings = settings
        self._ways = ways
        self._registry = registry
        self._file = file.absolute() if file else None
        self._vault = vault.absolute() if vault else None
        self._accept = accept
        self._data: Manifest | None = None

    def check(self) -> list[str]:
        """Ensure that all can be restored; return a line for each book whose present events are given up.

        Raises UsageError, Rejected.
        """
        with Pool(self._ways.migrate, size=1, name=NAME) as pool, pool.transaction() as connection:
            if self._file or self._vault:
                act_as_owner(connection)
            applied = applied_migrations(connection)
            present = {book.book: book.size for book in books_found(connection)}
            others = other_sessions(connection)
        self._refuse_others(others)
        if self._vault:
            manifest = read_manifest(self._vault, "vault")
            refuse_other_schema(manifest, applied)
            self._refuse_unreadable(manifest)
        if not self._file:
            return []
        self._data = read_manifest(self._file, "data")
        refuse_other_schema(self._data, applied)
        if not self._accept and self._settings.sealer_enabled:
            self._refuse_without_keys(self._data)
        held = {book.book: book.size for book in self._data.books}
        return [
            f"Book {book}: {size:,} events here, {held.get(book, 0):,} in the backup of "
            f"{self._data.taken_at}."
            for book, size in present.items()
            if size
        ]

    def load(self) -> None:
        """Load what was given; each file whole, or not at all. Raises Rejected."""
        tools = Tools.find(self._settings.postgres_bin, self._ways.migrate)
        with Pool(self._ways.migrate, size=1, name=NAME) as pool:
            if self._file:
                load(pool, tools, "data", self._file)
            if self._vault:
                load(pool, tools, "vault", self._vault)

    def go_on(self) -> list[Recovered]:
        """Continue each book."""
        because = ACCEPTED if self._data is None else f"the backup of {self._data.taken_at} was restored"
        return [recover(wiring, because) for wiring in every_book(self._settings, self._ways, self._registry)]

    def tell_erased(self) -> list[str]:
        """Record in each log who was erased, as the vault says; return of whom it was recorded now."""
        told: list[str] = []
        for wiring in every_book(self._settings, self._ways, self._registry):
            told += tell_erased(wiring)[0]
            wiring.catch_up()
            wiring.finish()
        return told

    def _refuse_others(self, others: Mapping[str, int]) -> None:
        ours = sorted(name for name in others if name.startswith(OURS))
        if ours:
            message = (
                f"Other programs of the ledger work on this database ({', '.join(ours)}): stop them first, "
                "`coverledger up` above all."
            )
            raise Rejected(message)

    def _refuse_unreadable(self, manifest: Manifest) -> None:
        held = MasterKeys.read(self._settings.master_key_path).ids
        missing = sorted(set(manifest.master_ids) - held)
        if missing:
            message = (
                f"The vault's backup is wrapped by the master key {missing[0]}, which "
                f"{self._settings.master_key_path} does not hold: take a backup made after the last `keys "
                "rotate`, or put the right key file back."
            )
            raise Rejected(message)

    def _refuse_without_keys(self, manifest: Manifest) -> None:
        for book in manifest.books:
            place = SigningFiles(self._settings.signing_key_path(book.book))
            if book.checkpoint is not None and not place.key.exists():
                message = (
                    f"The log of book {book.book!r} was signed by a key that is not here: put {place.key} "
                    "and what lies beside it back from its copy; if it is lost for ever, say --accept, and "
                    "a new key signs from here on."
                )
                raise Rejected(message)
