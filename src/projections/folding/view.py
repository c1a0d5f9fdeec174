"""What a view is: a name, a table and a pure fold from feed events to rows.

A view's rows keep their history by position: a row stands from `from_position` until, and not
including, `to_position` (null: it stands now). So the view as of position P is what stands at P, and it
never changes, whatever is recorded later.

Between events a view remembers, for each key (the stream, or the contract), what its fold needs to go
on. That memory is no answer to any question: only rows are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from ledger.feed.reader import FeedEvent

Memory = TypeVar("Memory")

Row = tuple[object, ...]
"""One row of a view in the order of its table's columns."""

Since = Callable[[str], int]
"""The position of the first event of a key; a key that is not there raises `KeyError`."""


@dataclass(frozen=True, slots=True)
class Table:
    """The table that keeps a view's rows. `book` and the two positions stand beside these columns."""

    name: str
    """With its schema: `projections.limits`."""
    columns: tuple[str, ...]
    identity: int
    """How many leading columns name a row: of one name, at most one row stands at a position."""
    grows_only: bool = False
    """Whether no row ever takes the place of another."""

    @property
    def view(self) -> str:
        """The view's name: the table's, without its schema."""
        return self.name.partition(".")[2]


class Folded(NamedTuple, Generic[Memory]):
    """What one event did to one key: what to remember from now on, and the rows that are new or differ."""

    memory: Memory
    rows: Sequence[Row] = ()


class Remembered(NamedTuple, Generic[Memory]):
    """What a view remembers of one key."""

    since: int
    """Position of the key's first event: the order in which lists show it."""
    memory: Memory


@dataclass(frozen=True, slots=True)
class View(Generic[Memory]):
    """One view. Its functions are pure; events of other types than `types` do not reach it."""

    name: str
    types: frozenset[str] | None
    table: Table
    key_of: Callable[[FeedEvent], str]
    fold: Callable[[Memory | None, FeedEvent, Since], Folded[Memory] | None]
    """(memory of the key, event, since) → what it did; None: the event says nothing to this view."""
    to_text: Callable[[Memory], str]
    from_text: Callable[[str], Memory]
    mentions: Callable[[FeedEvent], str | None] = lambda _: None
    """Another key whose place in the order (`since`) the fold asks for."""
    version: int = 1
    """Of the fold. Raised with each change of what it gives, so that every book's view is built anew."""
