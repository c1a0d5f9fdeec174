"""Reports as typed: for people, for programs, as files for spreadsheets; as of a time the same for ever."""

import csv
import json
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import duckdb
import openpyxl
import pytest
from recorded_book import RecordedBook
from typed import Typed

from fixtures.desk import claim, contract, ready_to_accept, send
from ledger.app import App
from projections.runner import rows as selecting
from projections.views import timeline as steps_of
from projections.views.limits import TABLE as LIMITS
from projections.views.registry import LISTINGS

REPORTS_TYPED = (
    ("refunds",),
    ("payments",),
    ("recoveries",),
    ("guarantees", "--until", "2026-06-30"),
    ("timeline",),
    ("bordereau", "2026-02"),
)
SAMPLE = files("ledger") / "samples" / "book.jsonl"
WHEN = "2026-02-{:02d}T10:00:00+01:00"


@pytest.fixture
def paid(wiring: App) -> App:
    """A claim accepted for 400 EUR and paid after a payment that failed; 100 EUR came back. One is open."""
    send(wiring, "StartContract", contract("CC-1"), "2026-01-01T09:00:00+01:00")
    ready_to_accept(wiring, "K-1", "CC-1")
    for day, name, fields in (
        (4, "AcceptClaim", {"claim": "K-1", "loss_cents": 40_000}),
        (5, "IssueRefund", {"claim": "K-1", "payment_reference": "PAY-1"}),
        (9, "RecordRefundFailure", {"claim": "K-1", "payment_reference": "PAY-1"}),
        (12, "IssueRefund", {"claim": "K-1", "payment_reference": "PAY-2"}),
        (20, "RecordRecovery", {"claim": "K-1", "amount_cents": 10_000, "payer": "bank"}),
        (21, "OpenClaim", claim("K-2", "CC-1", "2026-02-20")),
    ):
        answer = send(wiring, name, fields, WHEN.format(day))
        assert answer.status == "recorded", answer
    return wiring


@pytest.mark.usefixtures("paid")
def test_the_refund_took_nine_of_its_fifteen_days(typed: Typed) -> None:
    [refund] = typed.rows("report", "refunds")
    assert (refund["submitted_on"], refund["due_on"], refund["settled_on"]) == (
        "2026-02-03",
        "2026-02-18",
        "2026-02-12",
    )
    assert (refund["days_taken"], refund["days_allowed"], refund["in_time"]) == (9, 15, True)
    assert typed.rows("report", "refunds", "--status", "missed") == []


@pytest.mark.usefixtures("paid")
def test_payments_are_a_cash_book_whose_sum_is_what_was_refunded(typed: Typed) -> None:
    rows = typed.rows("report", "payments")
    assert [(row["moved_on"], row["kind"], row["paid_cents"], row["received_cents"]) for row in rows] == [
        ("2026-02-05", "refund", 40_000, 0),
        ("2026-02-09", "refund_failed", -40_000, 0),
        ("2026-02-12", "refund", 40_000, 0),
        ("2026-02-20", "recovery", 0, 10_000),
    ]
    between = typed.rows("report", "payments", "--since", "2026-02-09", "--before", "2026-02-12")
    assert [row["kind"] for row in between] == ["refund_failed"]


@pytest.mark.usefixtures("paid")
def test_a_claim_s_net_is_what_was_paid_less_what_came_back(typed: Typed) -> None:
    first, second = typed.rows("report", "recoveries")
    assert (first["refunded_cents"], first["recovered_cents"], first["net_cents"]) == (40_000, 10_000, 30_000)
    assert (second["status"], second["incurred_cents"]) == ("open", 0)
    [on_the_tenth] = typed.rows("report", "recoveries", "--on", "2026-02-10")
    assert (on_the_tenth["refunded_cents"], on_the_tenth["owed_cents"]) == (0, 40_000)


@pytest.mark.usefixtures("paid")
def test_figures_by_guarantee_stand_beside_the_days_of_cover_and_no_premium_is_made_up(typed: Typed) -> None:
    rows = typed.rows("report", "guarantees", "--until", "2026-02-28")
    payment = next(row for row in rows if row["guarantee"] == "payment")
    assert (payment["claims_opened"], payment["claims_counted"], payment["claims_undecided"]) == (2, 1, 1)
    assert (payment["exposed_days"], payment["net_cents"]) == (59, 30_000)
    assert payment["net_cents_per_year"] == round(30_000 * 365 / 59)
    assert [row["guarantee"] for row in rows] == ["data", "identity", "payment", "reputation"]
    assert not any("ratio" in name or "premium" in name for row in rows for name in row)
    assert "no premium" in typed.run("report", "guarantees", "--help").stdout


