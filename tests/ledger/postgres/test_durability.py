"""A Postgres that could forget what it has acknowledged is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from embedded_homes import ask, data_of, is_deserted

from ledger.postgres import EmbeddedPostgres, PostgresUnavailable


def set_in_file(setting: str) -> Callable[[Path], None]:
    def loosen(home: Path) -> None:
        with (data_of(home) / "postgresql.conf").open("a") as file:
            file.write(f"{setting}\n")

    return loosen


def said_to_postgres(sentence: str) -> Callable[[Path], None]:
    def loosen(home: Path) -> None:
        with EmbeddedPostgres(home).join() as server:
            ask(server.superuser_dsn, sentence)

    return loosen


@pytest.mark.parametrize(
    ("loosen", "named"),
    [
        (set_in_file("fsync = off"), "fsync = off"),
        (set_in_file("full_page_writes = off"), "full_page_writes = off"),
        (set_in_file("synchronous_commit = off"), "synchronous_commit = off"),
        (said_to_postgres("ALTER SYSTEM SET fsync = off"), "fsync = off"),
        (said_to_postgres("ALTER ROLE postgres SET synchronous_commit = off"), "for role postgres"),
        (said_to_postgres("ALTER DATABASE template1 SET synchronous_commit = off"), "in database template1"),
        (said_to_postgres("ALTER ROLE ALL SET synchronous_commit = no"), "synchronous_commit=no"),
    ],
)
def test_a_server_that_may_lose_commits_is_refused_by_name(
    home: Path, loosen: Callable[[Path], None], named: str
) -> None:
    EmbeddedPostgres(home).join().close()
    loosen(home)
    with pytest.raises(PostgresUnavailable, match="would forget what it has acknowledged") as refused:
        EmbeddedPostgres(home).join()
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)
    assert is_deserted(home)


def test_a_server_that_waits_for_this_disk_alone_is_durable(home: Path) -> None:
    EmbeddedPostgres(home).join().close()
    set_in_file("synchronous_commit = local")(home)
    EmbeddedPostgres(home).join().close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
        ("TimeZone", "UTC"),
    ],
)
def test_the_server_is_set_up_to_keep_what_it_is_given(shared_dsn: str, setting: str, value: str) -> None:
    assert ask(shared_dsn, f"SHOW {setting}") == value


def test_text_is_sorted_alike_on_every_machine(shared_dsn: str) -> None:
    collation = ask(shared_dsn, "SELECT datcollate FROM pg_database WHERE datname = 'template1'")
    assert collation in {"C.UTF-8", "C"}
