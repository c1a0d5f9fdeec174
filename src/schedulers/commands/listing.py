"""`coverledger deadlines list`."""

from datetime import date

import click

from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table


@click.command()
@click.option("--before", type=DAY, metavar="DATE", help="Only what takes effect before this date.")
@book_option
@json_option
@examples(
    "coverledger deadlines list --before 2026-04-01",
    "coverledger deadlines list --json",
)
def list_all(*, before: date | None, book: str, as_json: bool) -> None:
    """List what is diarised, the next first: which contract, claim or complaint, when, and why.

    At each instant time will owe the stream something: an end, a renewal, a missed deadline. What is due,
    with its dates and rules, stands in `coverledger due`.
    """
    from datetime import timedelta  # noqa: PLC0415  # loaded when it runs

    from ledger.domain.calendar import BRUSSELS, brussels_midnight  # noqa: PLC0415  # as above
    from schedulers.diary.follower import NAME  # noqa: PLC0415  # as above
    from schedulers.diary.queries import appointments  # noqa: PLC0415  # as above

    until = None if before is None else brussels_midnight(before) - timedelta(microseconds=1)
    with opened(book) as wiring:
        wiring.catch_up(NAME)
        with wiring.pool.connection() as connection:
            diarised = appointments(connection, book, until)
    rows = [
        {"stream": entry.stream.name, "due_at": entry.due_at.isoformat(), "kinds": list(entry.kinds)}
        for entry in diarised
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("takes effect (Brussels)", "stream", "what"),
            (
                (
                    f"{entry.due_at.astimezone(BRUSSELS):%Y-%m-%d %H:%M}",
                    entry.stream.name,
                    ", ".join(kind.replace("_", " ") for kind in entry.kinds),
                )
                for entry in diarised
            ),
            title="Diary",
        )
    else:
        note("The diary is empty: time owes nothing that was asked for.")
