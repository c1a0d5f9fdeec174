"""A restoration step by step: everything is checked before anything is touched."""

from collections.abc import Mapping
from pathlib import Path

from ledger.backups.manifest import Manifest, read_manifest
from ledger.backups.restoring import load, refuse_other_schema
from ledger.backups.tools import Tools
from ledger.commands.recovery import Recovered, recover, tell_erased
from ledger.commands.whole import every_book
from ledger.endings import Refused
from ledger.feed.signing.places import SigningPlace
from ledger.settings import Settings
from ledger.store.backup_snapshot import applied_migrations, books_found, other_sessions
from ledger.store.keys import MasterKeys
from ledger.store.owner import act_as_owner
from ledger.store.pool import Pool
from ledger.wiring import Ways

ACCEPTED = "the state of the database was accepted"
OURS = ("coverledger", "claims-ledger")
"""What the names of our connections begin with; those of programs from before the new name are ours too."""
NAME = "coverledger restore"


class Restoration:
    """One call of `restore`."""

    def __init__(
        self, settings: Settings, ways: Ways, file: Path | None, vault: Path | None, *, accept: bool
    ) -> None:
        """`accept`: also go on where the signing key is lost."""
        self._settings = settings
        self._ways = ways
        self._file = file.absolute() if file else None
        self._vault = vault.absolute() if vault else None
        self._accept = accept
        self._data: Manifest | None = None

    def check(self) -> list[str]:
        """Make sure that all can be restored; a line for each book whose present events are given up.

        Raises UsedWrongly, Refused.
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
        """Load what was given; each file whole, or not at all. Raises Refused."""
        tools = Tools.find(self._settings.postgres_bin, self._ways.migrate)
        with Pool(self._ways.migrate, size=1, name=NAME) as pool:
            if self._file:
                load(pool, tools, "data", self._file)
            if self._vault:
                load(pool, tools, "vault", self._vault)

    def go_on(self) -> list[Recovered]:
        """Let each book go on."""
        because = ACCEPTED if self._data is None else f"the backup of {self._data.taken_at} was restored"
        return [recover(wiring, because) for wiring in every_book(self._settings, self._ways)]

    def tell_erased(self) -> list[str]:
        """Let each log say who was erased, as the vault does; of whom it was said now."""
        told: list[str] = []
        for wiring in every_book(self._settings, self._ways):
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
            raise Refused(message)

    def _refuse_unreadable(self, manifest: Manifest) -> None:
        held = MasterKeys.read(self._settings.master_key_path).ids
        missing = sorted(set(manifest.master_ids) - held)
        if missing:
            message = (
                f"The vault's backup is wrapped by the master key {missing[0]}, which "
                f"{self._settings.master_key_path} does not hold: take a backup made after the last `keys "
                "rotate`, or put the right key file back."
            )
            raise Refused(message)

    def _refuse_without_keys(self, manifest: Manifest) -> None:
        for book in manifest.books:
            place = SigningPlace(self._settings.signing_key_path(book.book))
            if book.checkpoint is not None and not place.key.exists():
                message = (
                    f"The log of book {book.book!r} was signed by a key that is not here: put {place.key} "
                    "and what lies beside it back from its copy; if it is lost for ever, say --accept, and "
                    "a new key signs from here on."
                )
                raise Refused(message)
