"""Recording a checked import: chunk by chunk, then time up to `--until`, then the book is free again."""

from collections.abc import Sequence
from datetime import date, datetime

from ledger.commands.import_report import FaultList, Tally, progress
from ledger.commands.output import note
from ledger.domain.calendar import brussels_date, brussels_midnight
from ledger.endings import UsedWrongly
from ledger.importing.checking import Checked, later_than
from ledger.importing.importer import Importer
from ledger.importing.sources import Source, digest_of, merged
from ledger.wiring import Wiring


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
    wiring.seal()
    if midnight is not None:
        wiring.sweep(midnight)
        wiring.seal()
    if importer.import_id is not None:
        held = until is not None and not simulated and until < brussels_date(now)
        _finish(wiring, checked, midnight, simulated=simulated, held=held)
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


def _finish(
    wiring: Wiring, checked: Checked, midnight: datetime | None, *, simulated: bool, held: bool
) -> None:
    """Close the import and say where it leaves the book's time."""
    importing = wiring.ledger.import_id
    if importing is None:
        return
    ends_at = max(instant for instant in (checked.last_at, midnight) if instant is not None)
    held_at = ends_at if held else None
    wiring.books.finish_import(wiring.book, importing, held_at)
    wiring.ledger.import_id = None
    if simulated:
        wiring.books.move_clock(wiring.book, ends_at)
    if held_at is not None:
        note(
            f"The book's time stands at {held_at.isoformat()}: deadlines after it wait for the next "
            "command, `claims-ledger deadlines sweep`, or an import without --until."
        )
