"""What COPY or a statement is given comes out as it went in."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.store.pool import Pool
from projections.runner.follower import MANY, copy_text, joined

NAMES = ["CC-1", "C\\1", "\\N", "\\.", "\\t", "Ünï, \"quoted\" 'and' so on", "日本", " ", "a\\"]


def test_every_name_that_the_domain_takes_survives_copy(pool: Pool) -> None:
    rows = [(number, name, None, date(2026, 3, 1)) for number, name in enumerate(NAMES)]
    with pool.transaction() as connection, connection.cursor() as cursor:
        cursor.execute(
            "create temp table told (number int, name text, nothing text, on_day date) on commit drop"
        )
        cursor.copy_expert("copy told from stdin (null '')", copy_text(rows))
        cursor.execute("select number, name, nothing, on_day from told order by number")
        assert cursor.fetchall() == rows


@given(st.lists(st.tuples(st.integers(), st.none() | st.dates())))
def test_each_row_is_one_line(rows: list[tuple[object, ...]]) -> None:
    assert copy_text(rows).getvalue().count("\n") == len(rows)


@pytest.mark.parametrize("names", [[], ["CC-1"], NAMES, ["{a,b}", "NULL", "''", "null"]])
def test_many_names_in_one_text_are_the_same_names(pool: Pool, names: list[str]) -> None:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"select {MANY}", (joined(names),))
        assert cursor.fetchall() == [(names,)]


def test_a_name_that_holds_the_separator_is_refused() -> None:
    with pytest.raises(ValueError, match="separates values"):
        joined(["CC-1", "CC\x1e2"])
