"""The program of today, in this process: its command line with an environment of its own."""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from coverledger.__main__ import run

PREFIX = "COVERLEDGER_"
"""Of the variables that the program of today reads; it is named here alone."""
_WINDOW = ("COLUMNS", "LINES")


@dataclass(frozen=True, slots=True)
class Typed:
    """What one command line gave."""

    code: int
    out: str
    err: str


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Let these settings, and no other of ours, be in force until the block ends."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(PREFIX) or name in _WINDOW:
            del os.environ[name]
    os.environ.update({f"{PREFIX}{name.upper()}": value for name, value in settings.items()})
    os.environ["NO_COLOR"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def typed(*words: str, stdin: bytes = b"") -> Typed:
    """Run one command line."""
    kept = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    sys.stdout = io.TextIOWrapper(out, "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(err, "utf-8", write_through=True)
    try:
        code = run(words)
        sys.stdout.flush()
        sys.stderr.flush()
        return Typed(code, out.getvalue().decode(), err.getvalue().decode())
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept
