"""Recording a checked import: chunk by chunk, then time up to `--until`, then the book is free again."""

from collections.abc import Sequence
from datetime import date, datetime
from time import monotonic, sleep
from uuid import UUID

from ledger.commands.import_report import FaultList, Tally, progress
from ledger.commands.output import note
from ledger.domain.calendar import brussels_date, brussels_midnight
from ledger.endings import Unreachable, UsedWrongly
from ledger.importing.checking import Checked, later_than
from ledger.importing.importer import Importer
from ledger.importing.sources import Source, digest_of, merged
from ledger.store.examining import examine_feed
from ledger.wiring import Wiring

SEAL_SECONDS = 60.0
"""Given to a sealer elsewhere to seal what was imported."""

SEAL_PAUSE_SECONDS = 0.1


def run(  # noqa: PLR0913  # one option each
    wiring: Wiring,
    sources: Sequence[Source],
    checked: Checked,
    *,
    until: date | None,
    actor: str,
    as_json: bool,
    quiet: bool = False,
) -> int:
    """Record all lines; gives the exit code. `quiet`: say nothing of the answers."""
    several = len(sources) > 1
    midnight = None if until is None else brussels_midnight(until)
    now = wiring.now()
    simulated = wiring.book_row().kind == "simulated"
    if not simulated:
        _refuse_future(sources, checked, midnight, now, as_json=as_json)
    importer = Importer(wiring.ledger, digest_of(sources), actor=actor)
    tally = Tally(several=several, as_json=as_json)
    with progress("Importing", checked.lines) as bar:
        for line, answer in importer.record(merged(sources)):
            tally.count(line, answer)
            bar.reach(tally.done)
    with progress("Sealing", None):
        wiring.seal()
    if midnight is not None:
        with progress("Letting time act", None):
            _wait_for_the_seal(wiring)
            wiring.sweep(midnight)
            wiring.seal()
    ends_at = max(instant for instant in (checked.last_at, midnight) if instant is not None)
    if simulated:
        _move_clock(wiring, ends_at)
    if importer.import_id is not None or midnight is not None:
        held = until is not None and not simulated and until < brussels_date(now)
        _finish(wiring, importer.import_id, ends_at if held else None)
    if not quiet:
        tally.end()
    return 1 if tally.refused else 0


def _refuse_future(
    sources: Sequence[Source], checked: Checked, midnight: datetime | None, now: datetime, *, as_json: bool
) -> None:
    """Refuse what lies in the future of a real book."""
    if checked.last_at is not None and checked.last_at > now:
        faults = FaultList(several=len(sources) > 1, as_json=as_json)
        found = later_than(now, sources, faults.add)
        faults.end(Checked(checked.lines, found, checked.last_at))
    if midnight is not None and midnight > now:
        message = "--until lies in the future of a real book: name a day that has begun, or leave it out."
        raise UsedWrongly(message)


def _wait_for_the_seal(wiring: Wiring) -> None:
    """Wait until all is sealed where another machine seals: the sweep sees sealed events only.

    Raises:
        Unreachable: nobody seals; the import stays open and goes on when it is run again.

    """
    begun = monotonic()
    while True:
        with wiring.pool.connection() as connection:
            if not examine_feed(connection, wiring.book).unsealed:
                return
        if monotonic() - begun > SEAL_SECONDS:
            message = (
                "Nobody seals this book: start its sealer, then run the import again; "
                "it goes on where it stands."
            )
            raise Unreachable(message)
        sleep(SEAL_PAUSE_SECONDS)


def _move_clock(wiring: Wiring, to: datetime) -> None:
    """Move a simulated book's present to where the import ends; it never goes back."""
    clock_at = wiring.book_row().clock_at
    if clock_at is not None and to > clock_at:
        wiring.books.move_clock(wiring.book, to)


def _finish(wiring: Wiring, import_id: UUID | None, held_at: datetime | None) -> None:
    """Close the import, if one was opened, and say where it leaves the book's time.

    A book that an earlier import left at a later instant stays there.
    """
    before = wiring.book_row().held_at
    if held_at is not None and before is not None:
        held_at = max(held_at, before)
    if import_id is not None:
        wiring.books.finish_import(wiring.book, import_id, held_at)
        wiring.ledger.import_id = None
    elif before is not None and held_at is not None and held_at > before:
        # Nothing was left to record, but time has acted up to a later day than before.
        wiring.books.hold(wiring.book, held_at)
    elif before is None:
        return
    if held_at is not None:
        note(
            f"The book's time stands at {held_at.isoformat()}: deadlines after it wait for the next "
            "command, `coverledger deadlines sweep`, or an import without --until."
        )
