"""One unit a name: what we write as CSV is read back as the same cents, column by column, field by field."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.registry import COMMANDS
from ledger.imports.csv_rows import columns_of, read_csv
from ledger.imports.lines import Line
from projections.exports.files import csv_chunks
from projections.exports.sheets import Sheet
from projections.views.registry import LISTINGS

SHEETS = [listing.sheet for listing in LISTINGS.values()]
AT = "2026-02-03T10:00:00+01:00"
AMOUNTS = [
    (command, column)
    for command in COMMANDS
    for column, kind in columns_of(command).items()
    if kind == "amount"
]
MOST_CENTS = 10**13


def exported(sheet: Sheet, row: dict[str, object]) -> dict[str, str]:
    (read,) = csv.DictReader(io.StringIO(b"".join(csv_chunks([row], sheet)).decode(), newline=""))
    return read


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_fault_34_no_heading_of_a_csv_says_cents_and_each_is_another(sheet: Sheet) -> None:
    heading = list(exported(sheet, {}))
    assert not [name for name in heading if "cents" in name]
    assert heading == [re.sub("_cents(_|$)", r"\1", name) for name in sheet.names]
    assert len(set(heading)) == len(sheet.names)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
@settings(max_examples=20)
@given(cents=st.integers(-MOST_CENTS, MOST_CENTS))
def test_fault_34_every_amount_that_is_written_is_euro_with_two_decimals(sheet: Sheet, cents: int) -> None:
    names = [name for name in sheet.names if "_cents" in name]
    read = exported(sheet, dict.fromkeys(names, cents))
    for name in names:
        written = read[re.sub("_cents(_|$)", r"\1", name)]
        assert re.fullmatch(r"-?[0-9]+\.[0-9]{2}", written)
        assert int(written.replace(".", "")) == cents


@pytest.mark.parametrize(("command", "column"), AMOUNTS)
@settings(max_examples=20)
@given(cents=st.integers(0, MOST_CENTS))
def test_fault_34_what_is_written_under_a_name_is_read_under_it_as_the_same_cents(
    command: str, column: str, cents: int
) -> None:
    sheet = next((sheet for sheet in SHEETS if f"{column}_cents" in sheet.names), LISTINGS["claims"].sheet)
    field = f"{column}_cents" if f"{column}_cents" in sheet.names else "loss_cents"
    written = exported(sheet, {field: cents})[field.removesuffix("_cents")]
    file = f"command_id,at,{column}\na,{AT},{written}\n"
    (line,) = read_csv("any.csv", io.BytesIO(file.encode()), command)
    assert isinstance(line, Line)
    assert line.fields == {f"{column}_cents": cents}


def test_fault_34_every_field_of_cents_may_be_given_in_either_unit() -> None:
    for command in COMMANDS:
        kinds = columns_of(command)
        fields = [column for column, kind in kinds.items() if kind == "cents"]
        assert all(column.endswith("_cents") for column in fields)
        assert [kinds[column.removesuffix("_cents")] for column in fields] == ["amount"] * len(fields)
    assert {column for _, column in AMOUNTS} >= {"loss", "already_compensated", "amount"}
