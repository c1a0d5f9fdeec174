"""The signer: its signature under a head says that the log only ever grew."""

from typing import Protocol

import structlog

from ledger.feed.proofs.checkpoint import sign_checkpoint
from ledger.feed.proofs.keyfile import SigningKeys, rotate_keys
from ledger.feed.proofs.refused import KeyFileRefused
from ledger.feed.signing.extending import SoundLog, complete_nodes, sound_log
from ledger.feed.signing.places import SigningPlace
from ledger.store.heads import SignedHead, insert_checkpoint, lock_log
from ledger.store.pool import Connection, Pool

_log = structlog.get_logger(__name__)


class Signs(Protocol):
    """What the sealer asks before it seals, and after."""

    def check(self) -> bool:
        """Make sure that the log extends what was signed; False while something sealed is not signed yet."""

    def sign(self) -> str | None:
        """Sign the head, if it is not signed yet."""


class Signer:
    """Signs the heads of one book's log. Any number may run: a lock on the book lets one sign at a time."""

    def __init__(self, pool: Pool, book: str, place: SigningPlace) -> None:
        """`pool` connects as the sealer's role; `place`: where key and last head lie."""
        self._pool = pool
        self._book = book
        self._place = place

    def check(self) -> bool:
        """Make sure that the log extends all that was signed; False while something sealed is not signed yet.

        Raises LogForked, KeyFileRefused, BookUnknown, Unreachable.
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
            if head == sound.kept:
                # Signed, and then the program ended before it was published.
                signed = self._place.kept_note()
            else:
                signed = sign_checkpoint(head, [sound.keys.signer])
                self._place.keep(signed)
            insert_checkpoint(
                connection, self._book, SignedHead(sound.standing.epoch, head.size, head.root, signed)
            )
        _log.debug("head_signed", book=self._book, size=head.size)
        return signed

    def rotate(self) -> SigningKeys:
        """Give the log a new key, for heads larger than the last one signed; the old one signs no more.

        Raises KeyFileRefused when nothing was signed since the last rotation, and as `check`.
        """
        with self._pool.transaction() as connection:
            sound = self._sound(connection)
            last = max(sound.standing.signed_size or 0, sound.kept.size if sound.kept else 0)
            if last < sound.keys.from_size or sound.kept is None:
                message = (
                    f"the key {self._place.key} has signed no head yet: there is nothing to rotate; if it "
                    "is in strange hands, begin a new log, or rotate once something was recorded"
                )
                raise KeyFileRefused(message)
            return rotate_keys(self._place.key, last)

    def _sound(self, connection: Connection) -> SoundLog:
        lock_log(connection, self._book)
        complete_nodes(connection, self._book)
        return sound_log(connection, self._book, self._place)
