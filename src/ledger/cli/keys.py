"""`coverledger keys`: list them, rotate them, note where copies are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from ledger.app import reached
from ledger.backup.restore import every_book
from ledger.cli.options import book_option, composed, json_option, opened
from ledger.cli.output import note, print_json, print_table
from ledger.clock import machine_now
from ledger.config import Settings
from ledger.key_backups import Copy, note_copy, read_copies
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


@click.command(
    "list",
    short_help="The master keys and the signing keys, what each is good for, and where copies are.",
    help=(
        "List the master keys, which wrap every person's key, and the signing keys of each book's log, "
        "with the sizes of the heads that each has signed. No key itself is shown.\n\n"
        "\b\nExample:\n"
        "  coverledger keys list"
    ),
)
@json_option
def list_all(*, as_json: bool) -> None:
    """List all keys."""
    settings = Settings.load()
    rows = keys_in_force(settings)
    copies = read_copies(settings.master_key_path)
    where = {row.key: [copy.where for copy in copies if row.key in copy.keys] for row in rows}
    if as_json:
        print_json([row.told | {"copies": where[row.key]} for row in rows])
        return
    print_table(
        ("Kind", "Key", "State", "For", "Copies"),
        [(row.kind, row.key, row.state, row.use, "; ".join(where[row.key])) for row in rows],
        title=None,
    )


@click.command(
    "rotate",
    short_help="A new master key (or signing key) in the place of the old one.",
    help=(
        "Make a new master key, wrap every person's key anew with it, and destroy the old one: from then "
        "on no old backup of any kind, and no old copy of a disk, brings an erased person back. Programs "
        "that run go on by themselves. Afterwards make a new copy of the key file, destroy the old copies, "
        "and back the vault up anew: vaults backed up before cannot be read any more.\n\n"
        "--signing gives the log of one book a new signing key instead: it signs the standing head anew, and "
        "for 90 days each head bears both keys; older heads verify with the old one.\n\n"
        "\b\nExamples:\n"
        "  coverledger keys rotate\n"
        "  coverledger keys rotate --signing --book cyber-care"
    ),
)
@click.option("--signing", is_flag=True, help="Rotate the signing key of the book's log.")
@book_option
@json_option
def rotate(*, signing: bool, book: str, as_json: bool) -> None:
    """Rotate a key."""
    if signing:
        told = rotate_signing(book)
        said = (
            f"Book {book!r} signs with a new key from size {told['from_size']:,} on: {told['verifier_key']}"
        )
        todo = (
            "The standing head bears both keys already, and each head of the next 90 days will: give the new "
            "verifier key to whoever checks heads, and make a new copy: coverledger keys kept."
        )
    else:
        told = rotate_master()
        said = f"The keys of {told['persons']:,} persons are wrapped by the new master key {told['current']}."
        todo = (
            "Now make a new copy of the key file and say where it is (coverledger keys kept), destroy "
            "the old copies, and back the vault up anew (coverledger backup --vault FILE)."
        )
    if as_json:
        print_json(told)
        return
    click.echo(said)
    note(todo)


@click.command(
    "kept",
    short_help="Note that a copy of the key files was made, and where it is.",
    help=(
        "Note that you have made a copy of the key files as they are now, and where it lies. `doctor` asks "
        "for it again once a key is new.\n\n"
        "\b\nExample:\n"
        '  coverledger keys kept "safe of the Brussels office"'
    ),
)
@click.argument("where")
@json_option
def kept(*, where: str, as_json: bool) -> None:
    """Note a copy."""
    settings = Settings.load()
    rows = keys_in_force(settings)
    copy = Copy(machine_now(), where, frozenset(row.key for row in rows))
    note_copy(settings.master_key_path, copy)
    if as_json:
        print_json({"at": copy.at.isoformat(), "where": where, "keys": sorted(copy.keys)})
    else:
        click.echo(f"Noted: copies of {len(copy.keys)} keys are kept at {where}.")