def test_a_contract_that_never_gave_cover_gives_no_exposure(typed: Typed, wiring: App) -> None:
    for number, ending in (("CC-1", "AnnulContract"), ("CC-2", "WithdrawFromContract")):
        fields = contract(number, "2026-02-01", distance_sale=True, concluded_on="2026-01-20")
        send(wiring, "StartContract", fields, "2026-01-20T09:00:00+01:00")
        more = {"reason": "by mistake"} if ending == "AnnulContract" else {"received_on": "2026-01-25"}
        answer = send(wiring, ending, {"contract": number, **more}, "2026-01-25T09:00:00+01:00")
        assert answer.status == "recorded", answer
    rows = typed.rows("report", "guarantees", "--until", "2026-12-31")
    assert {row["exposed_days"] for row in rows} <= {0}


@pytest.mark.usefixtures("paid")
def test_the_timeline_tells_the_four_steps_of_the_faq_in_codes(typed: Typed) -> None:
    rows = typed.rows("report", "timeline", "--claim", "K-1")
    assert list(dict.fromkeys(row["step"] for row in rows)) == [
        "notify",
        "identify",
        "decide",
        "refund",
        "recover",
    ]
    assert [row["said"] for row in rows if row["step"] == "refund"] == ["PAY-1", "PAY-1", "PAY-2"]
    assert list(dict.fromkeys(steps_of.STEPS.values())) == list(LISTINGS["timeline"].choices_of("step"))
    assert typed.rows("report", "timeline", "--step", "recover")[0]["amount_cents"] == 10_000


@pytest.mark.usefixtures("paid")
def test_the_bordereau_parts_what_was_paid_in_the_month_from_what_was_paid_before(typed: Typed) -> None:
    [first, second] = typed.rows("report", "bordereau", "2026-02")
    assert (first["paid_cents"], first["paid_before_cents"], first["recovered_cents"]) == (40_000, 0, 10_000)
    assert (first["outstanding_cents"], second["status"]) == (0, "open")
    assert typed.rows("report", "bordereau", "2026-03") == []
    later = typed.rows("report", "bordereau", "2026-03", "--all")
    assert [(row["claim"], row["paid_cents"], row["paid_before_cents"]) for row in later] == [
        ("K-1", 0, 40_000),
        ("K-2", 0, 0),
    ]
    assert typed.rows("report", "bordereau", "2026-01", "--all") == []


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize("report", REPORTS_TYPED, ids=lambda words: words[0])
def test_a_report_goes_to_a_file_as_it_goes_to_programs(
    typed: Typed, report: tuple[str, ...], tmp_path: Path
) -> None:
    rows = typed.rows("report", *report)
    names = LISTINGS[report[0]].sheet.names
    for end in (".csv", ".xlsx", ".parquet"):
        said = typed.run("report", *report, "--out", str(tmp_path / f"report{end}"))
        assert (said.code, said.stdout) == (0, "")
        assert said.stderr == f"Wrote {len(rows):,} rows to {tmp_path / f'report{end}'}.\n"
    assert [list(row) for row in rows] == [names] * len(rows)
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8") as file:
        as_csv = list(csv.DictReader(file))
    assert [list(row.values()) for row in as_csv] == [in_csv(row, names) for row in rows]
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx").worksheets[0]
    assert sheet.max_row == len(rows) + 1
    read = duckdb.sql(f"select * from read_parquet('{tmp_path / 'report.parquet'}')")
    assert read.columns == names
    assert len(read.fetchall()) == len(rows)


def in_csv(row: Mapping[str, object], names: list[str]) -> list[str]:
    """What a line holds of a row: amounts in euro."""
    return [
        "" if row[name] is None
        else f"{Decimal(str(row[name])) / 100:.2f}" if "_cents" in name
        else text_of(row[name])
        for name in names
    ]  # fmt: skip


def text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.usefixtures("paid")
def test_a_person_sees_amounts_as_money_and_every_report_has_its_help(typed: Typed) -> None:
    for report in REPORTS_TYPED:
        shown = typed.run("report", *report)
        assert shown.code == 0
        assert "EUR" in shown.stdout
        assert "Examples:" in typed.run("report", report[0], "--help").stdout


