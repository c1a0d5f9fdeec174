"""The settings of the ledger's programs: from the environment, else from ``settings.toml`` in the home.

Secrets may also stand in files of their own: ``COVERLEDGER_DSN_FILE`` names one that holds the DSN.
Such a file, and the settings file, must be closed to others (mode 0600).
"""

import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from ledger.config_sources import (
    MASK,
    SECRETS,
    SETTINGS_FILE,
    WHOLLY_SECRET,
    SecretFileSource,
    SettingsFileSource,
    masked,
)
from ledger.default_home import default_home
from ledger.environment import PREFIX, refuse_former_variables
from ledger.errors import UsageError
from ledger.postgres.data_dir import make_home_folder
from ledger.proofs.errors import BadNote
from ledger.proofs.notes import WitnessKey

NO_CARRIER = "none"
"""Letters are written, and nobody takes them."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
"""One e-mail address of our own people; it may be one of the house, such as desk@localhost."""


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting as ``doctor`` prints it; secrets are masked in ``value``."""

    name: str
    variable: str
    value: str | None
    origin: str


@dataclass(frozen=True, slots=True)
class HeadWitness:
    """A witness of each day's head: the URL of its add-checkpoint, and the keys of its cosignatures."""

    url: str
    keys: tuple[WitnessKey, ...]

    @classmethod
    def parse(cls, written: str) -> "HeadWitness":
        """Read `https://HOST/add-checkpoint#NAME+ID+KEY`. Raises ValueError."""
        url, *keys = written.split("#")
        if not re.fullmatch(r"https?://[^/\s]+/\S*", url):
            message = f"{url!r} is no URL of a witness, such as https://witness.example/add-checkpoint"
            raise ValueError(message)
        if not keys:
            return cls(url, ())

        try:
            return cls(url, tuple(WitnessKey.parse(key) for key in keys))
        except BadNote as error:
            message = f"{url}: {error}"
            raise ValueError(message) from error


