"""What a view is: a name, a table and a pure fold from feed events to versions of rows.

A view's rows keep their history by position: a row stands from `from_position` until, and not
including, `to_position` (null: it stands now). So the view as of position P is what stands at P, and it
never changes, whatever is recorded later.

Between events a view remembers, for each key (the stream, or the contract), what its fold needs to go
on. That memory is no answer to any question: only rows are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class RowVersion:
    """A row as it stood from one position until another (None: it stands still)."""

    row: Row
    from_position: int
    to_position: int | None = None


def _nowhere(key: str) -> int:
    raise KeyError(key)


@dataclass(slots=True)
class Folding(Generic[Memory]):
    """One run of events over one view: what was remembered, and the versions that came of it."""

    view: View[Memory]
    remembered: dict[str, Remembered[Memory]] = field(default_factory=dict)
    """By key. What was loaded before the run; kept up to date by it."""
    elsewhere: Callable[[str], int] = _nowhere
    """Place in the order of a key that the run does not know."""
    touched: set[str] = field(default_factory=set)
    """Keys whose memory the run has changed."""
    versions: list[RowVersion] = field(default_factory=list)
    """All row versions that the run has opened, in order."""
    closed: dict[Row, int] = field(default_factory=dict)
    """Rows (by identity) that may have stood before the run, and the position at which they ceased to."""
    _standing: dict[Row, RowVersion] = field(default_factory=dict)
    _fresh: set[str] = field(default_factory=set)

    def take(self, event: FeedEvent) -> None:
        """Fold one event. Events come in the order of their positions."""
        key = self.view.key_of(event)
        before = self.remembered.get(key)
        folded = self.view.fold(None if before is None else before.memory, event, self._since)
        if folded is None:
            return
        if before is None:
            self._fresh.add(key)
        self.remembered[key] = Remembered(event.position if before is None else before.since, folded.memory)
        if before is None or folded.memory is not before.memory:
            self.touched.add(key)
        for row in folded.rows:
            self._stand(row, event.position, fresh=key in self._fresh)

    def take_all(self, events: Iterable[FeedEvent]) -> None:
        """Fold many events."""
        for event in events:
            self.take(event)

    def standing(self) -> list[Row]:
        """Return the rows that stand after the run, of those that it opened."""
        return [version.row for version in self._standing.values()]

    def standing_since(self) -> list[int]:
        """Return for each of these rows the position that made it so."""
        return [version.from_position for version in self._standing.values()]

    def _since(self, key: str) -> int:
        known = self.remembered.get(key)
        return self.elsewhere(key) if known is None else known.since

    def _stand(self, row: Row, position: int, *, fresh: bool) -> None:
        identity = row[: self.view.table.identity]
        standing = self._standing.get(identity)
        if standing is not None:
            standing.to_position = position
        elif not (fresh or self.view.table.grows_only):
            # The key was there before the run, so this row may have been, too.
            self.closed[identity] = position
        version = RowVersion(row, position)
        self._standing[identity] = version
        self.versions.append(version)
