"""The feed as Parquet: whole files, the signed head beside, and DuckDB recomputes the limits from them."""

import json
from pathlib import Path

import duckdb
import pytest
from recorded_book import RecordedBook
from test_reporting_for_other_tools import blocks
from typed import Typed

from fixtures.desk import contract, send
from ledger.app import App
from ledger.errors import Rejected, UsageError
from ledger.feed.reader import read_feed
from ledger.proofs.checkpoints import peek_checkpoint
from projections.exports import archive as writing
from projections.exports.archive import Range, archive, ranges_of, to_write
from projections.listing import Filters
from projections.queries.questions import list_limits
from projections.queries.reader import Reader


@pytest.fixture
def archived(recorded: RecordedBook, monkeypatch: pytest.MonkeyPatch) -> RecordedBook:
    """A book whose archive has files of 50 positions."""
    monkeypatch.setattr(writing, "to_write", lambda held, end: to_write(held, end, 50))
    recorded.record_history(14, steps=150)
    recorded.catch_up()
    return recorded


def test_ranges_end_where_they_are_full_and_the_last_one_grows() -> None:
    assert list(to_write([], 120, 50)) == [Range(0, 49), Range(50, 99), Range(100, 120)]
    held = [Range(0, 49), Range(50, 99), Range(100, 120)]
    assert list(to_write(held, 120, 50)) == []
    assert list(to_write(held, 130, 50)) == [Range(100, 130)]
    assert list(to_write(held, 199, 50)) == [Range(100, 149), Range(150, 199)]
    assert list(to_write([Range(0, 49)], 49, 50)) == []
    assert list(to_write([Range(0, 49)], 50, 50)) == [Range(50, 50)]
    assert list(to_write([], -1, 50)) == []


def test_every_event_is_in_the_archive_once_byte_for_byte(archived: RecordedBook, tmp_path: Path) -> None:
    told: list[int] = []
    done = archive(archived.pool, archived.book, tmp_path, told.append)
    assert done.events == sum(told) == archived.end() + 1
    assert len(done.files) == archived.end() // 50 + 1
    rows = duckdb.sql(
        "select position, stream, version, type, payload, event_id"
        f" from read_parquet('{tmp_path}/events-*.parquet') order by position"
    ).fetchall()
    with archived.pool.connection() as connection:
        events = read_feed(connection, archived.book, -1, archived.end() + 1)
    assert rows == [
        (e.position, e.stream.name, e.version, e.type, e.payload.decode(), str(e.event_id)) for e in events
    ]
    assert done.head_size == archived.end() + 1
    for name in done.files:
        head = (tmp_path / name).with_suffix(".checkpoint").read_text(encoding="utf-8")
        assert peek_checkpoint(head).size == done.head_size


def test_it_goes_on_where_it_stood_and_writes_no_full_file_again(
    archived: RecordedBook, tmp_path: Path
) -> None:
    archive(archived.pool, archived.book, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert archive(archived.pool, archived.book, tmp_path).files == []
    archived.record_history(15, steps=60)
    archive(archived.pool, archived.book, tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    kept = sorted(before)[:-1]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert max(before) not in after or len(after) > len(before)
    assert ranges_of(tmp_path)[-1].last == archived.end()
    [(count, last)] = duckdb.sql(
        f"select count(distinct position), max(position) from read_parquet('{tmp_path}/events-*.parquet')"
    ).fetchall()
    assert count == last + 1 == archived.end() + 1


def test_duckdb_recomputes_the_limits_by_the_page_s_query(archived: RecordedBook, tmp_path: Path) -> None:
    archive(archived.pool, archived.book, tmp_path)
    [sql] = blocks("duckdb")
    found = duckdb.sql(sql.replace("cyber-care-feed", str(tmp_path)).rstrip().removesuffix(";"))
    recomputed = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    with archived.pool.connection() as connection:
        rows = list_limits(Reader(connection, archived.book, archived.end()), Filters())
    rows.sort(key=lambda row: (row["contract"], row["insurance_year"], row["guarantee"]))  # type: ignore[arg-type,return-value]
    assert any(row["amount_consumed_cents"] for row in rows)
    assert recomputed == rows


def test_what_is_personal_is_in_the_archive_as_ciphertext_alone(wiring: App, tmp_path: Path) -> None:
    send(wiring, "StartContract", contract("CC-1"), "2026-01-02T10:00:00+01:00")
    wiring.seal()
    archive(wiring.pool, wiring.book, tmp_path / "feed")
    read = duckdb.sql(f"select * from read_parquet('{tmp_path}/feed/*.parquet')")
    [row] = read.fetchall()
    payload = row[read.columns.index("payload")]
    assert json.loads(payload)["policyholder"]["name"].keys() == {"person", "box"}
    assert "Peeters" not in str(row)


def test_an_archive_of_another_log_or_with_a_gap_is_refused(archived: RecordedBook, tmp_path: Path) -> None:
    archive(archived.pool, archived.book, tmp_path)
    whole = sorted(path.name for path in tmp_path.iterdir())
    first, *_, last = ranges_of(tmp_path)
    other = tmp_path / Range(last.first, last.last + 100).name
    (tmp_path / last.name).rename(other)
    with pytest.raises(Rejected, match="another book's, or the log went back"):
        archive(archived.pool, archived.book, tmp_path)
    other.rename(tmp_path / last.name)
    (tmp_path / last.name).write_bytes((tmp_path / first.name).read_bytes())
    with pytest.raises(Rejected, match="another log's"):
        archive(archived.pool, archived.book, tmp_path)
    (tmp_path / last.name).write_bytes(b"no Parquet")
    with pytest.raises(Rejected, match="cannot be read"):
        archive(archived.pool, archived.book, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == whole
    (tmp_path / first.name).unlink()
    with pytest.raises(Rejected, match="a file from position 0 on is awaited"):
        archive(archived.pool, archived.book, tmp_path)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="name a folder"):
        archive(archived.pool, archived.book, file)


def test_an_archive_as_typed_says_what_it_wrote(typed: Typed, wiring: App, tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    send(wiring, "StartContract", contract("CC-1"), "2026-01-02T10:00:00+01:00")
    said = typed.run("archive", str(folder))
    assert (said.code, said.stdout) == (0, "")
    assert said.stderr.startswith("Wrote ")
    assert "head of" in said.stderr
    assert "already" in typed.run("archive", str(folder)).stderr
    [again] = [json.loads(typed.run("archive", str(folder), "--json").stdout)]
    assert (again["files"], again["book"]) == ([], "cyber-care")