class Settings(BaseSettings):
    """What the programs of a ledger need to know before they can ask the database."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    dsn: str | None = Field(
        default=None,
        repr=False,
        description="An external Postgres, as its application role; unset: the embedded Postgres.",
    )
    migrate_dsn: str | None = Field(
        default=None, repr=False, description="The same database as the role that migrates; unset: the DSN."
    )
    sealer_dsn: str | None = Field(
        default=None, repr=False, description="The same database as the sealer's role; unset: the DSN."
    )
    home: Path = Field(
        default_factory=default_home,
        description=(
            "Folder of the embedded Postgres, the keys and the letters; unset: `$XDG_DATA_HOME/coverledger`, "
            "else `~/.local/share/coverledger`; of root `/var/lib/coverledger`."
        ),
    )
    book: str = Field(
        default="cyber-care", min_length=1, max_length=128, description="The book of business to work on."
    )
    actor: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="Opaque staff id that commands are recorded under.",
    )
    master_key_file: Path | None = Field(
        default=None, description="File of the master keys; unset: `secrets/master.key` in the home."
    )
    signing_key_file: Path | None = Field(
        default=None,
        description="File of the log's signing key; unset: `secrets/signing-BOOK.key` in the home.",
    )
    sealer_enabled: bool = Field(
        default=True,
        description="Whether this machine seals and signs; `no`: another one does, which holds the key.",
    )
    checkpoint_folders: str | None = Field(
        default=None,
        description=(
            "Folders outside that each day's signed head is written to, parted as in `PATH`; unset: none."
        ),
    )
    witnesses: str | None = Field(
        default=None,
        description=(
            "Witnesses that cosign each day's head, parted by spaces: the URL of their `add-checkpoint`, "
            "with their key as its fragment: `https://HOST/add-checkpoint#NAME+ID+KEY`; unset: none."
        ),
    )
    head_mail: str | None = Field(
        default=None,
        repr=False,
        description=(
            "Mail for each day's head: "
            "`smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS`; unset: none."
        ),
    )
    customer_mail: str | None = Field(
        default=None,
        repr=False,
        description=(
            "Mail to customers, such as the link that confirms a cancellation: "
            "`smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS`; unset: files in `mail` in the home."
        ),
    )
    http_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=253,
        description="Address that `up` serves HTTP on; anything but loopback belongs behind TLS.",
    )
    http_url: str | None = Field(
        default=None,
        description="Address that people reach it under, such as `https://ledger.example`; unset: its own.",
    )
    oidc_issuer: str | None = Field(
        default=None, description="Issuer of the JWTs that callers may show (`iss`); unset: none are taken."
    )
    oidc_audience: str | None = Field(default=None, description="Whom those JWTs must be meant for (`aud`).")
    oidc_jwks_file: Path | None = Field(
        default=None, description="File of the issuer's public keys (JWKS), read at start."
    )
    oidc_role_claim: str = Field(
        default="role", min_length=1, description="Claim of those JWTs that names the caller's role."
    )
    oidc_client_id: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "Client id of the site at that issuer, where people then sign in with a browser; "
            "unset: by link only."
        ),
    )
    oidc_client_secret: str | None = Field(
        default=None, min_length=1, repr=False, description="Secret of that client; unset: it has none."
    )
    webhooks_allow_private: bool = Field(
        default=False,
        description="`yes`: webhooks may go to private addresses and over plain http; for development.",
    )
    nats: str | None = Field(
        default=None,
        repr=False,
        description=(
            "Servers of the NATS cluster that the relay publishes to, `nats://USER:PASSWORD@HOST:4222`, "
            "parted by spaces; unset: none."
        ),
    )
    letters_carrier: str | None = Field(
        default=None,
        description=(
            "Who takes letters: a print house's folder, a carrier's URL, or `none`; "
            "unset: `letters/outbox` in the home."
        ),
    )
    letters_token: str | None = Field(
        default=None, repr=False, description="Bearer token for the carrier's URL."
    )
    letters_fonts: Path | None = Field(
        default=None,
        description="Folder of fonts for what those that letters are set in lack, such as Noto CJK.",
    )
    letters_prepare_days: int = Field(
        default=30, ge=1, le=365, description="Days before its deadline that a termination notice is written."
    )
    letters_hand_over_days: int = Field(
        default=20,
        ge=1,
        le=365,
        description="Days before its deadline that it goes to the carrier.",
    )
    digest_folder: Path | None = Field(
        default=None, description="Folder that the back office's daily digest is written to; unset: none."
    )
    digest_mail: str | None = Field(
        default=None,
        repr=False,
        description=(
            "Mail for the daily digest: "
            "`smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS`; unset: none."
        ),
    )
    operator_mail: str | None = Field(
        default=None,
        repr=False,
        description=(
            "Mail for what needs a person, once an hour at most: "
            "`smtp://USER:PASSWORD@HOST:PORT/?from=ADDRESS&to=ADDRESS`; unset: none."
        ),
    )
    prepared_statements: bool | None = Field(
        default=None,
        description=(
            "Whether connections keep prepared statements, a tenth or more less work a command; not through "
            "a pooler in transaction mode; unset: `yes` with the embedded Postgres, `no` with a DSN."
        ),
    )
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="How `up` writes its log to stderr: `text`, or `json` with one object a line.",
    )
    postgres_bin: Path | None = Field(
        default=None,
        description="Folder of Postgres' programs to use; unset: those installed with the ledger.",
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, **given: Any) -> Self:  # noqa: ANN401 - each field's own type, checked by pydantic
        """Read the settings; what is given goes before the environment, and that before the settings file.

        Raises UsageError, naming the setting and where it was read.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            wrong = "; ".join(
                f"{_origin_of_fault(fault['loc'])}: "
                f"{fault['ctx']['error'] if fault['type'] == 'value_error' else fault['msg']}"
                for fault in error.errors()
            )
            message = f"Settings: {wrong}. Put it right, or unset it."
            raise UsageError(message) from error

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first. Raises UsageError for a variable under a former name."""
        refuse_former_variables()
        given = init_settings().get("home") or env_settings().get("home")
        home = Path(given).expanduser() if given else default_home()
        return (
            init_settings,
            env_settings,
            SecretFileSource(settings_cls),
            SettingsFileSource(settings_cls, home / SETTINGS_FILE),
        )

    @field_validator(
        "home",
        "master_key_file",
        "signing_key_file",
        "oidc_jwks_file",
        "letters_fonts",
        "digest_folder",
        "postgres_bin",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("dsn", "migrate_dsn", "sealer_dsn")
    @classmethod
    def _looks_like_a_dsn(cls, dsn: str | None) -> str | None:
        if dsn is not None and not re.match(r"postgres(ql)?://|\s*\w+\s*=", dsn):
            message = "it is neither postgresql://… nor host=… dbname=…"
            raise ValueError(message)
        return dsn

    @field_validator("http_url")
    @classmethod
    def _address_without_path(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^/?#\s]+/?", url):
            message = "it is not https://HOST or http://HOST:PORT, without a path"
            raise ValueError(message)
        return url.rstrip("/") if url else None

    @field_validator("checkpoint_folders")
    @classmethod
    def _folders_from_the_root(cls, folders: str | None) -> str | None:
        for folder in _parted(folders, os.pathsep):
            if not Path(folder).expanduser().is_absolute():
                message = f"{folder!r} does not begin at the root"
                raise ValueError(message)
        return folders

    @field_validator("witnesses")
    @classmethod
    def _witnesses_by_http(cls, witnesses: str | None) -> str | None:
        for written in _parted(witnesses, None):
            HeadWitness.parse(written)
        return witnesses

    @field_validator("letters_carrier")
    @classmethod
    def _takes_letters(cls, carrier: str | None) -> str | None:
        if carrier is None or carrier == NO_CARRIER or re.match(r"https?://[^/]+", carrier):
            return carrier
        if not Path(carrier).expanduser().is_absolute():
            message = f"{carrier!r} is neither a folder from the root, nor https://CARRIER/…, nor none"
            raise ValueError(message)
        return carrier

    @field_validator("head_mail", "digest_mail", "operator_mail")
    @classmethod
    def _mail_with_both_addresses(cls, mail: str | None) -> str | None:
        if mail is not None and not _mails(mail, "from", "to"):
            message = "it is not smtp://HOST:PORT/?from=ADDRESS&to=ADDRESS"
            raise ValueError(message)
        return mail

    @field_validator("customer_mail")
    @classmethod
    def _mail_with_a_sender(cls, mail: str | None) -> str | None:
        if mail is not None and not _mails(mail, "from"):
            message = "it is not smtp://HOST:PORT/?from=ADDRESS"
            raise ValueError(message)
        return mail

    @field_validator("nats")
    @classmethod
    def _servers_of_nats(cls, servers: str | None) -> str | None:
        for server in _parted(servers, None):
            if not re.match(r"(nats|tls)://[^/]+/?$", server):
                message = "it is not nats://HOST:PORT, or several of it parted by spaces"
                raise ValueError(message)
        return servers

    def model_post_init(self, _context: object) -> None:
        """Note where each setting came from."""
        environment = EnvSettingsSource(type(self))()
        secret_files = SecretFileSource(type(self))()
        in_file = SettingsFileSource(type(self), self.home / SETTINGS_FILE)()
        for name in type(self).model_fields:
            if name not in self.model_fields_set:
                origin = "default"
            elif name in environment and self._reads_as(name, environment[name]):
                origin = f"environment {PREFIX}{name.upper()}"
            elif name in secret_files and self._reads_as(name, secret_files[name]):
                origin = f"file of {PREFIX}{name.upper()}_FILE"
            elif name in in_file and self._reads_as(name, in_file[name]):
                origin = str(self.home / SETTINGS_FILE)
            else:
                origin = "command line"
            self._origins[name] = origin

    def _reads_as(self, name: str, written: object) -> bool:
        value = getattr(self, name)
        if isinstance(value, Path):
            return value == Path(str(written)).expanduser().absolute()
        return bool(value == written)

    @property
    def is_embedded(self) -> bool:
        """Whether the ledger runs on the Postgres in its home."""
        return self.dsn is None

    @property
    def keeps_statements(self) -> bool:
        """Whether connections may keep prepared statements, which a pooler in transaction mode loses."""
        return self.is_embedded if self.prepared_statements is None else self.prepared_statements

    @property
    def dsn_to_migrate(self) -> str | None:
        """The DSN of the role that migrates, as far as it is set."""
        return self.migrate_dsn or self.dsn

    @property
    def dsn_to_seal(self) -> str | None:
        """The DSN of the sealer's role, as far as it is set."""
        return self.sealer_dsn or self.dsn

    @property
    def checkpoint_folder_paths(self) -> list[Path]:
        """Folders outside for each day's head."""
        return [Path(folder).expanduser() for folder in _parted(self.checkpoint_folders, os.pathsep)]

    @property
    def witness_places(self) -> "list[HeadWitness]":
        """Witnesses of each day's head."""
        return [HeadWitness.parse(written) for written in _parted(self.witnesses, None)]

    @property
    def witness_keys(self) -> list[WitnessKey]:
        """Keys of those witnesses."""
        return [key for witness in self.witness_places for key in witness.keys]

    @property
    def nats_servers(self) -> list[str]:
        """Servers of the NATS cluster that relays publish to."""
        return _parted(self.nats, None)

    @property
    def sends_heads(self) -> bool:
        """Whether each day's head goes anywhere outside."""
        return bool(self.checkpoint_folder_paths or self.witnesses or self.head_mail)

    @property
    def letters_folder(self) -> Path:
        """Where letters lie, sealed."""
        return self.home / "letters"

    @property
    def secrets_folder(self) -> Path:
        """Where keys lie unless told otherwise."""
        return self.home / "secrets"

    @property
    def master_key_path(self) -> Path:
        """The file of the master keys."""
        return self.master_key_file or self.secrets_folder / "master.key"

    def signing_key_path(self, book: str | None = None) -> Path:
        """Return the file of the signing key of a book's log."""
        name = quote(book or self.book, safe="")
        return self.signing_key_file or self.secrets_folder / f"signing-{name}.key"

    def make_home(self) -> Path:
        """Make the home where it is missing, and return it. Raises UsageError when it cannot be made."""
        try:
            make_home_folder(self.home)
        except OSError as error:
            message = (
                f"The ledger's home {self.home} cannot be made ({error.strerror}): "
                f"set {PREFIX}HOME to a folder of your own."
            )
            raise UsageError(message) from error
        return self.home

    def in_force(self) -> Sequence[SettingInForce]:
        """Return every setting with its value, masked where it is secret, and where it comes from."""
        return [
            SettingInForce(
                name=name,
                variable=f"{PREFIX}{name.upper()}",
                value=_shown(name, getattr(self, name)),
                origin=self._origins[name],
            )
            for name in type(self).model_fields
        ]

    @classmethod
    def unknown_variables(cls) -> Sequence[str]:
        """Return a line for each variable of our prefix that means nothing, with the likeliest that does."""
        known = {f"{PREFIX}{name.upper()}" for name in cls.model_fields}
        known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
        lines = []
        for variable in sorted(os.environ):
            if variable.upper().startswith(PREFIX) and variable.upper() not in known:
                near = difflib.get_close_matches(variable.upper(), known, n=1)
                meant = f": did you mean {near[0]}?" if near else ""
                lines.append(f"{variable} is no setting of the ledger and is not used{meant}")
        return lines


def _shown(name: str, value: object) -> str | None:
    if value is None:
        return None
    if name in WHOLLY_SECRET:
        return MASK
    return masked(str(value)) if name in SECRETS else str(value)


def _mails(url: str, *wanted: str) -> bool:
    """Whether a URL names a mail server, and exactly one address for each parameter wanted."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    return (
        parts.scheme in {"smtp", "smtps"}
        and bool(parts.hostname)
        and all(len(asked.get(name, [])) == 1 and _ADDRESS.fullmatch(asked[name][0]) for name in wanted)
    )


def _parted(value: str | None, by: str | None) -> list[str]:
    return [part for part in (value or "").split(by) if part]


def _origin_of_fault(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    variable = f"{PREFIX}{name.upper()}"
    return variable if variable in os.environ else name
