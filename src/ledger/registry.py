"""What the program is composed of: verbs, parts of a book and services, as packages and plug-ins add them.

    def register(registry: Registry) -> None:
        registry.add_verbs({"greet": "Greet somebody."}, lambda: {"greet": greet})
        registry.add_parts(add_parts)

    def add_parts(parts: BookParts) -> None:
        parts.followers["greetings"] = lambda app: Greetings(app.book)

`register` is called whenever the program starts, so it imports nothing heavy: the functions that it adds are
called when a verb is asked for, when the first part of a book is, and when `up` serves.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ledger.app import App
    from ledger.feed.followers import Follower
    from ledger.verification.findings import CheckedView, OnProgress

LoadVerbs = Callable[[], Mapping[str, click.Command]]
Guard = Callable[[], AbstractContextManager[None]]

FollowerFactory = Callable[["App"], "Follower"]
ViewCheck = Callable[["App", "OnProgress"], "CheckedView"]
"""Raises NotVerified."""
Sweep = Callable[["App", datetime], int]
"""Brings every stream to an instant, inclusive, whatever the book's clock says; returns how many events."""
Erasure = Callable[["App"], int]
"""Removes what lies outside the database of persons who were erased; returns how many things."""
Held = Callable[["App", str], object]
"""Returns what is held on a person beside the events, as JSON."""
SendHeads = Callable[["App"], Sequence[Mapping[str, object]]]
"""Sends the newest signed head to places outside; returns what came of each."""
Listing = Callable[["App", Mapping[str, str]], Any]
"""Returns what a verb prints with `--json` for these filters."""
Service = Callable[["App", StopEvent], None]
"""Runs until its stop event is set."""
Opening = Callable[["App"], Sequence[tuple[str, str]]]
"""Prepares what services need before any of them starts; returns what to tell: (what, where)."""
Routes = Callable[["App"], "APIRouter"]
"""Returns a router whose paths are whole (`/v1/{book}/limits`, `/contracts`)."""


class _Named:
    """Dicts of what packages register, by name."""

    def include(self, more: Self) -> None:
        """Add all of `more`; nothing where a name is taken. Raises ValueError."""
        groups = [(kind, ours, vars(more)[kind]) for kind, ours in vars(self).items()]
        for kind, ours, theirs in groups:
            if taken := sorted(theirs.keys() & ours.keys()):
                message = f"the name {taken[0]!r} is taken among {kind.replace('_', ' ')}"
                raise ValueError(message)
        for _, ours, theirs in groups:
            ours.update(theirs)


@dataclass
class BookParts(_Named):
    """What works on one book beside the ledger, by name. The names of followers are stored."""

    followers: dict[str, FollowerFactory] = field(default_factory=dict)
    view_checks: dict[str, ViewCheck] = field(default_factory=dict)
    sweeps: dict[str, Sweep] = field(default_factory=dict)
    erasures: dict[str, Erasure] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    head_senders: dict[str, SendHeads] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    """What the site's pages show of a package that they do not import."""


@dataclass
class Serving(_Named):
    """What `up` runs for one book, by name."""

    services: dict[str, Service] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    routes: dict[str, Routes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopVerb:
    """A verb of the command line's top level, or a group of verbs, loaded when it is asked for."""

    summary: str
    """The line beside it in the list of all."""
    loads: tuple[LoadVerbs, ...]
    is_group: bool

    def load(self, name: str) -> click.Command | None:
        """Load it; a group is one of the verbs of all who add to it. None: what adds it was left out."""
        verbs = {name: verb for load in self.loads for name, verb in load().items()}
        return click.Group(name, commands=verbs, help=self.summary) if self.is_group else verbs.get(name)


class Registry:
    """What a program is composed of. An empty one is a ledger with nothing above it."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.verbs: dict[str, TopVerb] = {}
        self._adds_parts: list[Callable[[BookParts], None]] = []
        self._adds_serving: list[Callable[[Serving], None]] = []

    def add_verbs(self, summaries: Mapping[str, str], load: LoadVerbs) -> None:
        """Add verbs of the top level, each with its line in the list of all. Raises ValueError."""
        for name, summary in summaries.items():
            self._add(name, TopVerb(summary, (load,), is_group=False))

    def add_group(self, name: str, load: LoadVerbs, *, summary: str = "") -> None:
        """Add a group of verbs, or more verbs to one that is there. Raises ValueError."""
        self._add(name, TopVerb(summary, (load,), is_group=True))

    def add_parts(self, add: Callable[[BookParts], None]) -> None:
        """Have `add` called when the first part of a book is asked for."""
        self._adds_parts.append(add)

    def add_serving(self, add: Callable[[Serving], None]) -> None:
        """Have `add` called when a book is to be served."""
        self._adds_serving.append(add)

    @cached_property
    def parts(self) -> BookParts:
        """What works on a book beside the ledger."""
        parts = BookParts()
        for add in self._adds_parts:
            add(parts)
        return parts

    @cached_property
    def serving(self) -> Serving:
        """What `up` runs."""
        serving = Serving()
        for add in self._adds_serving:
            add(serving)
        return serving

    def include(self, plugin: "Registry", guard: Guard) -> None:
        """Add what a plug-in has; whatever of it fails later fails within `guard`. Raises ValueError."""

        def guarded(load: LoadVerbs) -> LoadVerbs:
            def load_guarded() -> Mapping[str, click.Command]:
                with guard():
                    return load()
                return {}

            return load_guarded

        def add_parts(parts: BookParts) -> None:
            with guard():
                parts.include(plugin.parts)

        def add_serving(serving: Serving) -> None:
            with guard():
                serving.include(plugin.serving)

        for name, verb in plugin.verbs.items():
            self._check_free(name, verb)
        for name, verb in plugin.verbs.items():
            self._add(name, replace(verb, loads=tuple(guarded(load) for load in verb.loads)))
        self.add_parts(add_parts)
        self.add_serving(add_serving)

    def _check_free(self, name: str, verb: TopVerb) -> None:
        there = self.verbs.get(name)
        if there is not None and not (there.is_group and verb.is_group):
            message = f"there is a verb {name!r} already"
            raise ValueError(message)

    def _add(self, name: str, verb: TopVerb) -> None:
        self._check_free(name, verb)
        there = self.verbs.get(name)
        if there is not None:
            verb = replace(there, summary=there.summary or verb.summary, loads=there.loads + verb.loads)
        self.verbs[name] = verb
