"""A recipe of docs/extending.md, read from the page, and a copy of the repository to follow it in."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path("docs/extending.md")
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEW_FILE = re.compile(r"A new file,\s`([\w./-]+)`:\n\n\Z")
HUNK = re.compile(r"^@@.*\n", re.MULTILINE)
GIT = shutil.which("git") or "git"
INSTALLED = [Path(".venv/.runtime-installed"), Path(".venv/.dev-installed")]
"""What make would look at, to install anew what the copy shares with this folder."""


class NotApplicable(Exception):
    """An edit does not fit the repository as it is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one block of a recipe does to one file: each hunk its lines of before, and those of after."""

    file: str
    hunks: tuple[tuple[str, str], ...]

    def apply(self, root: Path) -> None:
        """Make the change; lines of before must stand in the file exactly once. Raises NotApplicable."""
        path = root / self.file
        new = self.hunks[0][0] == ""
        if new == path.exists():
            message = f"{self.file} is {'there already' if new else 'not there'}"
            raise NotApplicable(message)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n" + ("" if new else path.read_text(encoding="utf-8"))
        for before, after in self.hunks:
            times = len(re.findall(rf"(?=\n{re.escape(before)})", text))
            if not new and times != 1:
                message = f"{self.file} holds {times} times:\n{before}"
                raise NotApplicable(message)
            text = text.replace("\n" + before, "\n" + after, 1)
        path.write_text(text[1:], encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe: its edits, and the commands by which its reader sees that they hold."""

    title: str
    edits: tuple[Edit, ...]
    commands: tuple[str, ...]


def recipes(page: str) -> dict[str, Recipe]:
    """Read every section that has edits, by its heading."""
    _, *parts = HEADING.split(page)
    read = (_recipe(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True))
    return {recipe.title: recipe for recipe in read if recipe.edits}


def _recipe(title: str, body: str) -> Recipe:
    edits: list[Edit] = []
    commands: list[str] = []
    for fence in FENCE.finditer(body):
        language, text = fence.groups()
        new_file = NEW_FILE.search(body[: fence.start()])
        if language == "diff":
            edits.append(_edit(text))
        elif new_file:
            edits.append(Edit(new_file[1], (("", text),)))
        elif language == "sh":
            commands += text.splitlines()
    return Recipe(title, tuple(edits), tuple(commands))


def _edit(diff: str) -> Edit:
    first, _, rest = diff.partition("\n")
    name = re.fullmatch(r"\+\+\+ (\S+)", first)
    assert name, f"a diff begins with `+++ FILE`, not with {first!r}"
    hunks = []
    for hunk in HUNK.split(rest):
        lines = [line or " " for line in hunk.splitlines()]
        assert all(line[0] in " +-" for line in lines), f"{name[1]}: {hunk}"
        before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
        assert before, f"{name[1]}: a hunk without a line that stands there"
        hunks.append((before, "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")))
    return Edit(name[1], tuple(hunks))


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the repository's files, which shares what is installed."""

    root: Path

    @classmethod
    def of(cls, repository: Path, into: Path) -> "Copy":
        """Copy what git holds, and what it would."""
        listed = subprocess.run(
            [GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True,
            cwd=repository,
            capture_output=True,
            text=True,
        ).stdout
        for name in listed.split("\0"):
            if name and (repository / name).is_file():
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(repository / name, into / name)
        (into / ".venv").symlink_to(sys.prefix)
        return cls(into)

    def state(self) -> dict[str, str]:
        """Return a sum of each file that a person may have edited."""
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.root.rglob("*")
            if path.is_file() and not _is_made(path.relative_to(self.root))
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a line as it is typed in the copy, where its own modules are found first."""
        words = shlex.split(command)
        if words[0] == "make":
            words[1:1] = [word for stamp in INSTALLED for word in ("-o", str(stamp))]
        return subprocess.run(
            words,
            check=False,
            cwd=self.root,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(self.root / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        )


def _is_made(path: Path) -> bool:
    caches = {"__pycache__", "site", "build"}
    return any(
        part in caches or re.match(r"\..*(cache|venv|hypothesis|coverage)", part) for part in path.parts
    )
