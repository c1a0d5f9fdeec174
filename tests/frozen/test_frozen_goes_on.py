"""A ledger of before goes on with the code of today: commands, seals, heads, erasures, backup and restore."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.desk import claim, contract
from frozen.conftest import Opened
from frozen.opening import (
    LEDGER,
    PRESENT,
    REAL,
    SIMULATED,
    Frozen,
    admit_logins,
    create_database,
    drop_database,
    head,
    kept,
    load,
    unpack,
)
from frozen.running import environment, typed
from frozen.standing_clock import StandingClock
from ledger.backup.dump import Tools
from ledger.migrate import migrate, migrations


def does(*words: str) -> str:
    ended = typed(*words)
    assert ended.code == 0, (words, ended)
    return ended.out


def reads(*words: str) -> Any:  # noqa: ANN401  # whatever is printed
    return json.loads(does(*words, "--json"))


def submit(command_id: str, name: str, data: object, book: str = REAL, *words: str) -> dict[str, Any]:
    ended = typed("submit", name, json.dumps(data), "--id", command_id, "--book", book, "--json", *words)
    answer: dict[str, Any] = json.loads(ended.out)
    assert answer["status"] == "recorded", answer
    return answer


@pytest.mark.test_all  # it lives for a day
def test_it_goes_on_and_all_of_it_is_verified(frozen: Frozen, tmp_path: Path) -> None:
    submit(
        "goes-1", "StartContract", contract("GOES-1", "2026-06-01"), REAL, "--at", "2026-06-01T09:00:00+02:00"
    )
    submit("goes-2", "OpenClaim", claim("K-goes", "CC-20", "2026-11-28"))
    submit("goes-3", "CloseComplaint", {"complaint": "X-2", "on": "2026-12-01"})
    does("subject", "erase", "P-GOES-1", "--reason", "asked for it")
    does("letters", "prepare")
    does("deadlines", "sweep")
    submit(
        "goes-4",
        "LodgeComplaint",
        {"complaint": "X-new", "contract": "CC-7-00056", "received_on": "2026-03-06", "subject": "Slow"},
        SIMULATED,
    )
    does("projections", "replay-parked")
    for book in (REAL, SIMULATED):
        before = int(head(book, "6-at-last").read_text().splitlines()[1])
        told = reads("verify", "--views", "--book", book, "--since", str(head(book, "6-at-last")))
        assert (told["verified"], told["size"] > before, len(told["views"])) == (True, True, 13)
        key = reads("checkpoint", "--vkey", "--book", book)["verifier_key"]
        assert key == kept("keys.json")[book]["after_restore"]
        does("export", str(tmp_path / book), "--book", book)
        does("verify", str(tmp_path / book), "--key", key, "--since", str(head(book, "6-at-last")))
    assert "parked" not in {row["status"] for row in reads("projections", "list")}

    does("keys", "rotate", "--json")
    does("keys", "rotate", "--signing", "--json")
    size = reads("verify")["size"]
    does("backup", str(tmp_path / "now.dump"), "--vault", str(tmp_path / "vault.dump"))
    submit("goes-5", "OpenClaim", claim("K-lost", "CC-20", "2026-11-29"))
    lost = typed("checkpoint").out
    restored = reads("restore", str(tmp_path / "now.dump"), "--vault", str(tmp_path / "vault.dump"), "--yes")
    assert {book["book"]: book["epoch_begun"] for book in restored["books"]} == {REAL: 3, SIMULATED: None}
    assert reads("verify")["size"] == size
    assert lost
    assert reads("contract", "show", "GOES-1")["status"] == "active"
    assert frozen.home.is_dir()


@pytest.mark.test_all  # migrations one by one
@pytest.mark.parametrize("backup", ["data.dump", "before.dump"])
def test_a_backup_of_before_is_restored_where_the_migrations_of_then_were_applied(
    opened_once: Opened, tmp_path: Path, backup: str
) -> None:
    manifest = kept(f"{backup}.json")
    vault = {"data.dump": "vault.dump", "before.dump": "vault-before.dump"}[backup]
    known = {migration.name: migration for migration in migrations()}
    assert {name: known[name].sha256 for name in manifest["migrations"]} == manifest["migrations"]
    then = tmp_path / "migrations"
    then.mkdir()
    for name in manifest["migrations"]:
        (then / name).write_text(known[name].text)
    name = f"{opened_once.name}_then"
    dsn = create_database(opened_once.server_dsn, name)
    home = unpack("home.tar.xz", tmp_path / "home")
    frozen = Frozen(name, dsn, home, name)
    try:
        migrate(frozen.dsn("owner"), then)
        admit_logins(dsn, name)
        load_backup(frozen, LEDGER / backup, tmp_path)
        load_backup(frozen, LEDGER / vault, tmp_path)
        with environment(frozen.settings):
            does("migrate")
            StandingClock(dsn, PRESENT)
            does("restore", "--accept", "--json")
            for book in (REAL, SIMULATED):
                assert reads("verify", "--book", book)["verified"]
            assert "Ada Wauters" in does("subject", "export", "P-ADA", "--reason", "right of access")
            gone = does("subject", "export", "P-GONE-1", "--reason", "right of access")
            assert ("Weggegaan" in gone) is (backup == "before.dump")  # whose vault knows her still
    finally:
        drop_database(opened_once.server_dsn, name)


def load_backup(frozen: Frozen, file: Path, work: Path) -> None:
    """Load a backup's rows by Postgres' own pg_restore: `restore` takes those of today's schema alone."""
    tools = Tools.find(None, frozen.superuser_dsn)
    listed = work / f"{file.name}.list"
    lines = tools.run("pg_restore", "--list", file).splitlines()
    listed.write_text("\n".join(line for line in lines if " ledger migrations " not in line))
    script = tools.run("pg_restore", "--data-only", "--no-owner", f"--use-list={listed}", "--file=-", file)
    load(frozen.superuser_dsn, script)
