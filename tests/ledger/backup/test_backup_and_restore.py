"""What was backed up comes back, whoever was erased does not, and a log that lost something says so."""

import json
from hashlib import sha256
from pathlib import Path

import psycopg2
import pytest
from restoring_desk import Desk

from fixtures.database import Database, execute
from fixtures.program import ended_by
from ledger.backup.dump import Tools


def values(dsn: str, statement: str) -> list[object]:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        found = [value for (value,) in cursor.fetchall()]
    connection.close()
    return found


@pytest.mark.slow
def test_a_backup_comes_back_whole_with_its_views_and_a_new_epoch_begins_where_signed_heads_were_lost(
    desk: Desk, dsn: str
) -> None:
    desk.starts("C-1", "C-2")
    limits = desk.reads("limits")
    [made] = desk.reads("backup", desk.folder / "ledger.dump")
    size = made["books"][0]["size"]
    assert made["books"][0]["checkpoint"].splitlines()[1] == str(size)
    desk.starts("C-3")
    lost = len(desk.reads("events"))

    restored = desk.reads("restore", desk.folder / "ledger.dump", "--yes")
    [book] = restored["books"]
    assert (book["events"], book["epoch_begun"], book["from_position"], book["lost_size"]) == (
        size,
        2,
        size,
        lost,
    )
    assert desk.contracts() == ["C-1", "C-2"]
    assert desk.reads("limits") == limits
    assert desk.reads("checkpoint")["origin"].endswith("/epoch-2")
    assert values(dsn, "select because from ledger.epochs where epoch = 2") == [
        f"the backup of {made['taken_at']} was restored"
    ]

    said = desk.fails("events", "--since", f"1:{lost - 1}")
    assert f"epoch 2 parts from it at position {size}" in said
    assert f"read again after 2:{size - 1}" in said
    desk.starts("C-4")
    again = desk.reads("events", "--since", f"1:{size - 1}")
    assert [row["position"] for row in again] == list(range(size, size + len(again)))
    assert {row["epoch"] for row in again} == {2}
    assert again[-1]["cursor"] == f"2:{again[-1]['position']}"
    assert desk.contracts() == ["C-1", "C-2", "C-4"]


@pytest.mark.slow
def test_the_triggers_stand_again_after_a_restore(desk: Desk, database: Database) -> None:
    desk.starts("C-1")
    desk.does("backup", desk.folder / "ledger.dump")
    before = values(
        database.superuser_dsn, "select tgname || tgenabled::text from pg_trigger order by tgrelid, tgname"
    )
    desk.does("restore", desk.folder / "ledger.dump", "--yes")
    after = values(
        database.superuser_dsn, "select tgname || tgenabled::text from pg_trigger order by tgrelid, tgname"
    )
    assert after == before
    with pytest.raises(psycopg2.Error, match="append-only"):
        execute(database.superuser_dsn, "delete from ledger.events")


@pytest.mark.slow
def test_a_backup_of_the_present_state_is_restored_without_a_new_epoch(desk: Desk) -> None:
    desk.starts("C-1")
    desk.does("backup", desk.folder / "ledger.dump")
    head = desk.does("checkpoint")
    [book] = desk.reads("restore", desk.folder / "ledger.dump", "--yes")["books"]
    assert book["epoch_begun"] is None
    assert desk.does("checkpoint") == head


@pytest.mark.slow
def test_whoever_was_erased_since_stays_unreadable_whatever_is_restored(desk: Desk, dsn: str) -> None:
    desk.starts("C-1", "C-2")
    desk.does("backup", desk.folder / "ledger.dump", "--vault", desk.folder / "vault.dump")
    desk.does("subject", "erase", "P-1", "--reason", "asked for")

    [book] = desk.reads("restore", desk.folder / "ledger.dump", "--yes")["books"]
    assert book["erased"] == ["P-1"]
    assert desk.reads("events")[-1]["type"] == "contract.SubjectErased"
    assert values(dsn, "select person from vault.subjects where wrapped is null") == ["P-1"]
    assert "Name of C-1" not in desk.does("subject", "export", "P-1", "--reason", "test", "--json")

    desk.does("restore", "--vault", desk.folder / "vault.dump", "--yes")
    assert values(dsn, "select person from vault.subjects where wrapped is null") == ["P-1"]
    assert values(dsn, "select person from vault.subjects where wrapped is not null") == ["P-2"]
    assert "Name of C-2" in desk.does("subject", "export", "P-2", "--reason", "test", "--json")


