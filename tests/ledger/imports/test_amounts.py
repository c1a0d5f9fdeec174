"""Amounts in spreadsheets are read into cents or refused, never guessed."""

import pytest

from ledger.imports.csv_rows import NotAnAmount, cents


@pytest.mark.parametrize(
    "written",
    [
        "5000",
        "5000.00",
        "5000,00",
        "5.000,00",
        "5,000.00",
        "5.000,00 EUR",
        "5,000.00 EUR",
        "EUR 5000",
        "€ 5.000,00",
        "5000 €",
        " 5 000,00 ",
        "5\u00a0000,00\u00a0€",
        "05000.00",
    ],
)
def test_an_amount_written_in_any_usual_way_is_the_same_cents(written: str) -> None:
    assert cents(written) == 500_000


@pytest.mark.parametrize(
    ("written", "amount_cents"),
    [
        ("0", 0),
        ("0,01", 1),
        ("1.234.567,89", 123_456_789),
        ("1.234.567", 123_456_700),
        ("800.00 EUR", 80_000),
    ],
)
def test_large_and_small_amounts_are_read_exactly(written: str, amount_cents: int) -> None:
    assert cents(written) == amount_cents


@pytest.mark.parametrize("written", ["5.000", "5,000", "12.345", "5.000 EUR", "€ 5,000", "0.500"])
def test_an_amount_that_two_people_read_differently_is_refused(written: str) -> None:
    with pytest.raises(NotAnAmount, match="can be read as"):
        cents(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "EUR",
        "-5",
        "+5",
        "5e3",
        "5000.0",
        "5000.001",
        "1.23.456,00",
        "1,234,56",
        "5.000.00",
        "5,000,00",
        "\u0665\u0660\u0660\u0660",
        "5000 USD",
        "$5000",
        "NaN",
        "0x10",
        "5_000",
        "five",
        "5000.00.00",
        "1.234,567",
        "EUR 5 EUR",
        "9" * 40,
        "1" + "0" * 12,
    ],
)
def test_what_is_no_amount_of_euro_is_refused(written: str) -> None:
    with pytest.raises(NotAnAmount):
        cents(written)
