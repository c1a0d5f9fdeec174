"""Books of any size: the sample book, copied under other numbers."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

SAMPLE_SERIES = "-7-"
"""The sample's contracts, claims, persons and command ids are numbered CC-7-…, CL-7-…, P-7-…"""


def sample_lines(copy: int) -> Iterator[str]:
    """Lines of the sample book, its numbers moved into a series of their own."""
    text = (files("ledger") / "samples" / "book.jsonl").read_text(encoding="utf-8")
    for line in text.splitlines():
        yield line.replace(SAMPLE_SERIES, f"-{copy + 1000}-")


def write_book(path: Path, copies: int) -> int:
    """Write a book of `copies` samples in order of `at`; the number of its commands."""
    lines = [line for copy in range(copies) for line in sample_lines(copy)]
    lines.sort(key=lambda line: str(json.loads(line)["at"])[:19])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)
