"""The installed program, its store, its views and its command line agree with the second reading.

ORACLE_FILES=20 (how many) and ORACLE_FIRST_SEED=0 (from which) import more files than CI has time for.
"""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from oracle.agreement import answers_agree, first_row_apart
from oracle.histories import history
from oracle.reading import Book

PROGRAM = Path(sys.executable).with_name("coverledger")
FIRST = int(os.environ.get("ORACLE_FIRST_SEED", "0"))
FILES = int(os.environ.get("ORACLE_FILES", "1"))
LISTS = {
    "contracts": ("contract", "list"),
    "claims": ("claim", "list"),
    "limits": ("limits",),
    "due": ("due",),
}


def said(home: Path, *words: str) -> str:
    """What the program prints for people's scripts, on a ledger of its own."""
    ran = subprocess.run(  # our own program with our own words
        [PROGRAM, *words, "--json"],
        env=os.environ | {"COVERLEDGER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    return ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(FIRST, FIRST + FILES))
def test_an_imported_history_gives_the_answers_and_the_rows_of_the_second_reading(
    seed: int, tmp_path: Path
) -> None:
    lines = history(seed, contracts=12, steps=600, file_until=date(2026, 9, 30))
    file = tmp_path / "history.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    book = Book()
    ours = [book.submit(line) for line in lines]
    book.advance(date(2026, 10, 31))

    printed = said(tmp_path / "home", "import", str(file), "--until", "2026-10-31").splitlines()

    theirs: list[dict[str, Any]] = [json.loads(line) for line in printed]
    apart = [(their, our) for their, our in zip(theirs, ours, strict=True) if not answers_agree(their, our)]
    assert apart == []
    for view, words in LISTS.items():
        assert (
            first_row_apart(view, json.loads(said(tmp_path / "home", *words)), getattr(book, view)()) is None
        )
