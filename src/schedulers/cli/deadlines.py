"""`coverledger deadlines list/sweep/retention/digest`."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import click

from ledger.app import App
from ledger.attempts import failing
from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table, progress
from ledger.clock import present
from ledger.domain.calendar import BRUSSELS, brussels_midnight
from ledger.domain.deadlines import Deadline
from ledger.errors import Rejected
from schedulers.agenda import NAME, list_appointments
from schedulers.digest import Digest, compose_digest, digest_targets, render_text, send
from schedulers.retention import NAME as RETENTION
from schedulers.retention import proposals, today_of
from schedulers.sweep import WORKER
from schedulers.sweep import sweep as let_time_act


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
    until = None if before is None else brussels_midnight(before) - timedelta(microseconds=1)
    with opened(book) as wiring:
        wiring.catch_up(NAME)
        with wiring.pool.connection() as connection:
            diarised = list_appointments(connection, book, until)
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


@click.command()
@click.option(
    "--until",
    type=DAY,
    metavar="DATE",
    help="Up to 00:00 Brussels time of that day, inclusive. A simulated book's clock moves there.",
)
@book_option
@json_option
@examples(
    "coverledger deadlines sweep",
    "coverledger deadlines sweep --until 2026-03-01",
)
def sweep(*, until: date | None, book: str, as_json: bool) -> None:
    """Let time act on everything whose time has come: ends, renewals, missed deadlines.

    `up` does this by itself. No result depends on when it runs; run twice, it does nothing twice.
    """
    with opened(book) as wiring:
        instant = _settled(wiring, until)
        with progress("Sweeping", None) as bar:
            recorded = let_time_act(wiring, instant, report=bar.reach)
        with wiring.pool.connection() as connection:
            left = [one.item for one in failing(connection, book) if one.worker == WORKER]
    if as_json:
        print_json({"until": instant.isoformat(), "events": recorded})
    else:
        there = instant.astimezone(BRUSSELS)
        note(f"Time has acted up to {there:%Y-%m-%d %H:%M} in Brussels: {recorded:,} events recorded.")
    if left:
        message = (
            f"{len(left):,} streams could not be brought up to date, {left[0]} the first: "
            "coverledger parked list says why."
        )
        raise Rejected(message)


def _settled(wiring: App, until: date | None) -> datetime:
    """Settle how far time acts, and move or free the book's clock accordingly.

    Raises `Rejected` while an import is open, and for a future in a real book.
    """
    book, now = wiring.book_row(), wiring.now()
    if book.open_import is not None:
        message = (
            f"An import is open on book {wiring.book} and holds its clock: run it again to finish it,"
            " or give it up with `coverledger import --abandon`."
        )
        raise Rejected(message)
    if until is None:
        wiring.books.hold(wiring.book, None)
        return present(book, now)
    instant = brussels_midnight(until)
    if book.kind == "simulated":
        # The clock first: a sweep that is broken off after it is finished by the next one.
        wiring.books.move_clock(wiring.book, instant)
        return instant
    if instant > now:
        message = (
            f"{until} lies in the future and book {wiring.book} is real: sweep without --until, or wait."
        )
        raise Rejected(message)
    if book.held_at is not None:
        # The book stays where it is put, until somebody lives in it again.
        wiring.books.hold(wiring.book, max(book.held_at, instant))
    return instant


@click.command()
@click.option("--until", type=DAY, metavar="DATE", help="What will be over by that day. [default: today]")
@book_option
@json_option
@examples(
    "coverledger deadlines retention",
    "coverledger deadlines retention --until 2036-12-31 --json",
)
def retention(*, until: date | None, book: str, as_json: bool) -> None:
    """Propose erasures: persons whose records nothing asks for any more (R13).

    That is ten years, by the terms, after the end of each contract that holds them and after the last payment
    on its claims. Nothing is erased here: each line gives the command with which a person does it. A legal
    hold shows, and forbids it. `coverledger due --kind retention` lists contract by contract.
    """
    with opened(book) as wiring:
        wiring.catch_up(RETENTION)
        day = until or today_of(wiring)
        rows = proposals(wiring, day)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("person", "contracts", "over since", "what to type"),
            (
                (row["person"], _listed(row["contracts"]), row["over_since"], _command_or_hold(row))
                for row in rows
            ),
            title=f"Erasures proposed as of {day}",
        )
    else:
        note(f"By {day} nobody's records may go: every contract is younger than its retention, or erased.")


def _listed(contracts: object) -> str:
    return ", ".join(str(contract) for contract in contracts) if isinstance(contracts, list) else ""


def _command_or_hold(row: dict[str, object]) -> str:
    if row["command"] is not None:
        return str(row["command"])
    holds = row["holds"]
    names = ", ".join(str(hold["contract"]) for hold in holds) if isinstance(holds, list) else ""
    return f"legal hold on {names}: see `coverledger subject holds`"


@click.command()
@click.option("--send", "sends", is_flag=True, help="Send it now, to where the settings say.")
@book_option
@json_option
@examples("coverledger deadlines digest", "coverledger deadlines digest --send")
def digest(*, sends: bool, book: str, as_json: bool) -> int:
    """Print the day's digest: what was missed, what is to be done now, which letters wait.

    `up` sends it once each working day, by mail (COVERLEDGER_DIGEST_MAIL) or into a folder
    (COVERLEDGER_DIGEST_FOLDER). It names contracts, claims and complaints, and no person.
    """
    told: dict[str, str] = {}
    with opened(book) as wiring:
        found = compose_digest(wiring)
        if sends:
            wanted = digest_targets(wiring.settings)
            if not wanted:
                message = "Nobody gets it: set COVERLEDGER_DIGEST_MAIL or COVERLEDGER_DIGEST_FOLDER."
                raise Rejected(message)
            told = send(wiring, wanted, again=True)
    if as_json:
        print_json(_digest_json(found) | {"sent": told})
    elif sends:
        for place, said in told.items():
            note(f"{place}: {said}")
    else:
        click.echo(render_text(found), nl=False)
    return 1 if any(said != "sent" for said in told.values()) else 0


def _digest_json(found: Digest) -> dict[str, object]:
    def rows(part: Sequence[Deadline]) -> list[dict[str, object]]:
        return [
            {
                "subject": row.subject.subject,
                "kind": row.kind,
                "due_on": row.due_on.isoformat(),
                "new": row in found.missed_now,
            }
            for row in part
        ]

    return {
        "book": found.book,
        "day": found.day.isoformat(),
        "missed": rows(found.missed),
        "due": rows(found.due),
        "letters_waiting": [letter.reference for letter in found.letters_waiting],
        "letters_unconfirmed": [letter.reference for letter in found.letters_unconfirmed],
        "erasures": found.erasures,
        "clock_apart_seconds": found.clock_apart_seconds,
    }