@pytest.mark.slow
def test_a_machine_set_up_anew_gets_data_vault_and_keys_back_and_the_log_s_word_on_the_erased(
    desk: Desk, database: Database, dsn: str
) -> None:
    desk.starts("C-1", "C-2")
    desk.does("backup", "--vault", desk.folder / "vault.dump")
    desk.does("subject", "erase", "P-1", "--reason", "asked for")
    desk.does("backup", desk.folder / "ledger.dump")
    head = desk.does("checkpoint")
    wipe(database)

    desk.does("restore", desk.folder / "ledger.dump", "--vault", desk.folder / "vault.dump", "--yes")
    assert desk.does("checkpoint") == head
    assert values(dsn, "select erased_because from vault.subjects where person = 'P-1'") == [
        "the log says so"
    ]
    assert "Name of C-2" in desk.does("subject", "export", "P-2", "--reason", "test", "--json")
    desk.starts("C-3")


def wipe(database: Database) -> None:
    """Leave the schema as migrations make it, and nothing in it."""
    tables = "select format('%I.%I', schemaname, tablename) from pg_tables "
    ours = (
        "where schemaname in ('ledger', 'vault', 'projections', 'schedulers') and tablename <> 'migrations'"
    )
    names = [str(name) for name in values(database.superuser_dsn, tables + ours)]
    execute(
        database.superuser_dsn,
        *(f"alter table {name} disable trigger user" for name in names),
        f"truncate {', '.join(names)}",
        *map(str, always_on(database.superuser_dsn)),
    )


def always_on(dsn: str) -> list[object]:
    return values(
        dsn,
        "select format('alter table %s enable always trigger %I', tgrelid::regclass, tgname) from pg_trigger "
        "where tgrelid::regclass::text like 'ledger.%' and not tgisinternal",
    )


@pytest.mark.slow
def test_after_keys_rotate_an_older_copy_of_the_whole_disk_opens_for_nobody(desk: Desk, dsn: str) -> None:
    desk.starts("C-1", "C-2")
    old_disk = values(dsn, "select format('(%L, %L, %L)', person, wrapped, master_id) from vault.subjects")
    desk.does("backup", "--vault", desk.folder / "old-vault.dump")
    desk.does("subject", "erase", "P-1", "--reason", "asked for")
    rotated = desk.reads("keys", "rotate")
    assert rotated["persons"] == 1
    assert "Name of C-2" in desk.does("subject", "export", "P-2", "--reason", "test", "--json")
    desk.does("backup", "--vault", desk.folder / "vault.dump")

    # The old disk comes back: the vault as it was, without a trace of the erasure.
    execute(
        dsn,
        "alter table vault.subjects disable trigger user",
        "update vault.subjects s set wrapped = old.wrapped::bytea, master_id = old.master_id, "
        f"erased_at = null, erased_because = null from (values {', '.join(map(str, old_disk))}) as old "
        "(person, wrapped, master_id) where s.person = old.person",
        "alter table vault.subjects enable trigger user",
    )
    assert "does not hold the master key" in desk.fails("subject", "export", "P-1", "--reason", "test")
    said = desk.fails("restore", "--vault", desk.folder / "old-vault.dump", "--yes")
    assert "take a backup made after the last `keys rotate`" in said
    # The vault's newest backup brings the survivors back, and them alone.
    desk.does("restore", "--vault", desk.folder / "vault.dump", "--yes")
    assert "Name of C-2" in desk.does("subject", "export", "P-2", "--reason", "test", "--json")
    assert values(dsn, "select person from vault.subjects where wrapped is null") == ["P-1"]


@pytest.mark.slow
def test_a_database_put_back_by_other_means_is_refused_until_it_is_accepted(
    desk: Desk, database: Database
) -> None:
    desk.starts("C-1")
    size = len(desk.reads("events"))
    desk.does("checkpoint")
    desk.starts("C-2")
    lost = len(desk.reads("events"))
    desk.reads("limits")
    put_back(database, size)
    said = desk.fails("limits")
    assert f"has {size} events, but a head of {lost} has been signed" in said
    assert "restore --accept" in said
    doctor = desk.program.run("doctor")
    assert doctor.returncode == 1
    assert f"a head of {lost} has been signed" in doctor.stdout

    [book] = desk.reads("restore", "--accept")["books"]
    assert (book["epoch_begun"], book["from_position"], book["lost_size"]) == (2, size, lost)
    assert "limits" in book["rebuilt"]
    assert desk.contracts() == ["C-1"]
    assert {row["contract"] for row in desk.reads("limits")} == {"C-1"}
    desk.does("doctor")
    desk.does("verify")


def put_back(database: Database, size: int) -> None:
    """Put the log back, but not the views: as somebody would who restores a schema by hand."""
    tables = ("events", "log", "log_nodes", "checkpoints")
    execute(
        database.superuser_dsn,
        *(f"alter table ledger.{table} disable trigger append_only" for table in tables),
        "delete from ledger.events e where not exists (select from ledger.log l "
        f"where (l.book, l.stream_id, l.version) = (e.book, e.stream_id, e.version) and position < {size})",
        f"delete from ledger.log where position >= {size}",
        f"delete from ledger.log_nodes where (index + 1) << level > {size}",
        f"delete from ledger.checkpoints where size > {size}",
        *(f"alter table ledger.{table} enable always trigger append_only" for table in tables),
    )


