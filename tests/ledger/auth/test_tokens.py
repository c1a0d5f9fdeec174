"""Tokens: kept as hashes, shown once, refused once they are over."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from fixtures.database import BOOK, Database
from fixtures.program import CommandLine
from ledger.auth.roles import ROLES, NotAdmitted, RoleUnknown
from ledger.auth.tokens import Tokens
from ledger.cli.token import ROLES as NAMED
from ledger.config import Settings
from ledger.http.callers import REMEMBERED_SECONDS, Admission
from ledger.running_file import told_where
from ledger.store.books import Books
from ledger.store.pool import Pool

SHORT = timedelta(milliseconds=1)


@pytest.fixture
def tokens(pool: Pool, books: Books) -> Tokens:
    assert books.names() == [BOOK]
    return Tokens(pool, BOOK)


def made(tokens: Tokens, role: str = "auditor", lasts: timedelta | None = None) -> str:
    return tokens.create("bearer", role=role, name="desk-17", created_by="test", lasts=lasts)[1]


def test_the_database_holds_nothing_that_lets_anybody_in(tokens: Tokens, database: Database) -> None:
    text = made(tokens)
    with psycopg2.connect(database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select t::text from ledger.tokens t")
        [(row,)] = cursor.fetchall()
    connection.close()
    assert text.split("_", 2)[2] not in row
    assert tokens.find(text, {"bearer"}).name == "desk-17"


def test_what_is_wrong_is_said_of_a_token_and_the_token_is_not_quoted(tokens: Tokens) -> None:
    expired, revoked = made(tokens, lasts=SHORT), made(tokens)
    assert tokens.revoke(revoked.split("_")[1])
    other = made(tokens)
    last = "A" if other[-1] != "A" else "B"
    for text, said in (
        (expired, "expired"),
        (revoked, "revoked"),
        (f"{other[:-1]}{last}", "no token"),
        (other.upper(), "no token"),
        ("", "no token"),
        ("clt_" + "0" * 12 + "_" + "x" * 43, "no token"),
    ):
        with pytest.raises(NotAdmitted, match=said) as refused:
            tokens.find(text, {"bearer"})
        assert not text or text not in str(refused.value)


def test_a_token_of_one_kind_or_book_is_none_of_another(tokens: Tokens, books: Books, pool: Pool) -> None:
    text = made(tokens)
    books.create("other", origin="ledger.test/other")
    for elsewhere, kind in ((tokens, "session"), (Tokens(pool, "other"), "bearer")):
        with pytest.raises(NotAdmitted):
            elsewhere.find(text, {kind})  # type: ignore[arg-type]
    disguised = text.replace("clt_", "cls_")
    with pytest.raises(NotAdmitted):
        tokens.find(disguised, {"session"})


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(tokens: Tokens) -> None:
    with pytest.raises(RoleUnknown, match=r"auditor, back_office"):
        made(tokens, role="root")


def test_of_many_who_follow_one_sign_in_link_at_once_one_is_let_in(tokens: Tokens) -> None:
    _, link = tokens.create("link", role="auditor", name="a-3", created_by="test", lasts=timedelta(minutes=1))

    def follow(_: int) -> bool:
        try:
            tokens.redeem(link)
        except NotAdmitted:
            return False
        return True

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(follow, range(24))) == 1


def test_a_revoked_token_is_believed_for_a_second_at_most(tokens: Tokens) -> None:
    clock = [100.0]
    admission = Admission(tokens, now=lambda: clock[0])
    text = made(tokens)
    assert admission.bearer(text).role == "auditor"
    tokens.revoke(text.split("_")[1])
    clock[0] += REMEMBERED_SECONDS
    with pytest.raises(NotAdmitted, match="revoked"):
        admission.bearer(text)


def test_create_list_and_revoke_as_typed(command_line: CommandLine) -> None:
    made = command_line("token", "create", "--role", "subscriber", "--name", "crm", "--days", "30")
    assert made.exit_code == 0
    assert made.out.startswith("clt_")
    assert "shown this once" in made.err
    [told] = command_line("token", "list", "--json").json
    assert (told["role"], told["name"], told["revoked_at"]) == ("subscriber", "crm", None)
    assert told["expires_at"] is not None
    assert made.out.strip() not in command_line("token", "list").out
    assert command_line("token", "revoke", told["id"]).exit_code == 0
    again = command_line("token", "revoke", told["id"])
    assert (again.exit_code, len(again.err.splitlines())) == (1, 1)
    assert command_line("token", "list", "--json").json[0]["revoked_at"] is not None


@pytest.mark.parametrize(
    "words",
    [
        ("create", "--role", "root", "--name", "x"),
        ("create", "--role", "admin"),
        ("create", "--role", "admin", "--name", "time"),
        ("create", "--role", "admin", "--name", "x", "--days", "0"),
        ("link", "--role", "calendar", "--name", "x"),
    ],
)
def test_what_is_typed_wrongly_is_said_in_one_line(command_line: CommandLine, words: tuple[str, ...]) -> None:
    typed = command_line("token", *words)
    assert (typed.exit_code, typed.out, len(typed.err.splitlines())) == (2, "", 1)


def test_the_roles_that_help_names_are_the_roles_that_there_are() -> None:
    assert set(NAMED) == set(ROLES)


def test_the_page_on_http_has_every_role_with_its_rights() -> None:
    page = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|$", page, re.MULTILINE)
    assert {role: sorted(re.findall(r"\w+", rights)) for role, rights in rows} == {
        role: sorted(rights) for role, rights in ROLES.items()
    }


def test_fault_41_a_link_bears_the_address_of_the_up_that_runs_or_none(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("token", "link", "--role", "auditor", "--name", "a-3")
    none = command_line(*words)
    assert (none.exit_code, none.out.startswith("/sign-in?code=")) == (0, True)
    assert "--url" in none.err
    told = command_line(*words, "--json").json
    assert (told["link"], told["path"].startswith("/sign-in?code=")) == (None, True)

    monkeypatch.setenv("COVERLEDGER_HTTP_URL", "https://ledger.example")
    assert command_line(*words).out.startswith("https://ledger.example/sign-in?code=")
    with socket.create_server(("127.0.0.1", 0)) as up:
        address = f"http://127.0.0.1:{up.getsockname()[1]}"
        settings = Settings.load()
        with told_where(settings, "cyber-care", address=address, local=address):
            assert command_line(*words).out.startswith(f"{address}/sign-in?code=")
            assert command_line(*words, "--json").json["link"].startswith(f"{address}/sign-in?code=")
            given = command_line(*words, "--url", "https://desk.example/")
            assert given.out.startswith("https://desk.example/sign-in?code=")
        # One of another book is none of this one's.
        with told_where(settings, "other", address=address, local=address):
            assert command_line(*words).out.startswith("https://ledger.example/")
    assert command_line(*words).out.startswith("https://ledger.example/")
