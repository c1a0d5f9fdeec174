"""`coverledger person find` and `cancellations list`."""

from dataclasses import asdict

import click

from ledger.cli.options import access, book_option, examples, json_option, opened, reason_option
from ledger.errors import UsageError
from ledger.privacy.access import Access
from projections.cancellation_requests import requests, shown
from projections.cli.tables import TableColumn, instant, plain, show, status, text
from projections.queries.reader import known_end
from projections.views.directory import Directory, Person, words

FOUND_COLUMNS: tuple[TableColumn, ...] = (
    plain("person", "person"),
    text("name", "name"),
    text("as a victim", "victim_name").spared(2),
    text("email", "email").spared(1),
    text("contracts", "contracts"),
    text("claims", "claims"),
)


@click.command()
@click.argument("name", metavar="NAME...", nargs=-1, required=True)
@reason_option
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Persons shown at most."
)
@book_option
@json_option
@examples(
    "coverledger person find peeters --reason 'caller gave no number'",
    "coverledger person find ada pee --reason 'caller gave no number' --json",
    "coverledger person find ada@example.org --reason 'mail without a number'",
)
def find(  # noqa: PLR0913  # one parameter an option
    name: tuple[str, ...], *, reason: str, actor: str, limit: int, book: str, as_json: bool
) -> None:
    """Find persons by words of their NAME, or by their address of mail, with their contracts and claims.

    All words must match; three letters or more of a word's beginning do. Case and accents do not matter.
    Each person shown is written down in the access log, and so is a search that finds nobody. Who was erased
    is not found.
    """
    asked = " ".join(name)
    if not words(asked):
        message = "Give letters to search by: coverledger person find peeters --reason 'no number given'."
        raise UsageError(message)
    persons = _found(book, asked, access(actor, "person find", reason), limit)
    rows = [asdict(person) for person in persons]
    if not as_json:
        rows = [row | {kind: ", ".join(row[kind]) for kind in ("contracts", "claims")} for row in rows]
    empty = "Nobody is found by that; fewer letters of a word find more, from three on."
    show(rows, FOUND_COLUMNS, title="Persons", empty=empty, json=as_json)


def _found(book: str, asked: str, by: Access, limit: int) -> list[Person]:

    views = ("contracts", "claims")
    with opened(book) as wiring:
        wiring.catch_up("directory", *views)
        with wiring.pool.connection() as connection:
            position = known_end(connection, book, views)
        directory = Directory(wiring.pool, wiring.store.subject_keys, wiring.store.book_keys, book)
        return directory.find(asked, by, position, limit)


STATES = ("waiting", "confirmed", "refused", "dismissed")

REQUEST_COLUMNS = (
    plain("contract", "contract"),
    plain("received", "received_on"),
    status("state", "state"),
    instant("link sent", "mailed_at"),
    text("no link", "mail_told").spared(1),
    plain("settled by", "settled_by").spared(2),
    plain("because", "settled_because").spared(3),
    plain("request", "request").spared(4),
)


@click.command()
@click.option("--status", type=click.Choice(STATES), help="Only requests in this state.")
@click.option("--contract", metavar="C", help="Only requests on this contract.")
@book_option
@json_option
@examples(
    "coverledger cancellations list --status waiting",
    "coverledger cancellations list --json",
)
def list_all(*, status: str | None, contract: str | None, book: str, as_json: bool) -> None:
    """List what customers sent on the site's cancellation form, the newest first.

    A request counts from its receipt once it is confirmed: by the link, or by the desk on the site.
    """
    with opened(book) as wiring, wiring.pool.connection() as connection:
        rows = [shown(one) for one in requests(connection, book, state=status, contract=contract)]
    empty = "No form was sent. Customers find it on the site, at /cancel."
    show(rows, REQUEST_COLUMNS, title="Cancellation forms", empty=empty, json=as_json)
