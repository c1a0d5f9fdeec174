"""`coverledger deadlines plan`: the run-off foretold, as a table, a chart, or JSON."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table
from ledger.errors import UsageError

if TYPE_CHECKING:
    from schedulers.planning import DayLoad, PlannedNotice

MOST_DAYS = 3660
WEEKS_FROM_DAYS = 62
"""A chart of more days than this has a bar a week."""
BAR = 50
"""Characters of the longest bar."""


@click.command()
@click.option("--from", "first", type=DAY, metavar="DATE", help="First day. [default: today]")
@click.option("--to", "last", type=DAY, metavar="DATE", help="Last day. [default: a year later]")
@click.option("--notices", is_flag=True, help="List each notice, not only the load of each day.")
@book_option
@json_option
@examples(
    "coverledger deadlines plan",
    "coverledger deadlines plan --from 2026-07-01 --to 2026-09-30 --notices",
    "coverledger deadlines plan --json",
)
def plan(*, first: date | None, last: date | None, notices: bool, book: str, as_json: bool) -> None:
    """Foretell the run-off: which termination notices will be posted when, and how many a day.

    Each running contract of a product that is sold no longer gets one, on the working day on which it goes to
    the carrier (COVERLEDGER_LETTERS_HAND_OVER_DAYS before its deadline); one that missed its day gets it in
    its next term. As known now: a policyholder's notice or a new contract changes it.
    """
    from ledger.clock import present  # noqa: PLC0415  # loaded when it runs
    from ledger.domain.calendar import brussels_date  # noqa: PLC0415  # as above
    from schedulers.diary.follower import NAME  # noqa: PLC0415  # as above
    from schedulers.diary.queries import contracts  # noqa: PLC0415  # as above
    from schedulers.planning import load  # noqa: PLC0415  # as above
    from schedulers.planning import plan as planned_of  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        wiring.catch_up(NAME)
        today = brussels_date(present(wiring.book_row(), wiring.now()))
        begin = first or today
        end = last or begin + timedelta(days=365)
        if not begin <= end <= begin + timedelta(days=MOST_DAYS):
            message = f"--to must lie on or after --from, and ten years later at most: {begin} to {end}."
            raise UsageError(message)
        ahead = wiring.settings.letters_hand_over_days
        with wiring.pool.connection() as connection:
            planned = planned_of(contracts(connection, book), today, begin, end, ahead)
    days = load(planned, begin, end)
    if as_json:
        print_json(_written(begin, end, planned, days))
        return
    if not planned:
        note(f"No notice is to be posted from {begin} to {end}.")
        return
    if notices:
        columns = ("post on", "contract", "post by", "ends", "term")
        rows = ((n.post_on, n.contract, n.post_by, n.ends_on, n.term) for n in planned)
        print_table(columns, rows, title=f"Notices to be posted from {begin} to {end}")
    else:
        _chart(days)
    busiest = max(days, key=lambda day: day.notices)
    note(
        f"{len(planned):,} notices on {sum(1 for day in days if day.notices):,} working days;"
        f" the busiest is {busiest.day} with {busiest.notices:,}."
    )


def _written(
    first: date, last: date, planned: "Sequence[PlannedNotice]", days: "Sequence[DayLoad]"
) -> dict[str, object]:
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "notices": [
            {
                "contract": notice.contract,
                "post_on": notice.post_on.isoformat(),
                "post_by": notice.post_by.isoformat(),
                "ends_on": notice.ends_on.isoformat(),
                "term": notice.term,
            }
            for notice in planned
        ],
        "load": [{"day": day.day.isoformat(), "notices": day.notices} for day in days],
    }


def _chart(days: "Sequence[DayLoad]") -> None:
    """Print a bar a day, or a week where there are many days; idle ones at either end are left out."""
    by_week = len(days) > WEEKS_FROM_DAYS
    counted: Counter[date] = Counter()
    for day in days:
        start = day.day - timedelta(days=day.day.weekday()) if by_week else day.day
        counted[start] += day.notices
    busy = [start for start, notices in counted.items() if notices]
    shown = [(start, notices) for start, notices in counted.items() if min(busy) <= start <= max(busy)]
    most = max(notices for _, notices in shown)
    bars = (
        (f"{start}" if by_week else f"{start:%Y-%m-%d %a}", notices, _bar(notices, most))
        for start, notices in shown
    )
    print_table(("week of" if by_week else "day", "notices", ""), bars, title="To be posted")


def _bar(notices: int, most: int) -> str:
    return "█" * max(int(notices > 0), round(BAR * notices / most))
