"""The sample book of `up --demo`: 120 invented contracts, standing at 2026-03-01."""

import json
from datetime import date
from importlib.resources import as_file, files

from ledger.commands.import_report import FaultList
from ledger.commands.import_run import run
from ledger.commands.output import note
from ledger.importing.checking import check_all
from ledger.importing.sources import opened_sources
from ledger.submission import LOCAL
from ledger.wiring import Wiring

SAMPLE = "book.jsonl"
UNTIL = date(2026, 3, 1)


def load_demo(wiring: Wiring) -> None:
    """Load the sample book, unless it is there already. Broken off, it goes on where it stood."""
    sample = files("ledger") / "samples" / SAMPLE
    last = json.loads(sample.read_bytes().splitlines()[-1])["command_id"]
    if wiring.store.answer_of(wiring.book, LOCAL, last) and wiring.book_row().open_import is None:
        return
    note("Loading the sample book…")
    with as_file(sample) as path, opened_sources([str(path)]) as sources:
        faults = FaultList(several=False, as_json=False)
        checked = check_all(sources, faults.add)
        faults.end(checked)
        run(wiring, sources, checked, until=UNTIL, actor=LOCAL, as_json=False, quiet=True)
