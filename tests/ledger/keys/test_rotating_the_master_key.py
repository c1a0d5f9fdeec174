"""`keys rotate`: survivors are wrapped anew, the old master destroyed, no old copy opens."""

from pathlib import Path

import psycopg2
import pytest

from fixtures.commits import NOW, append, claim, commit, new_event, opened
from fixtures.database import BOOK, Database
from ledger.store.errors import KeyFileRefused, MasterKeyMissing, SubjectErased
from ledger.store.event_store import EventStore
from ledger.store.keys import MasterKeys, rotate_masters, wrapped_by
from ledger.store.pool import Pool

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    MasterKeys.create(tmp_path / "master.key")
    return tmp_path / "master.key"


@pytest.fixture
def operator(database: Database) -> Pool:
    return Pool(database.owner_dsn, size=2)


def record(store: EventStore, person: str) -> None:
    event = new_event(claim(person), opened(person), command_id=f"open-{person}", subject=person)
    append(store, commit(event))


def names(store: EventStore, person: str) -> dict[str, str]:
    return dict(store.open_personal(BOOK, claim(person), [1])[1])


def test_what_the_survivors_names_are_stays_readable_and_one_key_is_left(
    pool: Pool, operator: Pool, key_file: Path
) -> None:
    store = EventStore(pool, MasterKeys.read(key_file))
    for person in ("P-1", "P-2", "P-3"):
        record(store, person)
    old = MasterKeys.read(key_file).current
    rotation = rotate_masters(operator, MasterKeys.read(key_file))
    assert rotation.persons == 3
    assert rotation.destroyed == {old}
    assert MasterKeys.read(key_file).ids == {rotation.current}
    with pool.connection() as connection:
        assert set(wrapped_by(connection)) == {rotation.current}
    fresh = EventStore(pool, MasterKeys.read(key_file))
    assert names(fresh, "P-2")["victim.name"] == "Mila Peeters"
    assert not key_file.with_name("master.key.new").exists()
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_program_that_runs_on_takes_the_new_key_by_itself(
    pool: Pool, operator: Pool, key_file: Path
) -> None:
    running = EventStore(pool, MasterKeys.read(key_file))
    record(running, "P-1")
    rotate_masters(operator, MasterKeys.read(key_file))
    record(running, "P-2")
    assert names(running, "P-1") == names(running, "P-2")
    with pool.connection() as connection:
        assert set(wrapped_by(connection)) == {MasterKeys.read(key_file).current}


def test_a_commit_under_way_with_a_destroyed_key_is_made_again_with_the_living_one(
    pool: Pool, operator: Pool, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = EventStore(pool, MasterKeys.read(key_file))
    wrap = MasterKeys.wrap
    rotations = iter([True])

    def wrap_and_be_overtaken(self: MasterKeys, key: bytes, purpose: str) -> object:
        wrapped = wrap(self, key, purpose)
        if purpose.startswith("subject key of P-9") and next(rotations, False):
            rotate_masters(operator, MasterKeys.read(key_file))
        return wrapped

    monkeypatch.setattr(MasterKeys, "wrap", wrap_and_be_overtaken)
    record(running, "P-9")
    assert names(running, "P-9")["victim.name"] == "Mila Peeters"
    with pool.connection() as connection:
        assert set(wrapped_by(connection)) == {MasterKeys.read(key_file).current}


def test_the_database_itself_refuses_a_key_wrapped_by_a_destroyed_master(
    pool: Pool, operator: Pool, key_file: Path
) -> None:
    old = MasterKeys.read(key_file).current
    record(EventStore(pool, MasterKeys.read(key_file)), "P-1")
    rotate_masters(operator, MasterKeys.read(key_file))
    with (
        pool.connection() as connection,
        connection.cursor() as cursor,
        pytest.raises(psycopg2.Error) as refused,
    ):
        cursor.execute("update vault.subjects set master_id = %s", (old,))
    assert refused.value.pgcode == "CLS02"


def test_an_erased_person_stays_erased_through_a_rotation(pool: Pool, operator: Pool, key_file: Path) -> None:
    store = EventStore(pool, MasterKeys.read(key_file))
    record(store, "P-1")
    record(store, "P-2")
    with pool.connection() as connection:
        assert store.subject_keys.erase(connection, BOOK, "P-1", "asked for")
    assert rotate_masters(operator, MasterKeys.read(key_file)).persons == 1
    assert set(names(store, "P-1").values()) == {"[erased]"}
    with pytest.raises(SubjectErased):
        append(
            store, commit(new_event(claim("again"), opened("P-1"), command_id="again", subject="P-1", at=NOW))
        )


def test_broken_off_before_the_commit_the_next_rotation_finishes_it_with_the_same_key(
    pool: Pool, operator: Pool, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EventStore(pool, MasterKeys.read(key_file))
    record(store, "P-1")
    old = MasterKeys.read(key_file).current
    with monkeypatch.context() as patched:
        patched.setattr("ledger.store.keys._wrap_anew", _power_fails)
        with pytest.raises(PowerCut):
            rotate_masters(operator, MasterKeys.read(key_file))
    between = MasterKeys.read(key_file)
    assert between.ids == {old, between.current}
    record(store, "P-2")  # meanwhile work goes on
    rotation = rotate_masters(operator, MasterKeys.read(key_file))
    assert (rotation.current, rotation.destroyed) == (between.current, {old})
    assert names(store, "P-1") == names(store, "P-2")


def test_broken_off_after_the_commit_the_next_rotation_destroys_the_old_key(
    pool: Pool, operator: Pool, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EventStore(pool, MasterKeys.read(key_file))
    record(store, "P-1")
    with monkeypatch.context() as patched:
        patched.setattr(MasterKeys, "destroy", _power_fails)
        with pytest.raises(PowerCut):
            rotate_masters(operator, MasterKeys.read(key_file))
    rotation = rotate_masters(operator, MasterKeys.read(key_file))
    assert rotation.persons == 0
    assert MasterKeys.read(key_file).ids == {rotation.current}
    assert names(store, "P-1")["victim.name"] == "Mila Peeters"


class PowerCut(Exception):
    pass


def _power_fails(*_: object) -> None:
    raise PowerCut


def test_a_key_that_the_file_does_not_hold_stops_the_rotation_and_nothing_is_destroyed(
    pool: Pool, operator: Pool, key_file: Path, tmp_path: Path
) -> None:
    record(EventStore(pool, MasterKeys.read(key_file)), "P-1")
    strange = MasterKeys.create(tmp_path / "other.key")
    with pytest.raises(MasterKeyMissing, match="restore it from your copy"):
        rotate_masters(operator, strange)
    assert names(EventStore(pool, MasterKeys.read(key_file)), "P-1")["victim.name"] == "Mila Peeters"


def test_a_key_file_that_vanished_while_a_program_runs_is_not_written_past(
    pool: Pool, key_file: Path
) -> None:
    running = EventStore(pool, MasterKeys.read(key_file))
    record(running, "P-1")
    key_file.rename(key_file.with_suffix(".away"))
    with pytest.raises(KeyFileRefused, match="restore it from your copy"):
        record(running, "P-2")
