"""`coverledger parked list/replay`: whatever could not be handled, of every worker, in one place."""

from collections.abc import Iterator
from typing import Final

import click

from ledger.app import App
from ledger.attempts import failing
from ledger.attempts import replay as replay_items
from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table
from ledger.errors import Rejected
from ledger.store.feed import parked_events

HEADERS: Final = ("Worker", "Item", "State", "Tries", "Failing since", "Next try", "Error")


@click.command(short_help="List what could not be handled.")
@book_option
@json_option
@examples("coverledger parked list", "coverledger parked list --json")
def list_all(book: str, *, as_json: bool) -> None:
    """List what could not be handled: letters, mails, heads, events, deliveries.

    `waiting`: it is tried again by itself. `parked`: it waits until somebody has mended the cause and replays
    it.
    """
    with opened(book) as wiring:
        rows = list(_rows(wiring))
    if as_json:
        print_json(rows)
    elif rows:
        print_table(HEADERS, [list(row.values()) for row in rows], title="Not handled")
    else:
        note("Everything could be handled.")


@click.command(short_help="Try again what is parked.")
@click.option("--worker", metavar="WORKER", help="Only this worker's items, such as letters.")
@click.option("--item", metavar="ITEM", help="Only this item.")
@book_option
@json_option
@examples(
    "coverledger parked replay", "coverledger parked replay --worker letters --item CC-7-00108/notice/1"
)
def replay(book: str, *, worker: str | None, item: str | None, as_json: bool) -> None:
    """Try again what could not be handled. None named: everything.

    Items of letters, mails and heads are tried at their worker's next round; events are taken at once,
    deliveries as soon as their turn comes. Exit code 1 when nothing that was named is waiting or parked.
    """
    with opened(book) as wiring:
        with wiring.pool.connection() as connection:
            replayed = replay_items(connection, book, worker=worker, item=item)
        if item is None:
            replayed += _replay_events(wiring, worker) + _replay_deliveries(wiring, worker)
    if not replayed and (worker or item):
        message = f"Nothing of {worker or 'any worker'}{f', {item},' if item else ''} is waiting or parked."
        raise Rejected(message)
    if as_json:
        print_json({"replayed": replayed})
    else:
        note(f"Replayed: {replayed:,}.")


def _rows(wiring: App) -> Iterator[dict[str, object]]:

    with wiring.pool.connection() as connection:
        for one in failing(connection, wiring.book):
            state = "parked" if one.is_parked else "waiting"
            yield _row(one.worker, one.item, state, one.tries, one.first_at, one.next_at, one.error)
        for name in wiring.followers:
            for event in parked_events(connection, wiring.book, name):
                item = f"{event.stream} {event.version}, position {event.position}"
                yield _row(name, item, "parked", event.attempts, None, None, event.error)
    for standing in wiring.subscriptions.all():
        found, backlog = standing.subscription, standing.backlog
        for state, number in (("waiting", backlog.waiting), ("parked", backlog.parked)):
            if number:
                yield _row(
                    f"subscription {found.name}", f"{number} events", state, None, None, None, found.told
                )


def _row(  # noqa: PLR0913, PLR0917  # a column each
    worker: str, item: str, state: str, tries: int | None, since: object, next_at: object, error: str | None
) -> dict[str, object]:
    return {
        "worker": worker,
        "item": item,
        "state": state,
        "tries": tries,
        "since": None if since is None else str(since),
        "next_at": None if next_at is None else str(next_at),
        "error": error,
    }


def _replay_events(wiring: App, worker: str | None) -> int:
    names = [name for name in wiring.followers if worker in {None, name}]
    return sum(wiring.runner(name).replay_parked() for name in names)


def _replay_deliveries(wiring: App, worker: str | None) -> int:
    return sum(
        wiring.subscriptions.replay_parked(standing.subscription.name)
        for standing in wiring.subscriptions.all()
        if standing.backlog.parked and worker in {None, f"subscription {standing.subscription.name}"}
    )
