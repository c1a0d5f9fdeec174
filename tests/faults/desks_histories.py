"""Random histories of many desks, each with numbers of its own, and how a file of them is imported."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ledger.app import App
from ledger.command_envelope import submission
from ledger.command_handler import Answer
from ledger.domain.refusals import Invalid
from ledger.imports.importer import Importer
from ledger.imports.lines import line_of
from oracle.histories import history

CONTRACTS_OF_A_HISTORY = 10
NUMBER = re.compile(r'"([A-Z]+)-(?=\d)')
"""Where a contract's, a claim's, a complaint's or a person's number begins."""

Line = dict[str, Any]


def instant(line: Line) -> datetime:
    return datetime.fromisoformat(line["at"])


def of_desk(seed: int) -> Iterator[Line]:
    """Give a desk's history of some contracts, as far as it is well-formed."""
    for line in history(seed, contracts=CONTRACTS_OF_A_HISTORY, steps=20 * CONTRACTS_OF_A_HISTORY):
        own = json.loads(NUMBER.sub(rf'"\1-{seed}x', json.dumps(line)))
        own["command_id"] = f"{seed}-{line['command_id']}"
        try:
            submission(own["command_id"], own["command"], own["data"], at=instant(own), may_backdate=True)
        except Invalid:
            continue
        yield own


def of_desks(seeds: Iterable[int]) -> list[Line]:
    """Give the histories of several desks in order of `at`, as a file must be."""
    return sorted((line for seed in seeds for line in of_desk(seed)), key=instant)


def import_all(wiring: App, lines: Sequence[Line], digest: bytes) -> list[Answer]:
    """Import lines as one file, and seal them."""
    importer = Importer(wiring.ledger, digest, actor="desk")
    read = (line_of("book.jsonl", number, line) for number, line in enumerate(lines, 1))
    answers = [answer for _, answer in importer.record(read)]
    wiring.seal()
    if importer.import_id is not None:
        wiring.books.finish_import(wiring.book, importer.import_id, None)
        wiring.ledger.import_id = None
    return answers
