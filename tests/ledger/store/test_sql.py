"""Statements are put together from fragments of one statement only."""

import pytest

from ledger.store.sql import compose


def test_each_fragment_stands_at_its_place_and_parameters_stay_the_drivers() -> None:
    composed = compose("select {columns} from t where d = %s", columns="a, b")
    assert composed == "select a, b from t where d = %s"


@pytest.mark.parametrize("fragment", ["a; drop table t", "a -- b", "a /* b", "a = 'b"])
def test_what_ends_a_statement_hides_its_rest_or_leaves_a_quote_open_is_no_fragment(fragment: str) -> None:
    with pytest.raises(ValueError, match="no fragment of a statement"):
        compose("select {columns} from t", columns=fragment)
