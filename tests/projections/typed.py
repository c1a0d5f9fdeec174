"""Commands as typed, run in this process: quicker than a program of its own, and the same to the eye."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from coverledger.__main__ import run


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Typed:
    """The command line on one database."""

    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> Ended:
        self.capsys.readouterr()
        code = run(list(words))
        said = self.capsys.readouterr()
        return Ended(code, said.out, said.err)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        ended = self.run(*words, "--json")
        assert ended.code == 0, ended.stderr
        rows: list[dict[str, Any]] = json.loads(ended.stdout)
        return rows
