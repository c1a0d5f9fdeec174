"""The default home of before: moved by `migrate`, and never passed over for an empty one."""

import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from coverledger.__main__ import run
from coverledger.composition import opened
from fixtures.database import Database
from fixtures.program import settings_of
from ledger import default_home
from ledger.app import _home_watch as home_watch
from ledger.config import Settings
from ledger.default_home import move_home
from ledger.errors import Rejected, UsageError
from ledger.postgres.cluster import moved_along


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which default homes lie, on a machine where nothing of ours is set."""
    for name in [name for name in os.environ if name.startswith("COVERLEDGER_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(default_home, "ROOT_DATA", folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder


@pytest.fixture
def former(data: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger on a database of its own, whose keys lie in the default home of before."""
    for name, dsn in settings_of(database).items():
        monkeypatch.setenv(f"COVERLEDGER_{name.upper()}", dsn)
    home = data / "claims-ledger"
    with opened("cyber-care", Settings.load(home=home)):
        pass
    return home


def held(folder: Path) -> Mapping[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


WORDS = (
    ("init",),
    ("init", "--book", "further"),
    ("up",),
    ("up", "--demo"),
    ("doctor",),
    ("today",),
    ("import", "--abandon"),
    ("keys", "list"),
    ("restore", "--accept"),
)


def refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(words) == 2, words
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1), words
    return told.err


def test_whatever_else_is_typed_is_refused_in_a_line_that_says_how_it_is_moved(
    former: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = held(former)
    for words in WORDS:
        told = refused(words, capsys)
        assert str(former) in told, words
        assert "coverledger migrate" in told, words
    assert list(data.iterdir()) == [former]
    assert held(former) == before


def test_migrate_moves_it_and_the_ledger_goes_on_with_its_keys(
    former: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = held(former)
    assert run(["migrate", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"applied": []}
    assert (
        told.err == f"Moved the ledger from {former} to {data / 'coverledger'}; a link to it stays behind.\n"
    )
    assert held(data / "coverledger") == before
    assert run(["verify"]) == 0
    assert run(["keys", "list"]) == 0
    capsys.readouterr()
    assert run(["migrate"]) == 0
    assert capsys.readouterr().err == ""
    assert Settings.load().home == data / "coverledger"


def test_the_old_name_still_leads_to_it_so_that_copies_of_its_keys_go_on(former: Path, data: Path) -> None:
    watch = home_watch(former)
    assert watch() is None
    move_home()
    assert former.readlink() == Path("coverledger")
    assert (former / "secrets" / "master.key").samefile(data / "coverledger" / "secrets" / "master.key")
    assert watch() is None, "an `up` of before that looks whether its home is there finds it"


def test_an_empty_folder_in_the_new_place_is_no_ledger(former: Path, data: Path) -> None:
    (data / "coverledger").mkdir()
    with pytest.raises(UsageError, match="coverledger migrate"):
        Settings.load()
    before = held(former)
    move_home()
    assert held(data / "coverledger") == before


def test_two_homes_are_refused_and_both_named(
    former: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = data / "coverledger"
    (home / "secrets").mkdir(parents=True)
    before = held(former)
    for words in (("migrate",), *WORDS):
        told = refused(words, capsys)
        assert str(former) in told, words
        assert f"{home}," in told, words
    assert (held(former), list(home.iterdir())) == (before, [home / "secrets"])


def test_a_home_that_is_named_is_left_alone(
    former: Path, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = held(former)
    for named in (former, tmp_path / "other"):
        monkeypatch.setenv("COVERLEDGER_HOME", str(named))
        assert Settings.load().home == named
        assert move_home() is None
        assert Settings.load(home=former).home == former
    assert list(data.iterdir()) == [former]
    assert held(former) == before


def test_a_folder_of_that_name_without_a_ledger_in_it_is_no_home(data: Path) -> None:
    (data / "claims-ledger" / "postgres-18.6.3").mkdir(parents=True)
    assert Settings.load().home == data / "coverledger"
    assert move_home() is None
    assert list(data.iterdir()) == [data / "claims-ledger"]


def test_one_that_lies_on_another_disk_behind_a_link_is_moved_by_its_link(
    former: Path, data: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    former.rename(disk)
    former.symlink_to(disk)
    before = held(disk)
    (data / "coverledger").mkdir()
    move_home()
    assert (data / "coverledger").readlink() == disk
    assert held(data / "coverledger") == before
    assert move_home() is None


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY, errno.EACCES])
def test_one_that_cannot_be_renamed_stays_and_the_line_says_what_to_do(
    former: Path, data: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = held(former)
    monkeypatch.setattr(Path, "rename", failing(number))
    assert run(["migrate"]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert os.strerror(number) in told
    assert f"COVERLEDGER_HOME={former}" in told
    assert list(data.iterdir()) == [former]
    assert held(former) == before


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["rmdir", "rename", "symlink_to"])
def test_interrupted_at_any_step_the_ledger_lies_whole_in_one_place_and_migrate_goes_on(
    former: Path, data: Path, step: str
) -> None:
    home, before = data / "coverledger", held(former)
    if step == "rmdir":
        home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            move_home()
    assert [folder for folder in (former, home) if folder.is_dir() and held(folder) == before] == [
        home if step == "symlink_to" else former
    ]
    assert run(["migrate"]) == 0
    assert held(home) == before
    assert Settings.load().home == home


def test_a_link_that_cannot_be_left_is_said(
    former: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = held(former)
    monkeypatch.setattr(Path, "symlink_to", failing(errno.ENOSPC))
    with pytest.raises(Rejected, match=r"was moved to .*, but no link"):
        move_home()
    assert held(data / "coverledger") == before


def test_data_that_root_settled_beside_the_home_is_found_under_the_new_name(tmp_path: Path) -> None:
    former, commons = tmp_path / "claims-ledger", tmp_path / "coverledger"
    data = former / "0a1b" / "data"
    assert moved_along(data, former, commons) == data
    (commons / "0a1b").mkdir(parents=True)
    assert moved_along(data, former, commons) == commons / "0a1b" / "data"
    assert moved_along(tmp_path / "elsewhere" / "data", former, commons) == tmp_path / "elsewhere" / "data"
    (former / "0a1b").mkdir(parents=True)
    assert moved_along(data, former, commons) == data
