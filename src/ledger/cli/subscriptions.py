"""`subscriptions …`: who is told of events, and how that goes; `listen`: a local stand-in for a webhook."""

import asyncio
from datetime import timedelta

import click

from ledger.app import App
from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_json_line, print_table
from ledger.errors import UsageError
from ledger.feed.reader import FeedEvent, position_after
from ledger.store.feed import feed_end
from ledger.webhooks.endpoints import AddressRefused, checked_secret, new_secret, stream_of, webhook_url
from ledger.webhooks.retry import DeliveryResult
from ledger.webhooks.sender import Forwarder
from ledger.webhooks.subscriptions import SubscriptionStatus, check_types

HEADERS = ("Name", "Kind", "State", "Position", "Lag", "Waiting", "Parked", "Last failure")


def as_cells(standing: SubscriptionStatus) -> tuple[object, ...]:
    """Return one row for people, under HEADERS."""
    found, backlog = standing.subscription, standing.backlog
    state = f"{found.state}: {found.because}" if found.because else found.state
    return (
        found.name,
        found.kind,
        state,
        found.position,
        standing.lag,
        backlog.waiting,
        backlog.parked,
        found.told,
    )


NAMED_AFTER_BOOK = ""
KEPT_HEADERS = ("Position", "State", "Tries", "Failing since", "Next try", "Last failure")

_name = click.argument("name", metavar="NAME")


@click.command(short_help="Tell a webhook or a NATS stream of events.")
@_name
@click.option("--webhook", "url", metavar="URL", help="Deliver to this address, by Standard Webhooks.")
@click.option(
    "--nats",
    "stream",
    is_flag=False,
    flag_value=NAMED_AFTER_BOOK,
    metavar="[STREAM]",
    help="Relay to a NATS JetStream stream (claims-BOOK unless named) on COVERLEDGER_NATS.",
)
@click.option("--type", "types", multiple=True, metavar="T", help="Only this type; may be repeated.")
@click.option(
    "--after",
    metavar="CURSOR",
    help=(
        "Begin after this position, or cursor (EPOCH:POSITION), -1: with the whole feed."
        "  [default: what comes from now on]"
    ),
)
@book_option
@json_option
@examples(
    "coverledger subscriptions add erp --webhook https://erp.example/claims",
    "coverledger subscriptions add payments --webhook https://pay.example/hook --type claim.RefundIssued",
    "coverledger subscriptions add warehouse --webhook https://dwh.example/in --after -1",
    "coverledger subscriptions add bus --nats --after -1",
)
def add(  # noqa: PLR0913 # as many as there are options
    name: str,
    *,
    url: str | None,
    stream: str | None,
    types: tuple[str, ...],
    after: str | None,
    book: str,
    as_json: bool,
) -> None:
    """Tell a subscriber of events: a webhook, or a NATS stream.

    A webhook's secret is printed once, here: give it to the receiver, which checks each delivery by it.
    Deliveries go out while `coverledger up` runs.
    """
    if (url is None) == (stream is None):
        message = "Say where events go: either --webhook URL or --nats."
        raise UsageError(message)
    if stream is not None and types:
        message = "A relay takes every event: leave --type out, and filter by subject where you read."
        raise UsageError(message)

    with opened(book) as wiring:
        wiring.seal()
        secret = None
        if url is not None:
            secret = wiring.subscriptions.add_webhook(name, url, types=types or None, after=after)
        else:
            wiring.subscriptions.add_relay(name, stream or stream_of(book), after=after)
            if wiring.settings.nats is None:
                note("COVERLEDGER_NATS is not set here: set it where the ledger is up.")
        standing = wiring.subscriptions.one(name)
    if as_json:
        print_json(standing.as_json() | ({"secret": secret} if secret else {}))
        return
    begins = standing.subscription.position
    click.echo(f"Added {name}: it is told of what comes after position {begins}, while the ledger is up.")
    if secret is not None:
        click.echo(f"Its secret, shown this once: {secret}")


@click.command("list", short_help="How far each is, what waits, what is parked.")
@book_option
@json_option
@examples("coverledger subscriptions list", "coverledger subscriptions list --json")
def list_all(*, book: str, as_json: bool) -> None:
    """List the subscriptions: how far each is, what waits, what is parked, and what failed last."""
    with opened(book) as wiring:
        wiring.seal()
        found = wiring.subscriptions.all()
    if as_json:
        print_json([standing.as_json() for standing in found])
    elif found:
        print_table(HEADERS, [as_cells(standing) for standing in found])
    else:
        note("There is no subscription; coverledger subscriptions add --help shows how to add one.")


@click.command(short_help="One subscription, with what it was not given.")
@_name
@book_option
@json_option
@examples("coverledger subscriptions show erp")
def show(name: str, *, book: str, as_json: bool) -> None:
    """Show one subscription, with the events that wait for another try or are parked (1,000 at most)."""
    with opened(book) as wiring:
        wiring.seal()
        standing, kept = wiring.subscriptions.one(name), wiring.subscriptions.kept(name)
    if as_json:
        print_json(standing.as_json() | {"kept": [one.as_json() for one in kept]})
        return
    print_table(("", ""), [(key, value) for key, value in standing.as_json().items()])
    if kept:
        rows = [tuple(one.as_json().values()) for one in kept]
        print_table(KEPT_HEADERS, rows, title="Not taken yet")


