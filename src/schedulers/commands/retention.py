"""`coverledger deadlines retention`: whose erasure is proposed."""

from datetime import date

import click

from ledger.cli.options import DAY, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table


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
    from schedulers.retention.follower import NAME  # noqa: PLC0415  # loaded when it runs
    from schedulers.retention.proposing import proposals, today_of  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        wiring.catch_up(NAME)
        day = until or today_of(wiring)
        rows = proposals(wiring, day)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(
            ("person", "contracts", "over since", "what to type"),
            ((row["person"], _listed(row["contracts"]), row["over_since"], _what(row)) for row in rows),
            title=f"Erasures proposed as of {day}",
        )
    else:
        note(f"By {day} nobody's records may go: every contract is younger than its retention, or erased.")


def _listed(contracts: object) -> str:
    return ", ".join(str(contract) for contract in contracts) if isinstance(contracts, list) else ""


def _what(row: dict[str, object]) -> str:
    if row["command"] is not None:
        return str(row["command"])
    holds = row["holds"]
    names = ", ".join(str(hold["contract"]) for hold in holds) if isinstance(holds, list) else ""
    return f"legal hold on {names}: see `coverledger subject holds`"
