"""`coverledger subject hold/lift-hold/holds`: what a court needs is not erased."""

from typing import TYPE_CHECKING

import click

from ledger.commands.options import book_option, examples, json_option, opened
from ledger.commands.output import note, print_json, print_table
from ledger.commands.subject_options import access, instant, reason_option

if TYPE_CHECKING:
    from ledger.subjects.holds import Hold


@click.command()
@click.argument("contract", metavar="CONTRACT")
@reason_option
@book_option
@json_option
@examples("coverledger subject hold CC-1 --reason 'lawsuit 2026/114'")
def hold(contract: str, *, reason: str, actor: str, book: str, as_json: bool) -> None:
    """Hold CONTRACT: nobody whose data it, its claims or its complaints hold is erased until it is lifted."""
    from ledger.subjects.holds import Holds  # noqa: PLC0415  # loaded when it runs

    by = access(actor, "subject hold", reason)
    with opened(book) as wiring:
        placed = Holds(wiring.pool, book).place(contract, by)
    if as_json:
        print_json(_written(placed))
    else:
        click.echo(f"Contract {contract} is held since {placed.placed_at:%Y-%m-%d} by {placed.placed_by}.")


@click.command()
@click.argument("contract", metavar="CONTRACT")
@reason_option
@book_option
@json_option
@examples("coverledger subject lift-hold CC-1 --reason 'judgment is final'")
def lift(contract: str, *, reason: str, actor: str, book: str, as_json: bool) -> None:
    """Lift the legal hold on CONTRACT: its persons may be erased again."""
    from ledger.subjects.holds import Holds  # noqa: PLC0415  # loaded when it runs

    by = access(actor, "subject lift-hold", reason)
    with opened(book) as wiring:
        lifted = Holds(wiring.pool, book).lift(contract, by)
    if as_json:
        print_json(_written(lifted))
    else:
        click.echo(f"The hold on contract {contract} is lifted.")


@click.command()
@click.option("--lifted", is_flag=True, help="Also holds that are over.")
@book_option
@json_option
@examples("coverledger subject holds", "coverledger subject holds --lifted --json")
def list_all(*, lifted: bool, book: str, as_json: bool) -> None:
    """List the legal holds."""
    from ledger.subjects.holds import Holds  # noqa: PLC0415  # loaded when it runs

    with opened(book) as wiring:
        found = Holds(wiring.pool, book).all(lifted=lifted)
    if as_json:
        print_json([_written(one) for one in found])
    elif found:
        columns = (
            "contract",
            "placed_at",
            "placed_by",
            "because",
            "lifted_at",
            "lifted_by",
            "lifted_because",
        )
        print_table(columns, [[_written(one)[column] for column in columns] for one in found])
    else:
        note("No contract is held.")


def _written(placed: "Hold") -> dict[str, object]:
    return {
        "contract": placed.contract,
        "number": placed.number,
        "placed_at": instant(placed.placed_at),
        "placed_by": placed.placed_by,
        "because": placed.because,
        "lifted_at": instant(placed.lifted_at),
        "lifted_by": placed.lifted_by,
        "lifted_because": placed.lifted_because,
    }
