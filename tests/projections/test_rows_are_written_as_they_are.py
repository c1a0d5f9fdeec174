"""What COPY is given comes out of the table as it went in."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ledger.store.pool import Pool
from projections.folding.writing import copy_text

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
