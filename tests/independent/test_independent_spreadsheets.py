"""Lists as files, read back by LibreOffice, DuckDB and Python: each text comes out as it was recorded."""

import csv
import shutil
import subprocess
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from fixtures.desk import claim, contract, send
from fixtures.program import CommandLine
from ledger.app import App
from projections.exports.files import write_file
from projections.exports.sheets import Row, sheet
from projections.views.registry import LISTINGS

SOFFICE = shutil.which("soffice")
needs_libreoffice = pytest.mark.skipif(SOFFICE is None, reason="needs libreoffice-calc-nogui")

TEXTS = (
    'with "quotes"',
    '"',
    "a, comma; a semicolon | a bar",
    "two\nlines",
    "two\r\nlines, and a last\n",
    "a\ttab",
    "=cmd|' /C calc'!A0",
    "=1+1",
    "+32 2 123 45 67",
    "-1",
    "@SUM(A1)",
    "'an apostrophe before it",
    "+++090/9337/55493+++",
    "000054",
    "12345678901234567890",
    "0.10",
    "1,5",
    "1E5",
    "1/03/2024",
    "2026-03-01",
    "TRUE",
    "NULL",
    "#N/A",
    " blanks around ",
    "\u00a0no-break blanks\u00a0",
    "😀 👩\u200d👩\u200d👧 🇧🇪",
    "مرحبا بالعالم",
    "\u202eright to left\u202c",
    "王小明",
    "Zoe\u0308 as two characters",
    "\u200bzero width\u200b",
    "_x000D_ and _x0041_ as they stand",
    "<b>&amp;</b>",
    "\\N",
    "C:\\temp\\",
    "x" * 500,
)
SHEET = sheet("hostile", name="text", amount_cents="integer", due_on="date", sealed_at="instant", more="text")
MOMENT = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
ROWS: list[Row] = [
    {"name": text, "amount_cents": -place, "due_on": date(2026, 3, 1), "sealed_at": MOMENT, "more": text}
    for place, text in enumerate(TEXTS)
]
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def recorded(read: object) -> str:
    """What was recorded, by what a CSV's reader gives: an apostrophe stands before what could run."""
    text = str(read)
    return text[1:] if text[:1] == "'" and text[1:].lstrip().startswith(RUNS) else text


def lines(text: str) -> str:
    """A text whose lines end as LibreOffice ends them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for end in (".csv", ".xlsx", ".parquet"):
        assert write_file(ROWS, SHEET, folder / f"hostile{end}") == len(TEXTS)
    return folder


AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false"
"""CSV in UTF-8, each text in quotes, numbers and dates as a reader sees them."""


def shown_by_libreoffice(file: Path, folder: Path, *words: str) -> list[list[str]]:
    """Let LibreOffice open a file and save what its readers see; the cells below the heading."""
    done = subprocess.run(
        [
            str(SOFFICE),
            f"-env:UserInstallation=file://{folder}/profile",
            "--headless",
            *words,
            *("--convert-to", AS_SHOWN),
            *("--outdir", str(folder)),
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    with (folder / f"{file.stem}.csv").open(encoding="utf-8", newline="") as saved:
        return list(csv.reader(saved, strict=True))[1:]


def csv_as_texts(columns: int) -> str:
    """LibreOffice's word for: commas, UTF-8, each column a text; as people choose it who know their CSV."""
    return "--infilter=CSV:44,34,76,1," + "/".join(f"{at}/2" for at in range(1, columns + 1))


