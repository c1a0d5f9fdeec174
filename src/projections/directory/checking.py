"""What `verify --views` asks of the directory: whether it is what the feed says of all who are not erased."""

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag

from ledger.store.feed import checkpoint
from ledger.store.pool import Connection
from ledger.store.vault import unseal
from ledger.verification.findings import CheckedView, NotVerified, OnProgress
from projections.asking.histories import read_until
from projections.directory.entries import TYPES, Called, Key, entries
from projections.directory.follower import NAME, clear_text, place_of
from projections.directory.queries import Entry, all_entries, may_read_vault
from projections.directory.words import hashed, indexed

if TYPE_CHECKING:
    from ledger.app import App

_SNAPSHOT: Final = "set transaction isolation level repeatable read, read only"


def check_directory(wiring: "App", progress: OnProgress) -> CheckedView:
    """Check the directory as far as it has come: its entries. Raises NotVerified for the first bad one.

    A login that may not read the vault, as an auditor's, sees no entry: it checks none, and says 0 rows.
    """
    book = wiring.book
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(_SNAPSHOT)
        position = checkpoint(connection, book, NAME)
        if not may_read_vault(connection):
            return CheckedView(0, position)
        called = entries(read_until(connection, book, position, TYPES))
        progress(position + 1, position + 1)
        kept = all_entries(connection, book)
        if kept or called:
            _compare(wiring, connection, called, dict(kept))
    return CheckedView(len(kept), position)


def _compare(
    wiring: "App", connection: Connection, called: dict[Key, Called], kept: dict[Key, Entry]
) -> None:
    book = wiring.book
    held = wiring.store.subject_keys.for_reading(connection, book, {person for person, _ in called})
    wanted = {key: said for key, said in called.items() if key[0] in held}
    for key in sorted(kept.keys() - wanted.keys()):
        raise NotVerified(None, _row(key), "no event explains this entry, or the person was erased")
    if not wanted:
        return
    word_key = wiring.store.book_keys.kept(connection, book, "directory")
    if word_key is None:
        reason = (
            "the key that the directory's words are hashed with is missing: it was deleted, or another vault "
            "was put back; restore the vault's backup (coverledger restore --vault FILE)"
        )
        raise NotVerified(None, f"vault.book_keys, {book} directory", reason)
    for key, said in sorted(wanted.items(), key=lambda item: item[1].event.position):
        entry, person_key = kept.get(key), held[key[0]]
        if entry is None:
            raise NotVerified(said.event.position, _row(key), "the entry is missing: it was deleted")
        text = clear_text(book, said, person_key)
        try:
            same = unseal(person_key, entry.box, place_of(book, *key)) == text
        except (InvalidTag, ValueError):
            same = False
        if not same or entry.word_hmacs != {hashed(word_key, word) for word in indexed(text)}:
            raise NotVerified(said.event.position, _row(key), "it is not what the event says: it was altered")


def _row(key: Key) -> str:
    return f"vault.directory, {' '.join(key)}"
