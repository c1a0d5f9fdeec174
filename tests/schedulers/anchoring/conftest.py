"""A witness that runs."""

from collections.abc import Iterator

import pytest
from running_witness import RunningWitness, running_witness


@pytest.fixture
def witness() -> Iterator[RunningWitness]:
    with running_witness() as running:
        yield running
