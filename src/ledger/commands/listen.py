"""`coverledger listen`: a local stand-in for a webhook, for whoever writes a receiver."""

from typing import TYPE_CHECKING

import click

from ledger.commands.options import book_option, examples, json_option, opened
from ledger.commands.output import note, print_json_line
from ledger.endings import UsedWrongly

if TYPE_CHECKING:
    from ledger.feed.reading import FeedEvent
    from ledger.feed.subscriptions.outcome import Outcome
    from ledger.wiring import Wiring


@click.command()
@click.option("--forward-to", "url", required=True, metavar="URL", help="Where events are posted to.")
@click.option(
    "--since",
    default=None,
    metavar="CURSOR",
    help="Begin after this position, or cursor (EPOCH:POSITION); -1: with the whole feed.  [default: now]",
)
@click.option("--type", "types", multiple=True, metavar="T", help="Only this type; may be repeated.")
@click.option("--secret", metavar="whsec_…", help="Sign with this secret.  [default: a new one]")
@click.option("--until-end", is_flag=True, help="Stop at the feed's end, exit 1 if anything was not taken.")
@book_option
@json_option
@examples(
    "coverledger listen --forward-to http://localhost:8000/claims",
    "coverledger listen --forward-to http://localhost:8000/claims --since -1 --type claim.RefundIssued",
    "coverledger listen --forward-to http://localhost:8000/claims --since -1 --until-end --json",
)
def listen(  # noqa: PLR0913 # as many as there are options
    *,
    url: str,
    since: str | None,
    types: tuple[str, ...],
    secret: str | None,
    until_end: bool,
    book: str,
    as_json: bool,
) -> int:
    """Post events to a receiver on your own machine, one after the other, signed as a webhook's are.

    Nothing is remembered and nothing is tried again: each answer is printed, and the next event goes out.
    Ctrl-C ends it.
    """
    import asyncio  # noqa: PLC0415  # loaded when it runs

    from ledger.feed.subscriptions.addresses import AddressRefused, webhook_url  # noqa: PLC0415  # as above
    from ledger.feed.subscriptions.forwarding import Forwarding  # noqa: PLC0415  # as above
    from ledger.feed.subscriptions.register import check_types  # noqa: PLC0415  # as above
    from ledger.feed.subscriptions.signing import checked_secret, new_secret  # noqa: PLC0415  # as above

    check_types(types)
    try:
        address = webhook_url(url, allow_private=True)
        signing = new_secret() if secret is None else checked_secret(secret)
    except (AddressRefused, ValueError) as error:
        message = f"{'--secret' if isinstance(error, ValueError) else '--forward-to'}: {error}."
        raise UsedWrongly(message) from error
    with opened(book) as wiring:
        wiring.seal()
        after = _begin(wiring, since)
        note(f"Posting what comes after position {after} to {address}; Ctrl-C ends it.")
        if secret is None:
            note(f"Signed with {signing}")
        forwarding = Forwarding(
            wiring.pool, book, types or None, signing, seal=wiring.seal, tell=_json_line if as_json else _line
        )
        all_taken = asyncio.run(forwarding.run(address, after, until_end=until_end))
    return 0 if all_taken else 1


def _begin(wiring: "Wiring", since: str | None) -> int:
    """Settle the position after which to begin. Raises UsedWrongly, and Refused where the epochs part."""
    from ledger.feed.epochs import place  # noqa: PLC0415  # loaded when it runs
    from ledger.store.feed_rows import feed_end  # noqa: PLC0415  # as above

    with wiring.pool.connection() as connection:
        return feed_end(connection, wiring.book) if since is None else place(connection, wiring.book, since)


def _line(event: "FeedEvent", outcome: "Outcome") -> None:
    told = "taken" if not outcome.told else outcome.told
    click.echo(f"{event.position:>8}  {event.type}  {event.stream.name}  {told}")


def _json_line(event: "FeedEvent", outcome: "Outcome") -> None:
    print_json_line(
        {
            "position": event.position,
            "event_id": str(event.event_id),
            "type": event.type,
            "stream": event.stream.name,
            "taken": not outcome.told,
            "told": outcome.told or None,
        }
    )
