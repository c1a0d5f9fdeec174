"""The default home of before with its Postgres in it: moved whole, and only while nothing runs in it."""

import os
from pathlib import Path

import pytest
from embedded_homes import eventually, is_deserted

from coverledger.__main__ import run
from coverledger.composition import opened
from ledger import default_home
from ledger.cli.options import DEFAULT_BOOK
from ledger.config import Settings
from ledger.postgres import EmbeddedPostgres


@pytest.fixture
def data(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("COVERLEDGER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(default_home, "ROOT_DATA", home.parent)
    monkeypatch.setenv("XDG_DATA_HOME", str(home.parent))
    return home.parent


def test_one_in_use_stays_and_once_it_is_idle_the_ledger_goes_on_in_the_new_place(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former, home = data / "claims-ledger", data / "coverledger"
    with opened(DEFAULT_BOOK, Settings.load(home=former)):
        assert run(["migrate"]) == 3
        told = capsys.readouterr().err
        assert f"The Postgres in {former} is in use" in told
        assert len(told.splitlines()) == 1
        assert list(data.iterdir()) == [former]
    assert eventually(lambda: is_deserted(former))
    assert run(["migrate"]) == 0
    assert "Moved the ledger" in capsys.readouterr().err
    assert run(["verify"]) == 0
    assert run(["contract", "list", "--json"]) == 0
    assert home.is_dir()
    assert former.is_symlink()
    assert eventually(lambda: is_deserted(home))
    EmbeddedPostgres(home).remove()
