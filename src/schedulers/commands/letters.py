"""`coverledger letters list/prepare/hand-over`."""

import click

from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json, print_table
from ledger.errors import Rejected
from schedulers.letters.statuses import STATUSES

AHEAD = click.IntRange(0, 365)


@click.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only letters with this status.")
@click.option("--contract", metavar="CONTRACT", help="Only this contract's.")
@book_option
@json_option
@examples(
    "coverledger letters list --status handed_over",
    "coverledger letters list --contract CC-1 --json",
)
def list_all(*, status: str | None, contract: str | None, book: str, as_json: bool) -> None:
    """List the letters: what each is about, how far it has come, and why it waits if it does.

    wanted, written and prepared: it is ours still; staged: on its way to the carrier; handed over: the
    carrier has it, and has not confirmed the posting yet; posted, returned; dropped: no longer of use.
    """
    from schedulers.letters.follower import NAME  # noqa: PLC0415  # loaded when it runs
    from schedulers.letters.queries import letters  # noqa: PLC0415  # as above
    from schedulers.letters.telling import written  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        wiring.catch_up(NAME)
        with wiring.pool.connection() as connection:
            rows = [
                letter
                for letter in letters(connection, book, contract=contract)
                if status is None or letter.status == status
            ]
    if as_json:
        print_json([written(letter) for letter in rows])
    elif rows:
        columns = ("letter", "what", "about", "status", "post by", "posted", "remark")
        print_table(
            columns,
            (
                (
                    letter.reference,
                    letter.kind.replace("_", " "),
                    letter.about.name,
                    letter.status.replace("_", " "),
                    letter.last_posting_day,
                    letter.posted_on,
                    letter.told,
                )
                for letter in rows
            ),
            title="Letters",
        )
    else:
        note("There is no letter that matches.")


@click.command()
@click.option(
    "--ahead",
    "ahead_days",
    type=AHEAD,
    metavar="DAYS",
    help="Write the notices that are due within so many days. [default: as set]",
)
@book_option
@json_option
@examples("coverledger letters prepare", "coverledger letters prepare --ahead 60")
def prepare(*, ahead_days: int | None, book: str, as_json: bool) -> None:
    """Write the letters that are wanted: PDF/A in the contract's language, sealed beside the ledger.

    `up` does this by itself. What waited or failed is tried again. Nothing is given to anybody yet.
    """
    from schedulers.commands.progress import progress  # noqa: PLC0415  # loaded when it runs
    from schedulers.letters.keeping import prepare as write  # noqa: PLC0415  # as above
    from schedulers.letters.queries import free, letters  # noqa: PLC0415  # as above
    from schedulers.letters.rendering import Press  # noqa: PLC0415  # as above
    from schedulers.letters.telling import written  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        press = Press(wiring.settings.letters_fonts)
        with wiring.pool.connection() as connection:
            free(connection, book)
        with progress("Writing letters") as report:
            prepared = write(wiring, press, ahead_days=ahead_days, report=report)
        with wiring.pool.connection() as connection:
            known = letters(connection, book)
        waiting = [letter for letter in known if letter.status == "wanted" and letter.told]
    if as_json:
        print_json({"prepared": prepared, "waiting": [written(letter) for letter in waiting]})
        return
    note(f"Prepared {_counted(prepared)}.")
    if waiting:
        waits = "waits" if len(waiting) == 1 else "wait"
        note(f"{_counted(len(waiting))} {waits}: see `coverledger letters list --status wanted`.")


@click.command("hand-over")
@click.option(
    "--ahead",
    "ahead_days",
    type=AHEAD,
    metavar="DAYS",
    help="Hand over the notices that are due within so many days. [default: as set]",
)
@book_option
@json_option
@examples("coverledger letters hand-over", "coverledger letters hand-over --ahead 60 --json")
def hand_over(*, ahead_days: int | None, book: str, as_json: bool) -> None:
    """Give the letters that are prepared to the carrier: a print house's folder unless another one is set.

    `up` does this by itself. Each letter goes once, also when the program dies in between. A simulated book's
    letters go to nobody.
    """
    from schedulers.letters.keeping import hand  # noqa: PLC0415  # loaded when it runs
    from schedulers.letters.outfit import carrier_of  # noqa: PLC0415  # as above
    from schedulers.letters.queries import try_again  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        if wiring.book_row().kind == "simulated":
            message = f"Book {book} is simulated, and its letters go to nobody: open one with `letters open`."
            raise Rejected(message)
        if carrier_of(wiring) is None:
            message = "No carrier takes letters here: set COVERLEDGER_LETTERS_CARRIER to a folder or a URL."
            raise Rejected(message)
        with wiring.pool.connection() as connection:
            try_again(connection, book)
        handed = hand(wiring, ahead_days=ahead_days)
        wiring.seal()
    if as_json:
        print_json({"handed_over": handed})
    else:
        note(f"Handed over {_counted(handed)}.")


def _counted(letters: int) -> str:
    return "1 letter" if letters == 1 else f"{letters:,} letters"
