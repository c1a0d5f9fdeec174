"""`coverledger subscriptions …`: who is told of events, and how that goes."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ledger.commands.options import book_option, examples, json_option, opened
from ledger.commands.output import note, print_json, print_table
from ledger.commands.subscriptions_told import HEADERS, as_cells, as_json_object, kept_as_json
from ledger.endings import UsedWrongly

if TYPE_CHECKING:
    pass

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
        raise UsedWrongly(message)
    if stream is not None and types:
        message = "A relay takes every event: leave --type out, and filter by subject where you read."
        raise UsedWrongly(message)
    from ledger.feed.subscriptions.subjects import stream_of  # noqa: PLC0415  # loaded when it runs

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
        print_json(as_json_object(standing) | ({"secret": secret} if secret else {}))
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
        print_json([as_json_object(standing) for standing in found])
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
        print_json(as_json_object(standing) | {"kept": [kept_as_json(one) for one in kept]})
        return
    print_table(("", ""), [(key, value) for key, value in as_json_object(standing).items()])
    if kept:
        rows = [tuple(kept_as_json(one).values()) for one in kept]
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
        print_json(as_json_object(stood))
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