@click.command(short_help="Let one rest; it misses nothing.")
@_name
@click.option("--because", metavar="TEXT", help="Why; shown by list.")
@book_option
@examples("coverledger subscriptions pause erp --because 'new release on Monday'")
def pause(name: str, *, because: str | None, book: str) -> None:
    """Let a subscription rest. It misses nothing: what happens meanwhile it is told once it is resumed."""
    with opened(book) as wiring:
        wiring.subscriptions.pause(name, because)
        state = wiring.subscriptions.one(name).subscription.state
    click.echo(f"{name} is {state}.")


@click.command(short_help="Let one go on where it was.")
@_name
@book_option
@examples("coverledger subscriptions resume erp")
def resume(name: str, *, book: str) -> None:
    """Let a paused or disabled subscription go on where it was."""
    with opened(book) as wiring:
        wiring.subscriptions.resume(name)
        lag = wiring.subscriptions.one(name).lag
    click.echo(f"{name} is active; {lag:,} events of the feed are before it.")


@click.command(short_help="Send a webhook events again.")
@_name
@click.option("--from", "first", type=click.IntRange(min=0), required=True, metavar="POSITION")
@click.option("--to", "last", type=click.IntRange(min=0), required=True, metavar="POSITION")
@click.option("--contract", metavar="C", help="Only events of this contract, its claims and complaints.")
@book_option
@json_option
@examples(
    "coverledger subscriptions resend erp --from 4711 --to 4711",
    "coverledger subscriptions resend erp --from 0 --to 9999 --contract CC-1",
)
def resend(  # noqa: PLR0913 # as many as there are options
    name: str, *, first: int, last: int, contract: str | None, book: str, as_json: bool
) -> None:
    """Send a webhook events again that it has had, under the ids that they had."""
    with opened(book) as wiring:
        wiring.seal()
        events = wiring.subscriptions.resend(name, first, last, contract)
    _told_count(name, events, "will be sent again", as_json=as_json)


@click.command(short_help="Try a webhook's parked events again.")
@_name
@book_option
@json_option
@examples("coverledger subscriptions replay-parked erp")
def replay_parked(name: str, *, book: str, as_json: bool) -> None:
    """Try a webhook's parked events again: at once, and then for three days as if they were new."""
    with opened(book) as wiring:
        events = wiring.subscriptions.replay_parked(name)
    _told_count(name, events, "are parked no more", as_json=as_json)


@click.command(short_help="Forget one.")
@_name
@book_option
@json_option
@examples("coverledger subscriptions remove erp")
def remove(name: str, *, book: str, as_json: bool) -> None:
    """Forget a subscription, with its secrets and what it was not given yet; says how it stood."""
    with opened(book) as wiring:
        stood = wiring.subscriptions.remove(name)
    if as_json:
        print_json(stood.as_json())
    else:
        click.echo(f"Removed {name}, which stood at position {stood.subscription.position}.")


@click.command(short_help="Give a webhook a new secret.")
@_name
@click.option(
    "--keep-hours",
    type=click.FloatRange(min=0, max=24 * 365),
    default=24.0,
    show_default=True,
    help="For so long deliveries bear a signature by the old secret too.",
)
@book_option
@json_option
@examples(
    "coverledger subscriptions rotate-secret erp",
    "coverledger subscriptions rotate-secret erp --keep-hours 0",
)
def rotate_secret(name: str, *, keep_hours: float, book: str, as_json: bool) -> None:
    """Give a webhook a new secret, printed once, here; the old one signs beside it for a while."""
    with opened(book) as wiring:
        secret = wiring.subscriptions.rotate_secret(name, timedelta(hours=keep_hours))
    if as_json:
        print_json({"name": name, "secret": secret})
    else:
        click.echo(f"The new secret of {name}, shown this once: {secret}")


def _told_count(name: str, events: int, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "events": events})
    else:
        click.echo(f"{events:,} events of {name} {what}.")


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
    check_types(types)
    try:
        address = webhook_url(url, allow_private=True)
        signing = new_secret() if secret is None else checked_secret(secret)
    except (AddressRefused, ValueError) as error:
        message = f"{'--secret' if isinstance(error, ValueError) else '--forward-to'}: {error}."
        raise UsageError(message) from error
    with opened(book) as wiring:
        wiring.seal()
        after = _begin(wiring, since)
        note(f"Posting what comes after position {after} to {address}; Ctrl-C ends it.")
        if secret is None:
            note(f"Signed with {signing}")
        forwarding = Forwarder(
            wiring.pool, book, types or None, signing, seal=wiring.seal, tell=_json_line if as_json else _line
        )
        all_taken = asyncio.run(forwarding.run(address, after, until_end=until_end))
    return 0 if all_taken else 1


def _begin(wiring: App, since: str | None) -> int:
    """Settle the position after which to begin. Raises UsageError, and Rejected where the epochs part."""
    with wiring.pool.connection() as connection:
        return (
            feed_end(connection, wiring.book)
            if since is None
            else position_after(connection, wiring.book, since)
        )


def _line(event: FeedEvent, outcome: DeliveryResult) -> None:
    told = "taken" if not outcome.told else outcome.told
    click.echo(f"{event.position:>8}  {event.type}  {event.stream.name}  {told}")


def _json_line(event: FeedEvent, outcome: DeliveryResult) -> None:
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
