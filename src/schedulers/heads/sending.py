"""Sending the newest signed head to every place outside that the settings name."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final

from ledger.attempts import Attempts, failing
from ledger.domain.calendar import brussels_date
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.proofs.merkle import consistency_proof
from ledger.proofs.notes import Cosignature
from ledger.sealing.checkpoints import nodes_of
from ledger.store.errors import StoreError
from ledger.store.log import SignatureLine, checkpoint_of, insert_head_signature, newest_checkpoint
from ledger.supervision import rest
from schedulers.clockwork import tick
from schedulers.heads.folder import Folder
from schedulers.heads.mail import Mail
from schedulers.heads.place import DaysHead, NotSent, Place
from schedulers.heads.queries import Sending, cosigned_size, note_sending, sent_size, was_sent
from schedulers.heads.witness import Witness

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.config import Settings

TICK_SECONDS = 600.0
"""Between two looks at whether a place still lacks the head of this day."""
_TRIES: Final = 365 * 24 * 6
"""A year of them, after which it is shown as parked."""
WORKER: Final = "heads"
"""What the sending is called wherever its failures are shown."""


def places(settings: "Settings") -> list[Place]:
    """Give the places outside that the settings name; witnesses first, so that others get what they sign."""
    found: list[Place] = [Witness(witness.url, witness.keys) for witness in settings.witness_places]
    found += [Folder(Path(folder)) for folder in settings.checkpoint_folder_paths]
    if settings.head_mail:
        found.append(Mail.parse(settings.head_mail))
    return found


def keep_heads_outside(wiring: "App", stop: StopEvent) -> None:
    """Send each day's head, and try again what was not taken, until `stop` is set."""
    wanted = places(wiring.settings)
    _forget_others(wiring, wanted)
    if not wanted:
        rest(stop)
        return
    tick(TICK_SECONDS, lambda: send(wiring, wanted, stop=stop), stop)


def send_now(wiring: "App") -> list[Sending]:
    """Send the newest head to every place, whatever it has had today (group `coverledger.head_senders`)."""
    return send(wiring, places(wiring.settings), again=True)


def send(
    wiring: "App", wanted: Sequence[Place], *, again: bool = False, stop: StopEvent | None = None
) -> list[Sending]:
    """Send the newest head to the places that have had none today, and to each alone; what came of it.

    `again`: to the others too. Nothing is sent before anything is signed.
    """
    day, epoch = brussels_date(wiring.now()), wiring.book_row().epoch
    attempts = Attempts(
        wiring.pool, wiring.book, WORKER, schedule=(timedelta(seconds=TICK_SECONDS),) * _TRIES
    )
    done: list[Sending] = []
    of_the_machine: Exception | None = None
    for place in wanted:
        if stop is not None and stop.is_set():
            break
        given = _given(wiring, place, day, epoch, again=again)
        if given is None:
            continue
        try:
            attempts.run(place.name, partial(_give, wiring, place, given, epoch, done))
        except (OSError, MemoryError) as error:
            of_the_machine = of_the_machine or error
    if of_the_machine is not None:
        raise of_the_machine
    return done


def _given(wiring: "App", place: Place, day: date, epoch: int, *, again: bool) -> DaysHead | None:
    """Give what a place gets; None where it has had it, or nothing is signed."""
    book = wiring.book
    with wiring.pool.connection() as connection:
        note = newest_checkpoint(connection, book)
        if note is None or (not again and was_sent(connection, book, place.name, day)):
            return None
        if not isinstance(place, Witness):
            witnesses = [witness.url for witness in wiring.settings.witness_places]
            size = cosigned_size(connection, book, epoch, day, witnesses)
            note = (size and checkpoint_of(connection, book, epoch, size)) or note
        before = sent_size(connection, book, place.name, epoch)
    head = peek_checkpoint(note)

    def keep(cosigned: Sequence[Cosignature]) -> None:
        with wiring.pool.transaction() as connection:
            for each in cosigned:
                line = SignatureLine(each.key.name, each.key.key_id, each.signature.signature)
                insert_head_signature(connection, book, epoch, head.size, line)

    return DaysHead(day, head, note, _prover(wiring, head.size), before, keep)


def _give(wiring: "App", place: Place, given: DaysHead, epoch: int, done: list[Sending]) -> None:
    """Give a place its head, and note what came of it. Raises what it raises."""

    def note(told: str, *, taken: bool) -> None:
        sending = Sending(place.name, given.day, epoch, given.head.size, taken, told)
        with wiring.pool.connection() as connection:
            note_sending(connection, wiring.book, sending)
        done.append(sending)

    try:
        told = place.take(given)
    except NotSent as error:
        note(str(error), taken=False)
        raise
    except StoreError:
        raise
    except Exception as error:
        note(f"it was not taken ({type(error).__name__})", taken=False)
        raise
    note(told, taken=True)


def _forget_others(wiring: "App", wanted: Sequence[Place]) -> None:
    """Forget the failures of places that the settings name no more."""
    names = {place.name for place in wanted}
    with wiring.pool.connection() as connection:
        others = [one.item for one in failing(connection, wiring.book) if one.worker == WORKER]
    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    for item in others:
        if item not in names:
            attempts.forget(item)


def _prover(wiring: "App", size: int) -> Callable[[int], list[bytes]]:
    """Give what proves that a head of this size extends an older one."""

    def prove(old_size: int) -> list[bytes]:
        with wiring.pool.connection() as connection:
            return consistency_proof(old_size, size, nodes_of(connection, wiring.book))

    return prove
