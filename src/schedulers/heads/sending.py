"""Sending the newest signed head to every place outside that the settings name."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event as StopEvent
from typing import TYPE_CHECKING

import structlog

from ledger.domain.calendar import brussels_date
from ledger.feed.proofs.checkpoint import peek_checkpoint
from ledger.feed.proofs.merkle_proof import consistency_proof
from ledger.feed.signing.growing import nodes_of
from ledger.store.heads import newest_checkpoint
from ledger.supervision import rest
from schedulers.clockwork import tick
from schedulers.heads.folder import Folder
from schedulers.heads.mail import Mail
from schedulers.heads.place import DaysHead, NotSent, Place
from schedulers.heads.queries import Sending, note_sending, sent_size, was_sent
from schedulers.heads.witness import Witness

if TYPE_CHECKING:
    from ledger.settings import Settings
    from ledger.wiring import Wiring

TICK_SECONDS = 600.0
"""Between two looks at whether a place still lacks the head of this day."""

_log = structlog.get_logger(__name__)


def places(settings: "Settings") -> list[Place]:
    """Give the places outside that the settings name."""
    found: list[Place] = [Folder(Path(folder)) for folder in settings.head_folder_paths]
    found += [Witness(url) for url in settings.head_witness_urls]
    if settings.head_mail:
        found.append(Mail.parse(settings.head_mail))
    return found


def keep_heads_outside(wiring: "Wiring", stop: StopEvent) -> None:
    """Send each day's head, and try again what was not taken, until `stop` is set."""
    wanted = places(wiring.settings)
    if not wanted:
        rest(stop)
        return
    tick(TICK_SECONDS, lambda: send(wiring, wanted, stop=stop), stop)


def send_now(wiring: "Wiring") -> list[Sending]:
    """Send the newest head to every place, whatever it has had today (group `claims_ledger.head_senders`)."""
    return send(wiring, places(wiring.settings), again=True)


def send(
    wiring: "Wiring", wanted: Sequence[Place], *, again: bool = False, stop: StopEvent | None = None
) -> list[Sending]:
    """Send the newest head to the places that have had none today; what came of it.

    `again`: to the others too. Nothing is sent before anything is signed.
    """
    book, done = wiring.book, []
    day, epoch = brussels_date(wiring.now()), wiring.book_row().epoch
    for place in wanted:
        if stop is not None and stop.is_set():
            break
        with wiring.pool.connection() as connection:
            note = newest_checkpoint(connection, book)
            if note is None or (not again and was_sent(connection, book, place.name, day)):
                continue
            head, before = peek_checkpoint(note), sent_size(connection, book, place.name, epoch)
        given = DaysHead(day, head, note, _prover(wiring, head.size), before)
        try:
            sending = Sending(place.name, day, epoch, head.size, taken=True, told=place.take(given))
        except NotSent as error:
            _log.warning("head_not_taken", book=book, place=place.name, error=str(error))
            sending = Sending(place.name, day, epoch, head.size, taken=False, told=str(error))
        with wiring.pool.connection() as connection:
            note_sending(connection, book, sending)
        done.append(sending)
    return done


def _prover(wiring: "Wiring", size: int) -> Callable[[int], list[bytes]]:
    """Give what proves that a head of this size extends an older one."""

    def prove(old_size: int) -> list[bytes]:
        with wiring.pool.connection() as connection:
            return consistency_proof(old_size, size, nodes_of(connection, wiring.book))

    return prove
