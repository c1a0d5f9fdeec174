"""Names that settings had before the program was called coverledger: refused, never passed over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coverledger.__main__ import run
from fixtures.program import environment_for
from ledger.config import Settings
from ledger.environment import RENAMED
from ledger.errors import UsageError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("COVERLEDGER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COVERLEDGER_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("CLAIMS_LEDGER_DSN", "COVERLEDGER_DSN"),
        ("CLAIMS_LEDGER_DSN_FILE", "COVERLEDGER_DSN_FILE"),
        ("CLAIMS_LEDGER_HOME", "COVERLEDGER_HOME"),
        ("CLAIMS_LEDGER_BOOK", "COVERLEDGER_BOOK"),
        ("CLAIMS_LEDGER_SOMETHING", "COVERLEDGER_SOMETHING"),
        ("claims_ledger_actor", "COVERLEDGER_ACTOR"),
        ("CLAIMS_LEDGER_SEALS", "COVERLEDGER_SEALER_ENABLED"),
        *((f"COVERLEDGER_{was.upper()}", f"COVERLEDGER_{now.upper()}") for was, now in RENAMED.items()),
    ],
)
def test_a_variable_of_before_is_refused_in_a_line_that_names_the_one_of_today(
    former: str,
    now: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(former, "something")
    with pytest.raises(UsageError, match=f"{former} is called {now} now"):
        Settings.load()
    for words in (("today",), ("init", "--book", "b"), ("migrate",), ("doctor",), ("up",), ("keys", "list")):
        assert run(words) == 2, words
        told = capsys.readouterr()
        assert (told.out, len(told.err.splitlines())) == ("", 1), words
        assert f"{former} is called {now} now" in told.err, words
    assert list(tmp_path.iterdir()) == []


def test_all_variables_of_before_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_LEDGER_NATS", "nats://b:4222")
    monkeypatch.setenv("CLAIMS_LEDGER_HEAD_WITNESSES", "https://w.example/add")
    with pytest.raises(UsageError, match=r"COVERLEDGER_WITNESSES now, .* COVERLEDGER_NATS now\. Rename"):
        Settings.load()


def test_one_that_is_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAIMS_LEDGER_DSN", "")
    assert Settings.load().dsn is None


@pytest.mark.parametrize(("former", "now"), RENAMED.items())
def test_a_setting_of_before_in_the_file_is_refused_too(former: str, now: str, tmp_path: Path) -> None:
    path = tmp_path / "home" / "settings.toml"
    path.parent.mkdir()
    path.write_text(f'{former} = "no"\n')
    path.chmod(0o600)
    with pytest.raises(UsageError, match=f"{path}: {former} is called {now} now"):
        Settings.load()


def test_postgres_own_tools_refuse_it_too(tmp_path: Path) -> None:
    environment = environment_for(tmp_path, CLAIMS_LEDGER_POSTGRES_BIN="/usr/bin")
    ended = subprocess.run(
        [sys.executable, "-m", "ledger.postgres", str(tmp_path / "home")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended
    assert "CLAIMS_LEDGER_POSTGRES_BIN is called COVERLEDGER_POSTGRES_BIN now" in ended.stderr
    assert not (tmp_path / "home").exists()
