"""`coverledger cancellations list`."""

import click

from ledger.cli.options import book_option, examples, json_option, opened
from projections.commands.options import contract_option, status_option
from projections.commands.tables import instant, plain, show, status, text

STATES = ("waiting", "confirmed", "refused", "dismissed")

COLUMNS = (
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
@status_option(STATES, "Only requests in this state.")
@contract_option("Only requests on this contract.")
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
    from projections.web.cancellation.requests import requests, shown  # noqa: PLC0415  # loaded when it runs

    with opened(book) as wiring, wiring.pool.connection() as connection:
        rows = [shown(one) for one in requests(connection, book, state=status, contract=contract)]
    empty = "No form was sent. Customers find it on the site, at /cancel."
    show(rows, COLUMNS, title="Cancellation forms", empty=empty, json=as_json)
