"""Faults are injected briefly in every run, and in full where FAULTS_FULL=1 asks, as `make faults` does."""

import os

import pytest


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the full counts are wanted."""
    return os.environ.get("FAULTS_FULL") == "1"
