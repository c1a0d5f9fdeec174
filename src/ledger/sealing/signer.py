"""The signer: its signature under a head says that the log only ever grew."""

from datetime import timedelta
from typing import Final, Protocol

import structlog

from ledger.proofs.checkpoints import sign_checkpoint
from ledger.proofs.errors import KeyFileRefused
from ledger.sealing.checkpoints import SoundLog, complete_nodes, sound_log
from ledger.sealing.key_files import SigningKeys, replace_private, rotate_keys, write_keys
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.log import (
    SignatureLine,
    SignedHead,
    database_now,
    insert_checkpoint,
    insert_head_signature,
    lock_log,
)
from ledger.store.pool import Connection, Pool

BESIDE: Final = timedelta(days=90)
"""How long a key that was rotated away signs beside its successor."""

_log = structlog.get_logger(__name__)


class Signs(Protocol):
    """What the sealer asks before it seals, and after."""

    def check(self) -> bool:
        """Ensure that the log extends what was signed; False while something sealed is not signed yet."""

    def sign(self) -> str | None:
        """Sign the head, if it is not signed yet."""


class Signer:
    """Signs the heads of one book's log. Any number may run: a lock on the book lets one sign at a time."""

    def __init__(self, pool: Pool, book: str, files: SigningFiles) -> None:
        """`pool` connects as the sealer's role; `files`: where key and last head lie."""
        self._pool = pool
        self._book = book
        self._files = files

    def check(self) -> bool:
        """Ensure that the log extends all that was signed; False while something sealed is not signed yet.

        Raises LogForked, KeyFileRefused, BookUnknown, DatabaseUnavailable.
        """
        # Locked, so that what others sign meanwhile is not taken for a fork.
        with self._pool.transaction() as connection:
            return self._sound(connection).is_signed

    def sign(self) -> str | None:
        """Sign the head, once it is shown to extend every one signed before; None where it is signed already.

        What is sealed is durable already, so the head is first kept beside the key and then published in the
        database: no head is ever read by anybody that the next check could not know of. Raises as `check`.
        """
        with self._pool.transaction() as connection:
            sound = self._sound(connection)
            if sound.is_signed:
                return None
            head = sound.head
            if head.size == sound.standing.signed_size:
                return self._sign_anew(connection, sound)
            if head == sound.kept:
                # Signed, and then the program ended before it was published.
                signed = self._files.kept_note()
            else:
                signed = sign_checkpoint(head, self._present(connection, sound).signers)
                self._files.keep(signed)
            insert_checkpoint(
                connection, self._book, SignedHead(sound.standing.epoch, head.size, head.root, signed)
            )
        _log.debug("head_signed", book=self._book, size=head.size)
        return signed

    def rotate(self) -> SigningKeys:
        """Rotate the log's key: the new one signs the standing head at once, the old one goes on beside it.

        Raises KeyFileRefused when nothing was signed since the last rotation, and as `check`.
        """
        with self._pool.transaction() as connection:
            sound = self._sound(connection)
            last = max(sound.standing.signed_size or 0, sound.kept.size if sound.kept else 0)
            if last < sound.keys.from_size or sound.kept is None:
                message = (
                    f"the key {self._files.key} has signed no head yet: there is nothing to rotate; if it "
                    "is in strange hands, begin a new log, or rotate once something was recorded"
                )
                raise KeyFileRefused(message)
            keys = rotate_keys(self._files.key, last, database_now(connection) + BESIDE)
        # Broken off here, the next `sign` of any program does it.
        while self.sign() is not None:
            pass  # A head that was kept and not published comes first.
        return keys

    def _sign_anew(self, connection: Connection, sound: SoundLog) -> str:
        """Add to the standing head the lines of the keys in force that it lacks."""
        head, lacking = sound.head, sound.lacking
        lines = [signer.sign(head.text) for signer in lacking]
        signed = (sound.standing.signed or "") + "".join(line.line for line in lines)
        self._files.keep(signed)
        for line in lines:
            added = SignatureLine(line.name, line.key_id, line.signature)
            insert_head_signature(connection, self._book, sound.standing.epoch, head.size, added)
        _log.debug("head_signed_anew", book=self._book, size=head.size)
        return signed

    def _present(self, connection: Connection, sound: SoundLog) -> SigningKeys:
        """Return the keys that sign now; one whose time beside its successor is over leaves the file."""
        if not sound.keys.outgoing:
            return sound.keys
        last = max(sound.standing.signed_size or 0, sound.kept.size if sound.kept else 0)
        keys = sound.keys.without_outgoing(database_now(connection), last)
        if keys != sound.keys:
            replace_private(self._files.key, write_keys(keys))
        return keys

    def _sound(self, connection: Connection) -> SoundLog:
        lock_log(connection, self._book)
        complete_nodes(connection, self._book)
        return sound_log(connection, self._book, self._files)
