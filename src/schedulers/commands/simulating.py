"""`coverledger simulate`."""

from datetime import date
from typing import TYPE_CHECKING

import click

from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table
from ledger.errors import UsageError

if TYPE_CHECKING:
    from schedulers.simulating import Month

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
    from ledger.clock import present  # noqa: PLC0415  # loaded when it runs
    from ledger.domain.calendar import add_months, brussels_date  # noqa: PLC0415  # as above
    from schedulers.commands.progress import progress  # noqa: PLC0415  # as above
    from schedulers.diary.follower import NAME  # noqa: PLC0415  # as above
    from schedulers.diary.queries import states  # noqa: PLC0415  # as above
    from schedulers.simulating import simulate as live  # noqa: PLC0415  # as above
    from schedulers.simulating import until_of  # noqa: PLC0415  # as above

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
            streams = states(connection, book)
        with progress("Simulating") as report:
            lived = live(
                streams,
                begun_at,
                end,
                posts_ahead_days=ahead,
                report=lambda done: report(done, len(streams)),
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
                "months": [_written(month) for month in lived.months],
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


def _written(month: "Month") -> dict[str, object]:
    return {
        "month": f"{month.first:%Y-%m}",
        "posted": month.posted,
        "renewed": month.renewed,
        "expired": month.expired,
        "cancelled": month.cancelled,
        "running": month.running,
        "missed": dict(month.missed),
    }
