"""Every key that there is, and how they are rotated."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledger.app import reached
from ledger.backup.restore import every_book
from ledger.cli.options import composed, opened
from ledger.config import Settings
from ledger.logging import log_to_stderr
from ledger.sealing.key_files import SigningKeys
from ledger.store.keys import MasterKeys, rotate_masters, wrapped_by
from ledger.store.pool import Pool


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key."""

    kind: Literal["master", "signing"]
    key: str
    state: Literal["in force", "signs too", "retired", "missing"]
    use: str
    file: Path

    @property
    def told(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "kind": self.kind,
            "key": self.key,
            "state": self.state,
            "use": self.use,
            "file": str(self.file),
        }


def keys_in_force(settings: Settings) -> list[KeyRow]:
    """List the master keys, then the signing keys by book. Raises KeyFileRefused, DatabaseUnavailable."""
    log_to_stderr(quiet=True)
    rows: list[KeyRow] = []
    with reached(settings) as ways:
        with Pool(ways.write, size=1) as pool, pool.connection() as connection:
            wrapped = wrapped_by(connection)
        path = settings.master_key_path
        if path.exists() or wrapped:
            rows += _masters(MasterKeys.read(path), wrapped, path)
        for wiring in every_book(settings, ways, composed()):
            place = wiring.signing_place
            if place.key.exists():
                rows += _signing(wiring.book, place.keys(), place.key)
    return rows


def _masters(masters: MasterKeys, wrapped: dict[str, int], path: Path) -> Iterator[KeyRow]:
    for key_id in sorted(masters.ids | set(wrapped)):
        held = key_id in masters.ids
        state: Literal["in force", "retired", "missing"] = "retired" if held else "missing"
        use = f"wraps {wrapped.get(key_id, 0):,} keys"
        yield KeyRow("master", key_id, "in force" if key_id == masters.current else state, use, path)


def _signing(book: str, keys: SigningKeys, path: Path) -> Iterator[KeyRow]:
    current = keys.signer.verifier_key
    yield KeyRow("signing", str(current), "in force", f"{book}, heads from {keys.from_size:,} on", path)
    for outgoing in keys.outgoing:
        use = f"{book}, heads from {outgoing.from_size:,} on, until {outgoing.until:%Y-%m-%d}"
        yield KeyRow("signing", str(outgoing.signer.verifier_key), "signs too", use, path)
    for old in keys.retired:
        sizes = f"{book}, heads of {old.from_size:,} to {old.to_size:,}"
        yield KeyRow("signing", str(old.key), "retired", sizes, path)


def rotate_master() -> dict[str, object]:
    """Rotate the master key of the whole database.

    Raises KeyFileRefused, MasterKeyMissing, DatabaseUnavailable.
    """
    log_to_stderr(quiet=True)
    settings = Settings.load()
    with reached(settings) as ways, Pool(ways.migrate, size=1, name="coverledger keys") as pool:
        rotation = rotate_masters(pool, MasterKeys.read(settings.master_key_path))
    return {
        "current": rotation.current,
        "destroyed": sorted(rotation.destroyed),
        "persons": rotation.persons,
        "book_keys": rotation.book_keys,
    }


def rotate_signing(book: str) -> dict[str, object]:
    """Rotate the signing key of one book's log. Raises LogForked, KeyFileRefused, NothingToRotate."""
    with opened(book) as wiring:
        wiring.seal()
        wiring.finish()
        keys = wiring.signer.rotate()
    return {
        "book": book,
        "verifier_key": str(keys.signer.verifier_key),
        "from_size": keys.from_size,
        "retired": [str(key) for key in reversed(keys.verifier_keys[1:])],
        "outgoing": [
            {"verifier_key": str(old.signer.verifier_key), "until": old.until.isoformat()}
            for old in keys.outgoing
        ],
    }
