"""What docs/reporting.md says, done: psql and a BI tool's SQLAlchemy on the schema `reporting`."""

import re
import subprocess
from collections.abc import Iterator

import pytest
import sqlalchemy
from recorded_book import RecordedBook
from sqlalchemy import make_url

from architecture.sources import ROOT
from fixtures.database import Database, execute
from ledger.postgres.binaries import find_binaries
from ledger.store.pool import Pool
from projections.listing import Filters
from projections.maintenance.rebuild import rebuild
from projections.queries.questions import list_limits, rows_of
from projections.queries.reader import Reader
from projections.views.registry import LISTINGS, VIEWS

PAGE = (ROOT / "docs" / "reporting.md").read_text(encoding="utf-8")
WORD = "only-for-tests"


def blocks(marked: str) -> list[str]:
    """The SQL of the page between its marks."""
    found = re.findall(
        rf"<!-- {marked}: begin -->\n```sql\n(.*?)```\n<!-- {marked}: end -->", PAGE, re.DOTALL
    )
    assert found
    return found


@pytest.fixture
def book(recorded: RecordedBook) -> RecordedBook:
    recorded.record_history(14, steps=120)
    recorded.catch_up()
    return recorded


@pytest.fixture
def desk(book: RecordedBook, database: Database) -> Iterator[str]:
    """The DSN of the login that the page makes."""
    assert book.end() > 0
    [making] = blocks("sql as the owner")
    with Pool(database.superuser_dsn) as pool, pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select ledger.role('reporting')")
        [(role,)] = cursor.fetchall()
    made = making.replace('"<database>_reporting"', f'"{role}"').replace("choose one", WORD)
    name = f"bi_desk_{database.name}"
    execute(database.superuser_dsn, made.replace("bi_desk", name))
    parts = dict(part.split("=", 1) for part in database.superuser_dsn.split())
    yield f"postgresql://{name}:{WORD}@/{database.name}?host={parts['host']}&port={parts['port']}"
    execute(database.superuser_dsn, f"drop role {name}")


def psql(desk: str, sql: str) -> list[list[str]]:
    done = subprocess.run(
        [find_binaries().folder / "psql", "--no-psqlrc", "--csv", "--set=ON_ERROR_STOP=1", desk],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.split(",") for line in done.stdout.splitlines()]


def test_the_page_s_queries_run_in_psql_and_give_what_the_commands_give(
    desk: str, book: RecordedBook
) -> None:
    limits, refunds, as_of, behind, *_ = (
        psql(desk, sql.replace("'cyber-care'", f"'{book.book}'").replace("400", "40"))
        for sql in blocks("sql")
    )
    assert limits[0] == ["contract", "insurance_year", "guarantee", "eur_left", "count_remaining"]
    assert refunds[0][0] == "guarantee"
    with book.pool.connection() as connection:
        reader = Reader(connection, book.book, 40)
        owed: dict[str, int] = {}
        for row in rows_of(reader, LISTINGS["recoveries"], Filters()):
            guarantee = str(row["guarantee"])
            owed[guarantee] = owed.get(guarantee, 0) + int(str(row["owed_cents"]))
    assert {row[0]: int(row[2]) for row in as_of[1:]} == owed
    assert behind[0][:3] == ["claim", "owed_cents", "type"]


def test_a_bi_tool_finds_the_views_with_their_comments_and_reads_what_the_commands_say(
    desk: str, book: RecordedBook
) -> None:
    engine = sqlalchemy.create_engine(make_url(desk).set(drivername="postgresql+psycopg2"))
    try:
        inspector = sqlalchemy.inspect(engine)
        found = set(inspector.get_view_names(schema="reporting"))
        assert found == {*VIEWS, *(f"{name}_history" for name in VIEWS), "freshness"}
        for view in sorted(found):
            assert inspector.get_table_comment(view, schema="reporting")["text"]
            silent = [c["name"] for c in inspector.get_columns(view, schema="reporting") if not c["comment"]]
            assert silent == []
        table = sqlalchemy.Table("limits", sqlalchemy.MetaData(), schema="reporting", autoload_with=engine)
        with engine.connect() as connection:
            query = sqlalchemy.select(table).where(table.c.book == book.book)
            shown = {
                (row.contract, row.insurance_year, row.guarantee): (
                    row.amount_remaining_cents,
                    row.count_remaining,
                )
                for row in connection.execute(query)
            }
    finally:
        engine.dispose()
    with book.pool.connection() as connection:
        rows = list_limits(Reader(connection, book.book, book.end()), Filters())
    assert shown == {
        (row["contract"], row["insurance_year"], row["guarantee"]): (
            row["amount_remaining_cents"],
            row["count_remaining"],
        )
        for row in rows
    }


def test_the_login_for_reports_writes_nothing_and_sees_no_key_and_no_name(desk: str) -> None:
    engine = sqlalchemy.create_engine(desk)
    try:
        for refused in (
            "update projections.limits set count_consumed = 0",
            "delete from ledger.events",
            "select * from vault.directory",
            "select * from vault.subjects",
            "select * from ledger.commands",
            "create table reporting.mine (x int)",
            "insert into projections.generations values ('b', 'v', 1, 1, 'live')",
        ):
            with (
                engine.connect() as connection,
                pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"),
            ):
                connection.execute(sqlalchemy.text(refused))
    finally:
        engine.dispose()


def test_a_view_that_is_rebuilt_shows_each_row_once(desk: str, book: RecordedBook) -> None:
    asked = f"select * from reporting.limits where book = '{book.book}' order by 2, 3, 4"
    before = psql(desk, asked)
    rebuild(book.pool, book.book, VIEWS["limits"])
    assert psql(desk, asked) == before
    assert len(before) > 1
