"""A book in a real Postgres: a random history recorded and sealed, and the answers that its views give."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ledger.app import App
from ledger.command_envelope import submission
from ledger.domain.refusals import Invalid
from ledger.feed.followers import FollowerRunner
from ledger.store.feed import feed_end
from ledger.store.pool import Pool
from oracle.histories import history
from projections.listing import Filters
from projections.maintenance.checks import Version, live_generation, rows_of
from projections.queries.questions import list_claims, list_complaints, list_contracts, list_due, list_limits
from projections.queries.questions import rows_of as report_rows
from projections.queries.reader import Reader
from projections.queries.reports import by_guarantee
from projections.runner.follower import ViewFollower
from projections.views.registry import LISTINGS, VIEWS

Answers = dict[str, list[dict[str, object]]]


@dataclass
class RecordedBook:
    wiring: App

    @property
    def pool(self) -> Pool:
        return self.wiring.pool

    @property
    def book(self) -> str:
        return self.wiring.book

    def record(self, lines: Iterable[dict[str, Any]]) -> None:
        for line in lines:
            try:
                taken = submission(
                    line["command_id"],
                    line["command"],
                    line["data"],
                    at=datetime.fromisoformat(line["at"]),
                    may_backdate=True,
                )
            except Invalid:
                continue
            self.wiring.ledger.submit(taken)
        self.wiring.seal()

    def record_history(self, seed: int, steps: int = 60) -> None:
        self.record(history(seed, contracts=3, steps=steps))

    def end(self) -> int:
        with self.pool.connection() as connection:
            return feed_end(connection, self.book)

    def runner(self, name: str, batch: int = 1000) -> FollowerRunner:
        return FollowerRunner(self.pool, self.book, ViewFollower(VIEWS[name], self.book), batch=batch)

    def catch_up(self, batch: int = 1000) -> None:
        for name in VIEWS:
            self.runner(name, batch).catch_up()

    def versions(self, name: str) -> list[Version]:
        """Every row that a view shows or has shown."""
        with self.pool.connection() as connection:
            generation = live_generation(connection, self.book, name)
            return list(rows_of(connection, self.book, generation, VIEWS[name]))

    def table(self, name: str) -> list[tuple[object, ...]]:
        """Every row of a view's table with its whole history, and what the view remembers."""
        with self.pool.connection() as connection, connection.cursor() as cursor:
            generation = live_generation(connection, self.book, name)
            rows = list(rows_of(connection, self.book, generation, VIEWS[name]))
            cursor.execute(
                "select key, since_position, memory from projections.remembered"
                " where book = %s and generation = %s and view = %s order by 1",
                (self.book, generation, name),
            )
            return sorted(rows, key=str) + cursor.fetchall()


LAST_DAY = date(2030, 12, 31)


def reports(reader: Reader, contract: str | None = None) -> Answers:
    """What the reports say, of one contract or of all; and two months, the last with all claims."""
    said = {
        name: report_rows(reader, LISTINGS[name], Filters(contract))
        for name in ("refunds", "payments", "recoveries", "timeline")
    }
    for month, every in ((date(2025, 3, 1), False), (LAST_DAY.replace(day=1), True)):
        asked = Filters(contract, month=month, every=every)
        said[f"bordereau {month}"] = report_rows(reader, LISTINGS["bordereau"], asked)
    if contract is None:
        said["guarantees"] = by_guarantee(reader, LAST_DAY)
    return said


def answers(reader: Reader, contract: str | None = None) -> Answers:
    """What the five lists and the reports say, of one contract or of all."""
    asked = Filters(contract=contract)
    return reports(reader, contract) | {
        "contracts": list_contracts(reader, asked),
        "claims": list_claims(reader, asked),
        "complaints": list_complaints(reader, asked),
        "limits": list_limits(reader, asked),
        "due": list_due(reader, asked),
    }
