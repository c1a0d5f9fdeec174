"""`claims-ledger deadlines retention`: whose erasure is proposed."""

import shlex
from datetime import date
from typing import TYPE_CHECKING

import click

from ledger.commands.options import DAY, book_option, examples, json_option, opened
from ledger.commands.output import note, print_json, print_table

if TYPE_CHECKING:
    from ledger.subjects.holds import Hold
    from schedulers.retention.queries import Over


@click.command()
@click.option("--until", type=DAY, metavar="DATE", help="What will be over by that day. [default: today]")
@book_option
@json_option
@examples(
    "claims-ledger deadlines retention",
    "claims-ledger deadlines retention --until 2036-12-31 --json",
)
def retention(*, until: date | None, book: str, as_json: bool) -> None:
    """Propose erasures: persons whose records nothing asks for any more (R13).

    That is ten years, by the terms, after the end of each contract that holds them and after the last payment
    on its claims. Nothing is erased here: each line gives the command with which a person does it. A legal
    hold shows, and forbids it. `claims-ledger due --kind retention` lists contract by contract.
    """
    from ledger.clock import present  # noqa: PLC0415  # loaded when it runs
    from ledger.domain.calendar import brussels_date  # noqa: PLC0415  # as above
    from ledger.subjects.holds import standing_holds  # noqa: PLC0415  # as above
    from schedulers.retention.follower import NAME  # noqa: PLC0415  # as above
    from schedulers.retention.queries import over  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        wiring.catch_up(NAME)
        day = until or brussels_date(present(wiring.book_row(), wiring.now()))
        with wiring.pool.connection() as connection:
            found = over(connection, book, day)
            contracts = {contract for one in found for contract in one.contracts}
            holds = {hold.contract: hold for hold in standing_holds(connection, book, contracts)}
    rows = [_proposal(one, holds, book) for one in found]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("person", "contracts", "over since", "what to type"),
            (
                (row["person"], ", ".join(one.contracts), one.since, _what(row))
                for row, one in zip(rows, found, strict=True)
            ),
            title=f"Erasures proposed as of {day}",
        )
    else:
        note(f"By {day} nobody's records may go: every contract is younger than its retention, or erased.")


def _proposal(one: "Over", holds: dict[str, "Hold"], book: str) -> dict[str, object]:
    held = [holds[contract] for contract in one.contracts if contract in holds]
    reason = f"retention over since {one.since}"
    in_book = "" if book == "cyber-care" else f" --book {shlex.quote(book)}"
    command = f"claims-ledger subject erase {shlex.quote(one.person)} --reason {shlex.quote(reason)}{in_book}"
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


def _what(row: dict[str, object]) -> str:
    if row["command"] is not None:
        return str(row["command"])
    holds = row["holds"]
    names = ", ".join(str(hold["contract"]) for hold in holds) if isinstance(holds, list) else ""
    return f"legal hold on {names}: see `claims-ledger subject holds`"
