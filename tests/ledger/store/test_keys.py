"""Master keys stand in a file of their own, closed to others, and never vanish half-way."""

import json
from pathlib import Path

import pytest

from ledger.store.errors import KeyFileRefused, MasterKeyMissing
from ledger.store.keys import KEY_BYTES, MasterKeys, WrappedKey

KEY = b"k" * KEY_BYTES


def test_a_new_file_is_closed_to_others_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    made = MasterKeys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKeys.read(path).unwrap(made.wrap(KEY, "a person"), "a person") == KEY


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    MasterKeys.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyFileRefused, match="never overwritten"):
        MasterKeys.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    MasterKeys.create(path)
    path.chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        MasterKeys.read(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"current": "a", "keys": {}}',
        '{"current": "a", "keys": {"a": "c2hvcnQ="}}',
        '{"current": "a", "keys": {"a": "?"}}',
        '{"current": ["a"], "keys": {"a": "c2hvcnQ="}}',
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="malformed"):
        MasterKeys.read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused, match="restore it from your copy"):
        MasterKeys.read(tmp_path / "none")


def test_after_a_rotation_the_old_key_still_opens_until_it_is_destroyed(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    keys = MasterKeys.create(path)
    old = keys.current
    wrapped = keys.wrap(KEY, "a person")
    fresh = keys.rotate()
    assert path.stat().st_mode & 0o777 == 0o600
    again = MasterKeys.read(path)
    assert (again.current, again.ids) == (fresh, frozenset({old, fresh}))
    assert again.unwrap(wrapped, "a person") == KEY
    assert again.wrap(KEY, "a person").master_id == fresh
    again.destroy(old)
    with pytest.raises(MasterKeyMissing, match=old):
        MasterKeys.read(path).unwrap(wrapped, "a person")
    assert set(json.loads(path.read_text())["keys"]) == {fresh}
    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]


def test_the_current_key_is_never_destroyed() -> None:
    keys = MasterKeys.generate()
    with pytest.raises(KeyFileRefused, match="rotate first"):
        keys.destroy(keys.current)


def test_a_wrapped_key_opens_for_its_purpose_only() -> None:
    keys = MasterKeys.generate()
    wrapped = keys.wrap(KEY, "a person")
    with pytest.raises(MasterKeyMissing):
        keys.unwrap(wrapped, "another")
    with pytest.raises(MasterKeyMissing):
        keys.unwrap(WrappedKey(wrapped.master_id, wrapped.wrapped[:-1] + b"\0\0"), "a person")
