"""Whose erasure is proposed: persons whose records nothing asks for any more (R13), for people to confirm."""

import shlex
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ledger.clock import present
from ledger.domain.calendar import brussels_date
from ledger.privacy.holds import Hold, standing_holds
from schedulers.retention.queries import Over, over

if TYPE_CHECKING:
    from ledger.app import App


def today_of(wiring: "App") -> date:
    """Give the book's present day."""
    return brussels_date(present(wiring.book_row(), wiring.now()))


def proposals(wiring: "App", day: date) -> list[dict[str, object]]:
    """Give them as of a day; who is held shows with the hold and no command."""
    with wiring.pool.connection() as connection:
        found = over(connection, wiring.book, day)
        contracts = {contract for one in found for contract in one.contracts}
        holds = {hold.contract: hold for hold in standing_holds(connection, wiring.book, contracts)}
    return [_proposal(one, holds, wiring.book) for one in found]


def told(wiring: "App", asked: Mapping[str, str]) -> list[dict[str, object]]:
    """Give what `deadlines retention --json` prints (`until`: a day)."""
    return proposals(wiring, date.fromisoformat(asked["until"]) if asked.get("until") else today_of(wiring))


def _proposal(one: Over, holds: Mapping[str, Hold], book: str) -> dict[str, object]:
    held = [holds[contract] for contract in one.contracts if contract in holds]
    reason = f"retention over since {one.since}"
    in_book = "" if book == "cyber-care" else f" --book {shlex.quote(book)}"
    command = f"coverledger subject erase {shlex.quote(one.person)} --reason {shlex.quote(reason)}{in_book}"
    return {
        "person": one.person,
        "contracts": list(one.contracts),
        "over_since": one.since.isoformat(),
        "holds": [
            {"contract": hold.contract, "since": f"{hold.placed_at:%Y-%m-%d}", "by": hold.placed_by}
            for hold in held
        ],
        "command": None if held else command,
    }
