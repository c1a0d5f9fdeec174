"""The public vectors and a tree, for the tests here."""

from pathlib import Path

import pytest
from proof_samples import VECTORS, TreeInMemory

from ledger.proofs.notes import VerifierKey


@pytest.fixture(scope="session")
def tree() -> TreeInMemory:
    """A tree of 1,200 leaves: enough for tiles of two levels."""
    return TreeInMemory(1_200)


@pytest.fixture(scope="session")
def vectors() -> Path:
    return VECTORS


@pytest.fixture(scope="session")
def small_log() -> Path:
    return VECTORS / "small_log"


@pytest.fixture(scope="session")
def small_log_key() -> VerifierKey:
    return VerifierKey.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
