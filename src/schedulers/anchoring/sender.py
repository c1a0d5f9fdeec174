"""Sending the newest signed head to every place outside that the settings name; what was sent where."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.attempts import Attempts, failing
from ledger.domain.calendar import brussels_date
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.proofs.merkle import consistency_proof
from ledger.proofs.notes import Cosignature
from ledger.sealing.checkpoints import nodes_of
from ledger.store.errors import StoreError
from ledger.store.log import SignatureLine, checkpoint_of, insert_head_signature, newest_checkpoint
from ledger.store.pool import Connection
from ledger.supervision import rest
from schedulers.anchoring.targets import AnchorFailed, AnchorTarget, DaysHead, FolderTarget, MailTarget
from schedulers.anchoring.witness import Witness
from schedulers.ticker import tick

if TYPE_CHECKING:
    from ledger.app import App
    from ledger.config import Settings

_SENT: Final = """
select exists (
    select from schedulers.heads_sent where book = %s and place = %s and day = %s and sent_at is not null
)
"""
_SIZE: Final = """
select coalesce(max(size), 0) from schedulers.heads_sent
where book = %s and place = %s and epoch = %s and sent_at is not null
"""
_COSIGNED: Final = """
select max(size) from schedulers.heads_sent
where book = %s and epoch = %s and day = %s and place = any(%s) and sent_at is not null
"""
_NOTE: Final = """
insert into schedulers.heads_sent as known (book, place, day, epoch, size, sent_at, told)
values (%(book)s, %(place)s, %(day)s, %(epoch)s, %(size)s,
        case when %(taken)s then clock_timestamp() end, %(told)s)
on conflict (book, place, day) do update
    set epoch = excluded.epoch, size = excluded.size, sent_at = excluded.sent_at,
        tried_at = clock_timestamp(), told = excluded.told
    where known.sent_at is null or excluded.sent_at is not null
"""


class HeadDelivery(NamedTuple):
    """One head given to one place, or not."""

    place: str
    day: date
    epoch: int
    size: int
    taken: bool
    told: str
    """What the place answered, or what went wrong."""


def was_sent(connection: Connection, book: str, place: str, day: date) -> bool:
    """Return whether a place has had its head of a day."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, (book, place, day))
        return cursor.fetchone() == (True,)


def sent_size(connection: Connection, book: str, place: str, epoch: int) -> int:
    """Size of the newest head of an epoch that a place took; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, (book, place, epoch))
        [(size,)] = cursor.fetchall()
        return int(size)


def cosigned_size(
    connection: Connection, book: str, epoch: int, day: date, witnesses: Sequence[str]
) -> int | None:
    """Size of the newest head that a witness cosigned on a day; None for none."""
    with connection.cursor() as cursor:
        cursor.execute(_COSIGNED, (book, epoch, day, list(witnesses)))
        [(size,)] = cursor.fetchall()
        return None if size is None else int(size)


def note_delivery(connection: Connection, book: str, sending: HeadDelivery) -> None:
    """Note what came of a sending; one that failed never hides one of the same day that did not."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"book": book, **sending._asdict()})


TICK_SECONDS = 600.0
"""Between two looks at whether a place still lacks the head of this day."""
_TRIES: Final = 365 * 24 * 6
"""A year of them, after which it is shown as parked."""
WORKER: Final = "heads"
"""What the sending is called wherever its failures are shown."""


def anchor_targets(settings: "Settings") -> list[AnchorTarget]:
    """Return the places outside that are set; witnesses first, so that others get what they sign."""
    found: list[AnchorTarget] = [Witness(witness.url, witness.keys) for witness in settings.witness_places]
    found += [FolderTarget(Path(folder)) for folder in settings.checkpoint_folder_paths]
    if settings.head_mail:
        found.append(MailTarget.parse(settings.head_mail))
    return found


def keep_heads_outside(wiring: "App", stop: StopEvent) -> None:
    """Send each day's head, and try again what was not taken, until `stop` is set."""
    wanted = anchor_targets(wiring.settings)
    _forget_others(wiring, wanted)
    if not wanted:
        rest(stop)
        return
    tick(TICK_SECONDS, lambda: send(wiring, wanted, stop=stop), stop)


def send_now(wiring: "App") -> list[HeadDelivery]:
    """Send the newest head to every place, whatever it has had today."""
    return send(wiring, anchor_targets(wiring.settings), again=True)


def send(
    wiring: "App", wanted: Sequence[AnchorTarget], *, again: bool = False, stop: StopEvent | None = None
) -> list[HeadDelivery]:
    """Send the newest head to the places that have had none today, and to each alone; what came of it.

    `again`: to the others too. Nothing is sent before anything is signed.
    """
    day, epoch = brussels_date(wiring.now()), wiring.book_row().epoch
    attempts = Attempts(
        wiring.pool, wiring.book, WORKER, schedule=(timedelta(seconds=TICK_SECONDS),) * _TRIES
    )
    done: list[HeadDelivery] = []
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


def _given(wiring: "App", place: AnchorTarget, day: date, epoch: int, *, again: bool) -> DaysHead | None:
    """Return what a place gets; None where it has had it, or nothing is signed."""
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


def _give(wiring: "App", place: AnchorTarget, given: DaysHead, epoch: int, done: list[HeadDelivery]) -> None:
    """Send a place its head, and note what came of it. Raises what it raises."""

    def note(told: str, *, taken: bool) -> None:
        sending = HeadDelivery(place.name, given.day, epoch, given.head.size, taken, told)
        with wiring.pool.connection() as connection:
            note_delivery(connection, wiring.book, sending)
        done.append(sending)

    try:
        told = place.take(given)
    except AnchorFailed as error:
        note(str(error), taken=False)
        raise
    except StoreError:
        raise
    except Exception as error:
        note(f"it was not taken ({type(error).__name__})", taken=False)
        raise
    note(told, taken=True)


def _forget_others(wiring: "App", wanted: Sequence[AnchorTarget]) -> None:
    """Forget the failures of places that the settings name no more."""
    names = {place.name for place in wanted}
    with wiring.pool.connection() as connection:
        others = [one.item for one in failing(connection, wiring.book) if one.worker == WORKER]
    attempts = Attempts(wiring.pool, wiring.book, WORKER)
    for item in others:
        if item not in names:
            attempts.forget(item)


def _prover(wiring: "App", size: int) -> Callable[[int], list[bytes]]:
    """Return what proves that a head of this size extends an older one."""

    def prove(old_size: int) -> list[bytes]:
        with wiring.pool.connection() as connection:
            return consistency_proof(old_size, size, nodes_of(connection, wiring.book))

    return prove
