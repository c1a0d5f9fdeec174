"""`coverledger token create/list/revoke/link`: who may call over HTTP."""

from datetime import datetime, timedelta

import click

from ledger.app import App
from ledger.auth.tokens import LINK_LASTS, Kind, Token, Tokens
from ledger.cli.options import actor_option, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table
from ledger.errors import Rejected, UsageError
from ledger.imports.lines import Malformed, checked_name
from ledger.running_file import running_up

ROLES = ("auditor", "back_office", "subscriber", "importer", "monitor", "admin", "calendar")
"""As in `ledger.auth.roles`, which help need not load."""

role_option = click.option(
    "--role", type=click.Choice(ROLES), required=True, help="What the caller may do (docs/http.md)."
)
name_option = click.option(
    "--name",
    required=True,
    metavar="ID",
    help="Opaque id of the caller, which its commands are recorded under; never a person's name.",
)


@click.command("create", short_help="Make a token; its text is shown once.")
@role_option
@name_option
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    metavar="N",
    help="Days that it works. [default: until it is revoked]",
)
@actor_option
@book_option
@json_option
@examples(
    "coverledger token create --role subscriber --name crm --days 365",
    "coverledger token create --role back_office --name desk-17",
    "coverledger token create --role calendar --name desk-17",
)
def create(  # noqa: PLR0913  # one parameter an option
    role: str, name: str, days: int | None, *, actor: str, book: str, as_json: bool
) -> None:
    """Make a token for a caller over HTTP.

    Its text goes to stdout, once: the ledger keeps only a hash of it. A token of the role calendar stands in
    the address of /due.ics and opens nothing else.
    """
    with opened(book) as wiring:
        token, text = _tokens(wiring).create(
            "calendar" if role == "calendar" else "bearer",
            role=role,
            name=_checked(name),
            created_by=actor,
            lasts=None if days is None else timedelta(days=days),
        )
    if as_json:
        print_json(_as_json(token) | {"token": text})
        return
    until = f"works until {_day(token.expires_at)}" if token.expires_at else "works until it is revoked"
    note(f"Token {token.token_id} of {token.name} ({token.role}); it {until}. It is shown this once:")
    click.echo(text)


@click.command("list", short_help="List the tokens, without their texts.")
@click.option("--sessions", is_flag=True, help="Also the sessions of the site that are in force.")
@book_option
@json_option
@examples("coverledger token list", "coverledger token list --sessions --json")
def list_all(*, sessions: bool, book: str, as_json: bool) -> None:
    """List tokens, revoked and expired ones too."""
    with opened(book) as wiring:
        kinds: tuple[Kind, ...] = ("bearer", "calendar", "session") if sessions else ("bearer", "calendar")
        found = _tokens(wiring).all(kinds)
    if as_json:
        print_json([_as_json(token) for token in found])
    elif not found:
        note("There is no token: make one with `coverledger token create`.")
    else:
        print_table(
            ("Id", "Kind", "Role", "Name", "Created", "By", "Expires", "Revoked"),
            [
                (
                    token.token_id,
                    token.kind,
                    token.role,
                    token.name,
                    _day(token.created_at),
                    token.created_by,
                    _day(token.expires_at),
                    _day(token.revoked_at),
                )
                for token in found
            ],
        )


@click.command("revoke", short_help="Take a token back.")
@click.argument("token_id", metavar="ID")
@book_option
@examples("coverledger token revoke 5f0c9a1be2d3")
def revoke(token_id: str, *, book: str) -> None:
    """Take a token or a session back, by its id; a running ledger refuses it within a second."""
    with opened(book) as wiring:
        if not _tokens(wiring).revoke(token_id):
            message = (
                f"There is no token in force with the id {token_id[:40]!r}: see `coverledger token list`."
            )
            raise Rejected(message)
    note(f"Token {token_id} is revoked.")


@click.command("link", short_help="Make a link that signs somebody in to the site, once.")
@role_option
@name_option
@click.option(
    "--url",
    default=None,
    metavar="URL",
    help="Address of the site. [default: that of the `up` that runs, else COVERLEDGER_HTTP_URL]",
)
@actor_option
@book_option
@json_option
@examples(
    "coverledger token link --role auditor --name auditor-3",
    "coverledger token link --role back_office --name desk-17 --url https://ledger.example",
)
def link(  # noqa: PLR0913  # one parameter an option
    role: str, name: str, url: str | None, *, actor: str, book: str, as_json: bool
) -> None:
    """Make a link that signs somebody in, once, within 15 minutes."""
    if role == "calendar":
        message = "Nobody signs in as a calendar: choose another --role."
        raise UsageError(message)
    with opened(book) as wiring:
        token, text = _tokens(wiring).create(
            "link", role=role, name=_checked(name), created_by=actor, lasts=LINK_LASTS
        )
        running = running_up(wiring.settings, book)
        address = url or (running.address if running else wiring.settings.http_url)
    path = f"/sign-in?code={text}"
    whole = None if address is None else f"{address.rstrip('/')}{path}"
    if as_json:
        print_json(_as_json(token) | {"link": whole, "path": path})
        return
    note(f"Signs {token.name} in as {token.role}, once, within 15 minutes:")
    click.echo(whole or path)
    if whole is None:
        note(
            "The site's address belongs in front of it: no `coverledger up` of this book runs here, and "
            "neither --url nor COVERLEDGER_HTTP_URL says where one does."
        )


def _tokens(wiring: App) -> Tokens:

    return Tokens(wiring.pool, wiring.book)


def _checked(name: str) -> str:
    """Check the id of a caller. Raises UsageError."""
    try:
        return checked_name("--name", name)
    except Malformed as error:
        message = f"{error}."
        raise UsageError(message) from None


def _as_json(token: Token) -> dict[str, object]:
    return {
        "id": token.token_id,
        "kind": token.kind,
        "role": token.role,
        "name": token.name,
        "created_at": _instant(token.created_at),
        "created_by": token.created_by,
        "expires_at": _instant(token.expires_at),
        "revoked_at": _instant(token.revoked_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _day(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d %H:%M}"
