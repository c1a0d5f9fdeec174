"""A plug-in as somebody else would write it: verbs, a follower with its check, and a route."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ledger.cli.options import book_option, opened
from ledger.registry import Registry
from ledger.verification.findings import CheckedView, OnProgress

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ledger.app import App, BookParts, Serving
    from ledger.feed.followers import FeedEvent
    from ledger.store.pool import Connection

NAME = "milestones"


def register(registry: Registry) -> None:
    """Called whenever the program starts: what is heavy waits in the functions that are added."""
    registry.add_verbs({"milestone": "Tell how many contracts started."}, lambda: {"milestone": milestone})
    registry.add_group("contract", lambda: {"celebrate": celebrate})
    registry.add_parts(add_parts)
    registry.add_serving(add_serving)


def add_parts(parts: "BookParts") -> None:
    parts.followers[NAME] = lambda app: Milestones(app.book)
    parts.view_checks[NAME] = check


def add_serving(serving: "Serving") -> None:
    serving.routes[NAME] = routes


@click.command()
@book_option
def milestone(book: str) -> None:
    """Tell how many contracts started."""
    with opened(book) as app:
        app.catch_up(NAME)
        click.echo(f"{started(app)} contracts started")


@click.command()
@click.argument("number")
def celebrate(number: str) -> None:
    """Celebrate a contract."""
    click.echo(f"Hurray for {number}!")


class Milestones:
    """Counts contracts as they start, one counter a database."""

    name = NAME
    types = frozenset({"contract.ContractStarted"})

    def __init__(self, book: str) -> None:
        self._book = book

    def apply(self, connection: "Connection", events: "Sequence[FeedEvent]") -> None:
        """A real one would keep a table of its own; here PostgreSQL is told, once the events are taken."""
        with connection.cursor() as cursor:
            cursor.execute("select pg_notify(%s, %s)", (NAME, f"{self._book} {len(events)}"))


def started(app: "App") -> int:
    with app.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from ledger.events where book = %s and type = 'contract.ContractStarted'",
            (app.book,),
        )
        [(number,)] = cursor.fetchall()
    return int(number)


def check(app: "App", progress: OnProgress) -> CheckedView:
    number = started(app)
    progress(number, number)
    return CheckedView(number, -1)


def routes(app: "App") -> "APIRouter":
    from fastapi import APIRouter  # noqa: PLC0415  # for `up` alone

    def milestones() -> Mapping[str, int]:
        return {"contracts": started(app)}

    router = APIRouter(tags=[NAME])
    router.get("/v1/{book}/milestones")(milestones)
    return router