@pytest.mark.slow
def test_up_says_that_its_sealer_waits_on_a_log_that_was_put_back(desk: Desk, database: Database) -> None:
    desk.starts("C-1")
    size = len(desk.reads("events"))
    desk.starts("C-2")
    put_back(database, size)
    running = desk.program.up()
    try:
        assert running.stderr is not None
        while "event='service_waits' service='sealer'" not in (line := running.stderr.readline()):
            assert line, "up ended without a word of it"
        assert "restore --accept" in line
    finally:
        ended_by(running)


@pytest.mark.slow
def test_nothing_is_given_up_unasked(desk: Desk) -> None:
    desk.starts("C-1")
    desk.does("backup", desk.folder / "ledger.dump")
    said = desk.fails("restore", desk.folder / "ledger.dump", code=2)
    assert "say so with --yes" in said
    assert desk.contracts() == ["C-1"]


@pytest.mark.slow
def test_a_restore_beside_a_running_ledger_is_refused(desk: Desk) -> None:
    desk.starts("C-1")
    desk.does("backup", desk.folder / "ledger.dump")
    running = desk.program.up()
    try:
        said = desk.fails("restore", desk.folder / "ledger.dump", "--yes")
        assert "stop them first" in said
    finally:
        ended_by(running)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("cut", "it was cut or changed; take another copy"),
        ("manifest", "put it back beside the backup"),
        ("kind", "is a backup of the vault: restore it with --vault"),
        ("older", "before the migration 0003_vault.sql"),
        ("newer", "by a newer program"),
    ],
)
def test_a_backup_that_is_not_whole_or_does_not_fit_changes_nothing(desk: Desk, harm: str, told: str) -> None:
    desk.starts("C-1")
    dump = desk.folder / "ledger.dump"
    desk.does("backup", *(("--vault", dump) if harm == "kind" else (dump,)))
    manifest = Path(f"{dump}.json")
    content = json.loads(manifest.read_text())
    if harm == "cut":
        dump.write_bytes(dump.read_bytes()[:-100])
    elif harm == "manifest":
        manifest.unlink()
    elif harm == "older":
        del content["migrations"]["0003_vault.sql"]
        manifest.write_text(json.dumps(content))
    elif harm == "newer":
        content["migrations"]["0999_later.sql"] = "00"
        manifest.write_text(json.dumps(content))
    ended = desk.program.run("restore", str(dump), "--yes")
    assert ended.returncode in {1, 2}
    assert told in ended.stderr
    assert desk.contracts() == ["C-1"]


@pytest.mark.slow
def test_a_restore_that_breaks_off_leaves_everything_as_it_was(desk: Desk) -> None:
    desk.starts("C-1")
    dump = desk.folder / "ledger.dump"
    desk.does("backup", dump)
    desk.starts("C-2")
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) * 2 // 3])
    manifest = Path(f"{dump}.json")
    content = json.loads(manifest.read_text())
    content["sha256"] = sha256(dump.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content))
    assert "pg_restore failed" in desk.fails("restore", dump, "--yes")
    assert desk.contracts() == ["C-1", "C-2"]


@pytest.mark.slow
def test_a_backup_is_for_its_owner_s_eyes_and_overwrites_nothing(desk: Desk) -> None:
    desk.starts("C-1")
    dump = desk.folder / "ledger.dump"
    desk.does("backup", dump)
    assert dump.stat().st_mode & 0o777 == 0o600
    assert "overwrites nothing" in desk.fails("backup", dump, code=2)
    assert "make it first" in desk.fails("backup", desk.folder / "none" / "ledger.dump", code=2)
    assert "Say where the backup goes" in desk.fails("backup", code=2)


def test_the_data_s_backup_holds_no_key_and_nothing_of_the_vault(desk: Desk, dsn: str) -> None:
    desk.starts("C-1")
    dump = desk.folder / "ledger.dump"
    desk.does("backup", dump, "--vault", desk.folder / "vault.dump")
    [wrapped] = values(dsn, "select wrapped from vault.subjects")
    assert restored_text(dump).count("COPY ledger.") > 5
    assert "COPY vault." not in restored_text(dump)
    assert bytes(wrapped).hex() in restored_text(desk.folder / "vault.dump")  # type: ignore[call-overload]  # bytea


def restored_text(dump: Path) -> str:
    """What pg_restore would load."""
    return Tools.find(None, "dbname=none").run("pg_restore", "--data-only", "--file=-", dump)
