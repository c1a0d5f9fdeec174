"""Lists as CSV, XLSX and Parquet, read back by programs that we did not write."""

import csv
import io
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.errors import Rejected, UsageError
from projections.exports import files
from projections.exports.files import csv_chunks, workbook_chunks, write_file, write_parquet
from projections.exports.sheets import Row, sheet

SHEET = sheet("some", name="text", amount_cents="integer", due_on="date", sealed_at="instant")
MOMENT = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
ROWS: list[Row] = [
    {"name": "CC-1", "amount_cents": -500, "due_on": date(2026, 3, 1), "sealed_at": MOMENT, "more": 1},
    {"name": 'with "quotes", commas\nand lines', "amount_cents": None, "due_on": None, "sealed_at": None},
]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "  =1+1", "\uff1d1+1", "=cmd|' /C calc'!A0"]


def as_csv(rows: list[Row]) -> list[dict[str, str]]:
    text = b"".join(csv_chunks(rows, SHEET)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def as_cells(rows: list[Row]) -> list[tuple[object, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(workbook_chunks(rows, SHEET))))
    return list(book.worksheets[0].iter_rows(values_only=True))


def test_csv_gives_each_row_its_line_and_leaves_out_what_no_column_names() -> None:
    first, second = as_csv(ROWS)
    assert first == {
        "name": "CC-1",
        "amount": "-5.00",
        "due_on": "2026-03-01",
        "sealed_at": "2026-07-01T10:30:00+00:00",
    }
    assert second["name"] == 'with "quotes", commas\nand lines'


def test_a_list_without_rows_still_has_its_heading() -> None:
    assert b"".join(csv_chunks([], SHEET)) == b"name,amount,due_on,sealed_at\r\n"
    assert as_cells([]) == [("name", "amount_cents", "due_on", "sealed_at")]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_text_like_a_formula_runs_in_no_spreadsheet(formula: str) -> None:
    rows: list[Row] = [{"name": formula}]
    assert as_csv(rows)[0]["name"] == f"'{formula}"
    book = openpyxl.load_workbook(io.BytesIO(b"".join(workbook_chunks(rows, SHEET))))
    cell = book.worksheets[0].cell(2, 1)
    # XML reads a bare carriage return as a line's end; the workbook's own escape keeps it.
    assert (cell.data_type, str(cell.value).replace("_x000D_", "\r")) == ("s", formula)


SOFFICE = shutil.which("soffice")
RUNS = [*FORMULAS, "=cmd|'/C calc'!A0", "+1+cmd", "@SUM(1+1)", "-2+3", "\r\n=1", "+++090/9337/55493+++&cmd",
        "+++090/9337/55493", "+++=1+1", "+++a90/9337/55493+++"]  # fmt: skip
RUNS_NOT = ["+++090/9337/55493+++", "***090/9337/55493***", "+++ 090/9337/55493 +++", "PAY-1", "a=b", "'=1"]


@pytest.mark.parametrize("text", RUNS_NOT)
def test_fault_37_a_text_that_is_no_formula_is_written_as_it_was_recorded(text: str) -> None:
    assert as_csv([{"name": text}])[0]["name"] == text
    assert as_cells([{"name": text}])[1][0] == text


@pytest.mark.parametrize("text", RUNS)
def test_fault_37_a_text_that_could_run_bears_its_apostrophe(text: str) -> None:
    assert as_csv([{"name": text}])[0]["name"] == f"'{text}"


@pytest.mark.test_all
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_fault_37_libreoffice_reads_the_texts_and_runs_none(tmp_path: Path) -> None:
    texts = [text for text in (*RUNS_NOT, *RUNS) if "\r" not in text and "\t" not in text]
    (tmp_path / "list.csv").write_bytes(b"".join(csv_chunks([{"name": text} for text in texts], SHEET)))
    for end in ("xlsx", "csv"):
        subprocess.run(
            [str(SOFFICE), "--headless", "--infilter=CSV:44,34,76",
             f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", end,
             "--outdir", tmp_path / "read", tmp_path / "list.csv"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "read" / "list.xlsx").worksheets[0]
    read = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [cell.data_type for cell in read] == ["s"] * len(texts)
    assert [cell.value for cell in read] == [text if text in RUNS_NOT else f"'{text}" for text in texts]
    with (tmp_path / "read" / "list.csv").open(newline="", encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [cell.value for cell in read]


@given(st.text(min_size=1))
@example("\x0c@")
@example("\u2028=1+1")
@example("\ufeff-1")
def test_no_text_whatever_begins_like_a_formula_in_csv(text: str) -> None:
    written = b"".join(csv_chunks([{"name": text}], sheet("one", name="text")))[len("name\r\n") :]
    (cell,) = next(csv.reader(io.StringIO(written.decode("utf-8", "surrogatepass"), newline="")), [""])
    assert not cell.lstrip().lstrip("\ufeff").startswith(("=", "+", "-", "@"))


def test_a_workbook_holds_dates_as_dates_and_instants_by_the_clock_of_brussels() -> None:
    _, first, second = as_cells(ROWS)
    assert first == ("CC-1", -500, datetime(2026, 3, 1), datetime(2026, 7, 1, 12, 30))  # noqa: DTZ001
    assert second[1:] == (None, None, None)


def test_parquet_holds_cents_as_integers_and_instants_in_utc(tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    with path.open("wb") as file:
        assert write_parquet(ROWS, SHEET, file) == len(ROWS)
    found = duckdb.sql(
        f"select name, amount_cents, due_on, epoch_us(sealed_at) from read_parquet('{path}')"
    ).fetchall()
    assert found[0] == ("CC-1", -500, date(2026, 3, 1), int(MOMENT.timestamp()) * 1_000_000)


@pytest.mark.parametrize("end", [".csv", ".xlsx", ".parquet"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, end: str) -> None:
    path = tmp_path / f"list{end}"
    path.write_bytes(b"what was there")

    def breaking_off() -> Iterator[Row]:
        yield ROWS[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_file(breaking_off(), SHEET, path)
    assert path.read_bytes() == b"what was there"
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert write_file(ROWS, SHEET, path) == len(ROWS)
    assert path.read_bytes() != b"what was there"


def test_another_end_of_the_name_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"end it in .csv, .xlsx, .parquet"):
        write_file(ROWS, SHEET, tmp_path / "list.pdf")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="cannot be written"):
        write_file(ROWS, SHEET, tmp_path / "nowhere" / "list.csv")


def test_without_the_extra_one_is_told_what_to_install() -> None:
    with pytest.raises(Rejected, match=r"pip install 'coverledger\[export\]'"):
        files.needed("no_such_module.at_all", "Parquet")


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 1)
    with pytest.raises(Rejected, match=r"write them as .csv or .parquet"):
        b"".join(workbook_chunks(ROWS, SHEET))


@pytest.mark.slow
@pytest.mark.parametrize("end", [".csv", ".xlsx", ".parquet"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path, end: str) -> None:
    def peak_bytes(count: int) -> int:
        made: Iterator[Row] = (
            {"name": f"CC-{n}", "amount_cents": n, "due_on": date(2026, 3, 1), "sealed_at": MOMENT}
            for n in range(count)
        )
        tracemalloc.start()
        write_file(made, SHEET, tmp_path / f"list{end}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    rows = 20_000 if end == ".parquet" else 2_000
    peak_bytes(10)  # what is loaded once
    few, many = peak_bytes(rows), peak_bytes((3 if end == ".parquet" else 10) * rows)
    assert many < 1.5 * few + 500_000
