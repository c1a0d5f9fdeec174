"""Where settings are read from, beside the environment: a file in the home, and files of one secret each."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from typing_extensions import override

from ledger.environment import PREFIX, refuse_former_settings
from ledger.errors import UsageError

SETTINGS_FILE = "settings.toml"
SECRETS = (
    "dsn",
    "migrate_dsn",
    "sealer_dsn",
    "head_mail",
    "customer_mail",
    "nats",
    "letters_token",
    "oidc_client_secret",
    "digest_mail",
    "operator_mail",
)
WHOLLY_SECRET = frozenset({"letters_token", "oidc_client_secret"})
"""Of those the ones of which nothing may be shown; of an address the rest tells something."""
MASK = "****"


class SettingsFileSource(PydanticBaseSettingsSource):
    """The settings file in the home, if there is one."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        super().__init__(settings_cls)
        self._path = path

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return one field; the whole file is read by the call."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read the file.

        Raises UsageError when others may read it, when it is no TOML, and for a setting's former name.
        """
        if not self._path.is_file():
            return {}
        text = read_closed_file(self._path)
        try:
            written = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = f"{self._path} is not TOML ({error}): put it right, or remove it."
            raise UsageError(message) from error
        refuse_former_settings(written, str(self._path))
        return written


class SecretFileSource(PydanticBaseSettingsSource):
    """Files that hold one secret each, named by ``COVERLEDGER_…_FILE``."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return one field; all are read by the call."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read the files. Raises UsageError when one is missing or others may read it."""
        named = {name: os.environ.get(f"{PREFIX}{name.upper()}_FILE") for name in SECRETS}
        return {name: read_closed_file(Path(path)).strip() for name, path in named.items() if path}


def read_closed_file(path: Path) -> str:
    """Return the text of a file that only its owner may read. Raises UsageError."""
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                message = f"{path} may hold secrets and others may read it: chmod 600 {path}"
                raise UsageError(message)
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error}): put it right, or unset what names it."
        raise UsageError(message) from error


def masked(dsn: str) -> str:
    """Return a DSN with its password, in either notation, blotted out."""
    dsn = re.sub(r"(?<=//)([^:/?@]*):.*@(?=[^@]*$)", rf"\1:{MASK}@", dsn)
    return re.sub(r"(?i)\b(password|sslpassword)(\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", rf"\1\2{MASK}", dsn)
