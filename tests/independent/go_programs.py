"""Programs in Go, built from what the system's packages hold (Debian: golang-go, golang-golang-x-mod-dev)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

GO = shutil.which("go")
GOPATH = Path("/usr/share/gocode")
PACKAGES = GOPATH / "src/golang.org/x/mod/sumdb/tlog"

needs_go = pytest.mark.skipif(
    GO is None or not PACKAGES.is_dir(), reason="needs golang-go and golang-golang-x-mod-dev"
)


def built(name: str, folder: Path) -> Path:
    """Build the program of one of the folders beside this file."""
    program = folder / name
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    source = Path(__file__).parent / name
    subprocess.run([str(GO), "build", "-o", str(program), "."], cwd=source, env=environment, check=True)
    return program


def run(program: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=120)
