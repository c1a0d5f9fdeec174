"""A book, added up from its raw events one by one, with every row that each view ever showed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from recomputed.claim import Claim, figures_of
from recomputed.complaint import Complaint
from recomputed.contract import Contract
from recomputed.raw import RawEvent

Row = dict[str, object]

NAMED_BY = {
    "contracts": ("contract",),
    "claims": ("claim",),
    "complaints": ("complaint",),
    "limits": ("contract", "insurance_year", "guarantee"),
    "due": ("subject", "opening"),
    "reserves": ("claim",),
    "payments": ("claim", "number"),
    "refunds": ("claim", "number"),
    "timeline": ("claim", "version"),
    "bordereau": ("claim", "month"),
}
"""By what one row of each view is told from the others."""


class Version(NamedTuple):
    """A row, and from which position until which it stood (None: it stands now)."""

    from_position: int
    to_position: int | None
    row: Row


@dataclass
class Recomputed:
    """A book as its raw events leave it."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    complaints: dict[str, Complaint] = field(default_factory=dict)
    gone: dict[str, list[Version]] = field(default_factory=lambda: {view: [] for view in NAMED_BY})
    now: dict[str, dict[tuple[object, ...], Version]] = field(
        default_factory=lambda: {view: {} for view in NAMED_BY}
    )

    def take_all(self, events: Iterable[RawEvent]) -> "Recomputed":
        for event in events:
            self.take(event)
        return self

    def take(self, event: RawEvent) -> None:
        for view, rows in self._stream_after(event).items():
            for row in rows:
                self._show(view, row, event.position)

    def versions(self, view: str) -> list[Version]:
        """Give every row that the view ever showed."""
        return [*self.gone[view], *self.now[view].values()]

    def rows(self, view: str) -> list[Row]:
        """Give the rows that stand now."""
        return [version.row for version in self.now[view].values()]

    def _stream_after(self, event: RawEvent) -> dict[str, list[Row]]:
        match event.kind:
            case "contract":
                if event.name == "ContractStarted":
                    self.contracts[event.number] = Contract(event.number, event)
                self.contracts[event.number].take(event)
                return self.contracts[event.number].rows()
            case "claim":
                if event.name == "ClaimOpened":
                    opened = figures_of([event])
                    assert opened is not None
                    self.claims[event.number] = Claim(event.number, opened)
                self.claims[event.number].take(event)
                return self.claims[event.number].rows(self._position_of)
            case "complaint":
                if event.name == "ComplaintLodged":
                    about = self.contracts[event.said["contract"]]
                    self.complaints[event.number] = Complaint(event.number, event, about.started.position)
                self.complaints[event.number].take(event)
                return self.complaints[event.number].rows()
            case unknown:
                message = f"no stream is of kind {unknown}"
                raise AssertionError(message)

    def _position_of(self, contract: str) -> int:
        return self.contracts[contract].started.position

    def _show(self, view: str, row: Row, position: int) -> None:
        name = tuple(row[column] for column in NAMED_BY[view])
        standing = self.now[view].get(name)
        if standing is not None:
            if standing.row == row:
                return
            self.gone[view].append(standing._replace(to_position=position))
        self.now[view][name] = Version(position, None, row)
