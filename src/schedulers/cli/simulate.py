"""`coverledger deadlines plan` and `coverledger simulate`: what is to come."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import click

from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table, progress
from ledger.clock import present
from ledger.domain.calendar import add_months, brussels_date
from ledger.errors import UsageError
from schedulers.agenda import NAME, load_contracts, load_states
from schedulers.simulate import DayLoad, PlannedNotice, SimulatedMonth, daily_load, until_of
from schedulers.simulate import plan as planned_of
from schedulers.simulate import simulate as live

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
            planned = planned_of(load_contracts(connection, book), today, begin, end, ahead)
    days = daily_load(planned, begin, end)
    if as_json:
        print_json(_plan_json(begin, end, planned, days))
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


def _plan_json(
    first: date, last: date, planned: Sequence[PlannedNotice], days: Sequence[DayLoad]
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


def _chart(days: Sequence[DayLoad]) -> None:
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


MOST_YEARS = 30


@click.command()
@click.option("--until", type=DAY, metavar="DATE", help="Last day, at 00:00. [default: a year from now]")
@click.option(
    "--notices/--no-notices",
    default=True,
    show_default=True,
    help="Whether the notices of the run-off are posted as planned.",
)
@book_option
@json_option
@examples(
    "coverledger simulate",
    "coverledger simulate --until 2031-01-01 --no-notices",
    "coverledger simulate --json",
)
def simulate(*, until: date | None, notices: bool, book: str, as_json: bool) -> None:
    """Ask what happens next: let a virtual year go by over a copy of the book.

    The copy is in memory: nothing is recorded, in a real book neither. Time acts by the ledger's own rules;
    the notices of the run-off are posted as `coverledger deadlines plan` says; nothing else is assumed, so
    that refunds and answers that are open now show as missed.
    """
    with opened(book) as wiring:
        wiring.catch_up(NAME)
        begun_at = present(wiring.book_row(), wiring.now())
        end = until_of(begun_at, until)
        last = add_months(brussels_date(begun_at), 12 * MOST_YEARS)
        if not begun_at < end <= until_of(begun_at, last):
            message = f"--until must lie in the future, {MOST_YEARS} years away at most."
            raise UsageError(message)
        ahead = wiring.settings.letters_hand_over_days if notices else None
        with wiring.pool.connection() as connection:
            streams = load_states(connection, book)
        with progress("Simulating", len(streams)) as bar:
            lived = live(
                streams,
                begun_at,
                end,
                posts_ahead_days=ahead,
                report=bar.reach,
            )
    if as_json:
        print_json(
            {
                "from": begun_at.isoformat(),
                "until": end.isoformat(),
                "notices": notices,
                "events": lived.events,
                "running_before": lived.running_before,
                "running_after": lived.running_after,
                "months": [_month_json(month) for month in lived.months],
            }
        )
        return
    columns = ("month", "notices posted", "renewed", "expired", "cancelled", "running", "missed")
    rows = (
        (
            f"{month.first:%Y-%m}",
            month.posted,
            month.renewed,
            month.expired,
            month.cancelled,
            month.running,
            ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(month.missed.items())),
        )
        for month in lived.months
    )
    print_table(columns, rows, title=f"Book {book}, simulated")
    note(
        f"{lived.running_before:,} contracts run now, {lived.running_after:,} on {end:%Y-%m-%d};"
        f" {lived.events:,} events would be recorded. Nothing was."
    )


def _month_json(month: SimulatedMonth) -> dict[str, object]:
    return {
        "month": f"{month.first:%Y-%m}",
        "posted": month.posted,
        "renewed": month.renewed,
        "expired": month.expired,
        "cancelled": month.cancelled,
        "running": month.running,
        "missed": dict(month.missed),
    }