def test_reports_of_an_empty_book_say_kindly_that_there_is_nothing(typed: Typed, tmp_path: Path) -> None:
    for report in REPORTS_TYPED:
        said = typed.run("report", *report)
        assert (said.code, said.stdout) == (0, "")
        assert said.stderr.strip().endswith(".")
        assert typed.run("report", *report, "--out", str(tmp_path / "empty.csv")).code == 0
        assert len((tmp_path / "empty.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("bordereau", "2026-13"),
        ("bordereau", "2026-02-01"),
        ("bordereau", "februari"),
        ("bordereau",),
        ("refunds", "--out", "refunds.pdf"),
        ("refunds", "--as-of", "4711"),
        ("payments", "--since", "yesterday"),
        ("guarantees", "--year", "26"),
    ],
)
def test_what_is_asked_wrongly_is_told_in_a_line(typed: Typed, wrong: tuple[str, ...]) -> None:
    said = typed.run("report", *wrong)
    assert (said.code, said.stdout) == (2, "")


def files_of(typed: Typed, folder: Path, *time: str) -> dict[str, bytes]:
    folder.mkdir()
    for report in REPORTS_TYPED:
        out = folder / f"{report[0]}.csv"
        assert typed.run("report", *report, *time, "--out", str(out)).code == 0
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_report_as_of_a_time_gives_the_same_bytes_after_further_commands(
    typed: Typed, wiring: App, tmp_path: Path
) -> None:
    # All kinds of files, as of last year's end and after 10,000: tests/faults/test_last_years_reports.py
    recorded = RecordedBook(wiring)
    lines = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    recorded.record(lines[:300])
    assert typed.run("report", "refunds").code == 0
    time = ("--as-of", datetime.now(UTC).isoformat())
    before = files_of(typed, tmp_path / "before", *time)
    recorded.record(lines[300:600])
    after = files_of(typed, tmp_path / "after", *time)
    assert after == before
    now = files_of(typed, tmp_path / "now")
    assert not [name for name in before if now[name] == before[name]]
    assert {Path(name).stem for name in before} == {
        name for name, listing in LISTINGS.items() if listing.is_report
    }


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize(
    ("listed", "sheet"),
    [
        (("limits",), "limits"),
        (("due", "--status", "open"), "due"),
        (("contract", "list"), "contracts"),
        (("claim", "list"), "claims"),
        (("complaint", "list"), "complaints"),
    ],
    ids=lambda listed: listed if isinstance(listed, str) else "",
)
def test_the_lists_of_every_day_go_to_files_too(
    typed: Typed, listed: tuple[str, ...], sheet: str, tmp_path: Path
) -> None:
    rows, names = typed.rows(*listed), LISTINGS[sheet].sheet.names
    said = typed.run(*listed, "--out", str(tmp_path / "list.csv"))
    assert (said.code, said.stdout) == (0, "")
    with (tmp_path / "list.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.reader(file))
    assert read[0] == [name.removesuffix("_cents") for name in names]
    assert read[1:] == [in_csv(row, names) for row in rows]
    assert all(set(names) <= set(row) for row in rows)


@pytest.mark.slow
@pytest.mark.usefixtures("paid")
def test_a_list_goes_to_its_file_row_by_row_and_is_never_in_memory_whole(
    typed: Typed, wiring: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selecting, "ROWS_AT_ONCE", 100)
    # What the first run loads and keeps is none of the rows'.
    assert typed.run("limits", "--out", str(tmp_path / "limits.csv")).code == 0
    peaks = []
    for copies in (200, 2_000):
        multiply_limits(wiring, copies)
        tracemalloc.start()
        said = typed.run("limits", "--out", str(tmp_path / "limits.csv"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert said.code == 0
    assert len((tmp_path / "limits.csv").read_text().splitlines()) == 1 + 4 * 2_201
    assert peaks[1] < 1.5 * peaks[0]


def multiply_limits(wiring: App, copies: int) -> None:
    """Put copies of the first contract's limits into the view, under numbers of their own."""
    columns = ", ".join(LIMITS.columns[1:])
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"insert into {LIMITS.name} (book, generation, from_position, contract, {columns})"
            f" select book, generation, from_position, 'CC-{copies}-' || copy, {columns}"
            f" from {LIMITS.name}, generate_series(1, %s) as copy"
            " where contract = 'CC-1' and to_position is null",
            (copies,),
        )
