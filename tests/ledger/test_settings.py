"""Settings: where they come from, what is refused, and what is never shown."""

import os
import re
from pathlib import Path

import pytest

from ledger import default_home
from ledger.config import Settings
from ledger.config_sources import masked
from ledger.errors import UsageError

DSN = "postgresql://app:s3cret@db.example:5432/claims"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [name for name in os.environ if name.upper().startswith("COVERLEDGER_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("COVERLEDGER_HOME", str(tmp_path))


def write_settings(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / "settings.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def origin(settings: Settings, name: str) -> str:
    return next(setting.origin for setting in settings.in_force() if setting.name == name)


def test_without_a_dsn_the_ledger_is_embedded_and_its_book_is_cyber_care() -> None:
    settings = Settings.load()
    assert settings.is_embedded
    assert settings.book == "cyber-care"
    assert origin(settings, "book") == "default"


def test_what_is_given_goes_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_settings(tmp_path, 'book = "file"\nactor = "file"\ndsn = "host=file"\n')
    monkeypatch.setenv("COVERLEDGER_BOOK", "environment")
    monkeypatch.setenv("COVERLEDGER_ACTOR", "environment")
    settings = Settings.load(book="given")
    assert (settings.book, settings.actor, settings.dsn) == ("given", "environment", "host=file")
    assert origin(settings, "book") == "command line"
    assert origin(settings, "actor") == "environment COVERLEDGER_ACTOR"
    assert origin(settings, "dsn") == str(path)


def test_the_sealer_and_the_migrations_use_the_dsn_unless_they_have_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COVERLEDGER_DSN", DSN)
    assert Settings.load().dsn_to_seal == DSN
    assert Settings.load().dsn_to_migrate == DSN
    monkeypatch.setenv("COVERLEDGER_SEALER_DSN", "host=seal")
    monkeypatch.setenv("COVERLEDGER_MIGRATE_DSN", "host=migrate")
    assert Settings.load().dsn_to_seal == "host=seal"
    assert Settings.load().dsn_to_migrate == "host=migrate"


def test_a_dsn_may_stand_in_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "dsn"
    secret.write_text(f"{DSN}\n")
    secret.chmod(0o600)
    monkeypatch.setenv("COVERLEDGER_DSN_FILE", str(secret))
    settings = Settings.load()
    assert settings.dsn == DSN
    assert origin(settings, "dsn") == "file of COVERLEDGER_DSN_FILE"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_files_that_others_may_read_are_refused_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    path = write_settings(tmp_path, "", mode)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        Settings.load()
    path.unlink()
    (tmp_path / "dsn").write_text(DSN)
    (tmp_path / "dsn").chmod(mode)
    monkeypatch.setenv("COVERLEDGER_DSN_FILE", str(tmp_path / "dsn"))
    with pytest.raises(UsageError, match=f"chmod 600 {tmp_path / 'dsn'}"):
        Settings.load()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bok = 1\n", "bok: Extra inputs"),
        ("book = \n", "is not TOML"),
        ("book = 7\n", "book: Input should be"),
    ],
)
def test_a_settings_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    write_settings(tmp_path, text)
    with pytest.raises(UsageError, match=said) as refused:
        Settings.load()
    assert "\n" not in str(refused.value)


def test_a_wrong_variable_is_named_and_its_secret_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERLEDGER_DSN", "s3cret-but-no-dsn")
    with pytest.raises(UsageError, match="COVERLEDGER_DSN: it is neither") as refused:
        Settings.load()
    assert "s3cret" not in str(refused.value)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERLEDGER_DSN", "")
    assert Settings.load().is_embedded


def test_a_mistyped_variable_is_reported_with_the_likeliest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERLEDGER_DNS", DSN)
    (said,) = Settings.unknown_variables()
    assert said.startswith("COVERLEDGER_DNS is no setting of the ledger")
    assert said.endswith("did you mean COVERLEDGER_DSN?")


def test_of_a_secret_that_is_no_address_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERLEDGER_LETTERS_TOKEN", "carrier-secret")
    monkeypatch.setenv("COVERLEDGER_OIDC_CLIENT_SECRET", "client-secret")
    printed = {setting.name: setting.value for setting in Settings.load().in_force()}
    assert (printed["letters_token"], printed["oidc_client_secret"]) == ("****", "****")
    assert not {"carrier-secret", "client-secret"} & set(re.findall(r"[\w-]+", repr(Settings.load())))


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERLEDGER_DSN", DSN)
    settings = Settings.load()
    printed = f"{settings!r} {settings} {settings.in_force()}"
    assert "s3cret" not in printed
    assert "postgresql://app:****@db.example:5432/claims" in printed


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:****@h/d"),
        ("postgresql://u:p%40:/x@h/d?password=q&a=b", "postgresql://u:****@h/d?password=****&a=b"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql:///d?host=/run", "postgresql:///d?host=/run"),
        ("host=h password=p user=u", "host=h password=**** user=u"),
        (r"host=h PASSWORD = 'p \' q' user=u", "host=h PASSWORD = **** user=u"),
    ],
)
def test_a_dsn_is_shown_without_its_password(dsn: str, shown: str) -> None:
    assert masked(dsn) == shown


def test_keys_lie_in_the_home_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load()
    assert settings.master_key_path == tmp_path / "secrets" / "master.key"
    assert settings.signing_key_path() == tmp_path / "secrets" / "signing-cyber-care.key"
    monkeypatch.setenv("COVERLEDGER_MASTER_KEY_FILE", "/run/keys/master")
    assert Settings.load().master_key_path == Path("/run/keys/master")


@pytest.mark.skipif(os.geteuid() == 0, reason="root has a home of its own")
def test_the_home_is_the_users_own_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERLEDGER_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert Settings.load().home == Path("/data/coverledger")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/anna")
    assert Settings.load().home == Path("/home/anna/.local/share/coverledger")


@pytest.mark.skipif(os.geteuid() != 0, reason="root's home")
def test_the_home_of_root_is_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERLEDGER_HOME")
    assert Path("/var/lib") == default_home.ROOT_DATA
    monkeypatch.setattr(default_home, "ROOT_DATA", tmp_path)  # this machine may have a ledger of its own
    assert Settings.load().home == tmp_path / "coverledger"
