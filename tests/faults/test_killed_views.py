"""Whoever follows for the views is killed at random, again and again: no row is doubled, lost or wrong."""

import subprocess
import sys
from pathlib import Path
from random import Random
from time import sleep

import pytest

from fixtures.database import Database
from fixtures.program import environment_for, settings_of
from fixtures.signed_book import record_signed_book
from ledger.app import App
from ledger.feed.followers import FollowerRunner
from ledger.store.feed import checkpoints, feed_end
from projections.maintenance.checks import check_view, compare
from projections.views.directory import NAME as DIRECTORY
from projections.views.directory import check_directory
from projections.views.registry import VIEWS

SHORT, FULL = 10, 100
PROGRAM = Path(__file__).with_name("follow_views.py")


@pytest.mark.test_all
def test_views_followed_by_a_program_that_is_killed_at_random_hold_every_row_once(
    simulated: App, database: Database, *, full: bool
) -> None:
    chance = Random(41)  # noqa: S311  # chance that can be repeated
    kills = FULL if full else SHORT
    killed_at: list[int] = []
    given = {f"COVERLEDGER_{name.upper()}": dsn for name, dsn in settings_of(database).items()}
    environment = environment_for(simulated.settings.home, **given)
    record_signed_book(simulated, seed=5, steps=220)
    assert all(runner.start_over() for runner in runners(simulated))
    with simulated.pool.connection() as connection:
        end = feed_end(connection, simulated.book)
    for _ in range(kills):
        if reached(simulated) == end:
            # All views are there: they begin again, so that each kill falls into work.
            assert_whole(simulated)
            for runner in runners(simulated):
                runner.start_over()
        program = subprocess.Popen(
            [sys.executable, PROGRAM, simulated.book, "3"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert program.stdout is not None
        assert program.stdout.readline() == "following\n"
        sleep(chance.uniform(0, 0.35))
        program.kill()
        program.wait()
        program.stdout.close()
        killed_at.append(reached(simulated))
    assert len(set(killed_at)) > kills // 2, "the kills did not fall into the work"
    for runner in runners(simulated):
        runner.catch_up()
    assert_whole(simulated)


def runners(wiring: App) -> list[FollowerRunner]:
    return [FollowerRunner(wiring.pool, wiring.book, wiring.followers[name]) for name in (*VIEWS, DIRECTORY)]


def reached(wiring: App) -> int:
    """To where the view that is furthest behind has come."""
    with wiring.pool.connection() as connection:
        standing = checkpoints(connection, wiring.book)
    return min(standing.get(name, -1) for name in (*VIEWS, DIRECTORY))


def assert_whole(wiring: App) -> None:
    for view in VIEWS.values():
        assert compare(wiring.pool, wiring.book, view) == []
        check_view(wiring, view, lambda _done, _total: None)
    assert check_directory(wiring, lambda _done, _total: None).rows > 0