def in_euro(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"


def test_python_s_reader_finds_each_text_in_the_csv(files: Path) -> None:
    with (files / "hostile.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file, strict=True))
    assert [recorded(row["name"]) for row in read] == list(TEXTS)
    assert [row["more"] for row in read] == [row["name"] for row in read]
    assert [(row["amount"], row["due_on"], row["sealed_at"]) for row in read] == [
        (in_euro(-place), "2026-03-01", "2026-07-01T10:30:00+00:00") for place in range(len(TEXTS))
    ]


def test_duckdb_finds_each_text_in_the_csv_and_in_the_archive(files: Path) -> None:
    told = f"read_csv('{files}/hostile.csv', all_varchar = true, header = true, nullstr = '')"
    read = duckdb.sql(f"select name, amount, due_on from {told}").fetchall()
    assert [recorded(name) for name, _, _ in read] == list(TEXTS)
    assert [(euro, day) for _, euro, day in read] == [
        (in_euro(-at), "2026-03-01") for at in range(len(TEXTS))
    ]
    archived = duckdb.sql(
        f"select name, amount_cents from read_parquet('{files}/hostile.parquet')"
    ).fetchall()
    assert archived == [(text, -place) for place, text in enumerate(TEXTS)]


def test_openpyxl_finds_each_text_in_the_workbook_as_a_text(files: Path) -> None:
    book = openpyxl.load_workbook(files / "hostile.xlsx")
    rows = list(book.worksheets[0].iter_rows(min_row=2))
    assert {row[0].data_type for row in rows} == {"s"}
    assert [unescaped(row[0].value) for row in rows] == list(TEXTS)
    assert [row[1].value for row in rows] == [-place for place in range(len(TEXTS))]


def unescaped(value: object) -> str:
    """A workbook's text as programs show it: openpyxl leaves the standard's escapes (`_x000D_`) in it."""
    return openpyxl.utils.escape.unescape(str(value))


@needs_libreoffice
@pytest.mark.test_all
@pytest.mark.parametrize("end", [".csv", ".xlsx"])
def test_libreoffice_shows_each_text_number_and_date(files: Path, tmp_path: Path, end: str) -> None:
    words = [csv_as_texts(5)] if end == ".csv" else []
    read = shown_by_libreoffice(files / f"hostile{end}", tmp_path, *words)
    told = [recorded(row[0]) if end == ".csv" else row[0] for row in read]
    assert [lines(text) for text in told] == [lines(text) for text in TEXTS]
    moment = "2026-07-01T10:30:00+00:00" if end == ".csv" else "2026-07-01 12:30:00"
    # A CSV's amounts are in euro; a workbook's are the cents that its heading says.
    amounts = [in_euro(-at) if end == ".csv" else str(-at) for at in range(len(TEXTS))]
    assert [row[1:4] for row in read] == [[amount, "2026-03-01", moment] for amount in amounts]


REFERENCES = ("=cmd|'x'!A0", "+++090/9337/55493+++", "000054", "12345678901234567890", 'a;b,"c"', "😀 مرحبا")


@needs_libreoffice
@pytest.mark.test_all
@pytest.mark.parametrize("end", [".csv", ".xlsx"])
def test_libreoffice_finds_the_books_payments_as_they_were_recorded(
    wiring: App, command_line: CommandLine, tmp_path: Path, end: str
) -> None:
    for place, reference in enumerate(REFERENCES):
        number, when = f"00{place}", f"2026-02-0{place + 2}T09:00:00+01:00"
        for name, fields in (
            ("StartContract", contract(f"CC-{place}", "2026-01-01")),
            ("OpenClaim", claim(number, f"CC-{place}", "2026-02-01")),
            ("IdentifyClaimant", {"claim": number, "method": "callback"}),
            ("CompleteSubmission", {"claim": number, "completed_at": when[:10]}),
            ("AcceptClaim", {"claim": number, "loss_cents": 60_000 + place}),
            ("IssueRefund", {"claim": number, "payment_reference": reference}),
        ):
            answer = send(wiring, name, fields, when)
            assert answer.status == "recorded", answer
    wiring.catch_up()
    file = tmp_path / f"payments{end}"
    written = command_line("report", "payments", "--out", str(file))
    assert written.exit_code == 0, written.err
    (tmp_path / "opened").mkdir()
    words = [csv_as_texts(len(LISTINGS["payments"].sheet.names))] if end == ".csv" else []
    read = [
        dict(zip(LISTINGS["payments"].sheet.names, row, strict=True))
        for row in shown_by_libreoffice(file, tmp_path / "opened", *words)
    ]
    assert {row["claim"]: recorded(row["payment_reference"]) for row in read} == {
        f"00{place}": reference for place, reference in enumerate(REFERENCES)
    }
