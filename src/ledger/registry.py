"""What the program is composed of: verbs, parts of a book and services, as packages and plug-ins add them.

    def register(registry: Registry) -> None:
        registry.add_verbs({"greet": "Greet somebody."}, lambda: {"greet": greet})
        registry.add_parts(add_parts)

    def add_parts(parts: BookParts) -> None:
        parts.followers["greetings"] = lambda app: Greetings(app.book)

`register` is called whenever the program starts, so it imports nothing heavy: the functions that it adds are
called when a verb is asked for, when the first part of a book is, and when `up` serves.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from ledger.app import BookParts, Serving

P = ParamSpec("P")
T = TypeVar("T")

LoadVerbs = Callable[[], Mapping[str, click.Command]]
AddParts = Callable[["BookParts"], None]
AddServing = Callable[["Serving"], None]
Guard = Callable[[], AbstractContextManager[None]]


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
        self.adds_parts: list[AddParts] = []
        self.adds_serving: list[AddServing] = []

    def add_verbs(self, summaries: Mapping[str, str], load: LoadVerbs) -> None:
        """Add verbs of the top level, each with its line in the list of all. Raises ValueError."""
        for name, summary in summaries.items():
            self._add(name, TopVerb(summary, (load,), is_group=False))

    def add_group(self, name: str, load: LoadVerbs, *, summary: str = "") -> None:
        """Add a group of verbs, or more verbs to one that is there. Raises ValueError."""
        self._add(name, TopVerb(summary, (load,), is_group=True))

    def add_parts(self, add: AddParts) -> None:
        """Have `add` called when the first part of a book is asked for."""
        self.adds_parts.append(add)

    def add_serving(self, add: AddServing) -> None:
        """Have `add` called when a book is to be served."""
        self.adds_serving.append(add)

    def include(self, plugin: "Registry", guard: Guard) -> None:
        """Add what a plug-in has; whatever of it fails later fails within `guard`. Raises ValueError."""

        def guarded(call: Callable[P, T], otherwise: T) -> Callable[P, T]:
            def call_guarded(*args: P.args, **kwargs: P.kwargs) -> T:
                with guard():
                    return call(*args, **kwargs)
                return otherwise

            return call_guarded

        def add_parts(parts: "BookParts") -> None:
            with guard():
                added = parts.of(plugin.adds_parts)
                added.followers = {name: guarded(make, None) for name, make in added.followers.items()}
                parts.include(added)

        def add_serving(serving: "Serving") -> None:
            with guard():
                added = serving.of(plugin.adds_serving)
                added.routes = {name: guarded(routes, None) for name, routes in added.routes.items()}
                added.openings = {name: guarded(opening, ()) for name, opening in added.openings.items()}
                serving.include(added)

        for name, verb in plugin.verbs.items():
            self._check_free(name, verb)
        for name, verb in plugin.verbs.items():
            self._add(name, replace(verb, loads=tuple(guarded(load, {}) for load in verb.loads)))
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
