"""Whoever types backup and restore, with some contracts to lose and to bring back."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.program import Program


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever types commands."""

    program: Program
    folder: Path
    home: Path

    def does(self, *words: str | Path) -> str:
        """Run a command that must end well; what it printed."""
        ended = self.program.run(*map(str, words))
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def fails(self, *words: str | Path, code: int = 1) -> str:
        """Run a command that must not end well; the one line that it said."""
        ended = self.program.run(*map(str, words))
        assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
        said = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
        assert len(said) == 1, ended.stderr
        return said[0]

    def reads(self, *words: str | Path) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Run a command that prints JSON."""
        return json.loads(self.does(*words, "--json"))

    def starts(self, *contracts: str) -> None:
        """Start contracts, each with a policyholder of its own: P-1 of C-1."""
        lines = [
            {
                "command_id": f"start-{contract}",
                "command": "StartContract",
                "at": "2026-01-05T09:00:00+01:00",
                "data": {
                    "contract": contract,
                    "product": "cyber-care",
                    "starts_on": "2026-01-05",
                    "policyholder": {"person": contract.replace("C", "P"), "name": f"Name of {contract}"},
                },
            }
            for contract in contracts
        ]
        file = self.folder / f"{contracts[0]}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.does("import", file)

    def contracts(self) -> list[str]:
        return [row["contract"] for row in self.reads("contract", "list")]
