"""The implementation and the second reading answer alike and hold the same rows, whatever the desk does.

ORACLE_SEEDS=2000 (how many) and ORACLE_FIRST_SEED=0 (from which) run more histories than CI has time for.
"""

import os
from collections.abc import Callable
from functools import partial

import pytest

from oracle.agreement import difference, shortest
from oracle.histories import history
from oracle.implementation import Implementation

FIRST = int(os.environ.get("ORACLE_FIRST_SEED", "0"))
SEEDS = int(os.environ.get("ORACLE_SEEDS", "150"))
DETAILED = 10  # of which every step is compared, not only the end
SWEPT = 40  # in which time's events are recorded by a sweep before each line


def agree(seed: int, implementation: Callable[[], Implementation], *, each_line: bool = False) -> None:
    contracts, steps = (1 + seed % 4, 40 + seed % 50)
    found = difference(history(seed, contracts, steps), implementation, each_line=each_line)
    if found:
        pytest.fail(f"seed {seed}\n{shortest(found, implementation)}", pytrace=False)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_two_readings_of_the_page_agree_on_a_random_history(seed: int) -> None:
    agree(seed, Implementation)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + DETAILED))
def test_two_readings_agree_after_each_line(seed: int) -> None:
    agree(seed, Implementation, each_line=True)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SWEPT))
def test_two_readings_agree_however_often_a_sweep_runs(seed: int) -> None:
    agree(seed, partial(Implementation, sweeping=True))
