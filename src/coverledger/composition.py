"""The three packages put together, with what plug-ins add to them.

A plug-in is an entry point of the group `coverledger.plugins`: a callable that takes the registry and adds
verbs, followers, view checks, services or routes, as the packages themselves do (`ledger.registry`). One that
fails is left out with one line on stderr, and stops nothing else.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final

import click

import ledger.registration
import projections.registration
import schedulers.registration
from ledger.registry import Registry

if TYPE_CHECKING:
    from ledger.app import App, BookKind
    from ledger.config import Settings

PLUGINS_GROUP: Final = "coverledger.plugins"


@cache
def compose() -> Registry:
    """Return what the program is made of."""
    registry = Registry()
    ledger.registration.register(registry)
    projections.registration.register(registry)
    schedulers.registration.register(registry)
    for plugin in sorted(entry_points(group=PLUGINS_GROUP), key=lambda point: point.name):
        _add(registry, plugin)
    return registry


def opened(
    book: str, settings: "Settings | None" = None, *, kind: "BookKind" = "real", creates: bool = True
) -> "AbstractContextManager[App]":
    """Open a book with all that the program is made of; otherwise as `ledger.app.opened`."""
    from ledger import app  # noqa: PLC0415  # not for `--help`

    return app.opened(book, compose(), settings, kind=kind, creates=creates)


def _add(registry: Registry, plugin: EntryPoint) -> None:
    added = Registry()
    with _left_out_if_bad(plugin):
        plugin.load()(added)
        registry.include(added, partial(_left_out_if_bad, plugin))


@contextmanager
def _left_out_if_bad(plugin: EntryPoint) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is somebody else's, and may raise anything
        told = " ".join(f"{type(error).__name__}: {error}".split())
        _say(f"The plug-in {plugin.name} ({plugin.value}) is left out: {told}")


@cache
def _say(line: str) -> None:
    """Print a line, once however many books are opened."""
    click.echo(line, err=True)
