"""`coverledger letters confirm`: what the carrier says of the letters it was given."""

from datetime import date
from pathlib import Path

import click

from ledger.cli.options import DAY, actor_option, book_option, examples, json_option, opened
from ledger.cli.output import note, print_json_line
from ledger.errors import UsageError


@click.command()
@click.argument("reference", metavar="[LETTER]", required=False)
@click.option("--posted-on", type=DAY, metavar="DATE", help="The day on which it was posted.")
@click.option("--tracking", metavar="NUMBER", help="The post's number of a registered letter.")
@click.option("--returned-on", type=DAY, metavar="DATE", help="The day on which it came back.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The carrier's CSV: reference, posted_on, tracking, returned_on.",
)
@actor_option
@book_option
@json_option
@examples(
    "coverledger letters confirm L-ABCDEFGH23456789 --posted-on 2026-06-12 --tracking RR123456785BE",
    "coverledger letters confirm L-ABCDEFGH23456789 --returned-on 2026-06-20",
    "coverledger letters confirm --file confirmations-2026-06-12.csv",
)
def confirm(  # noqa: PLR0913  # one parameter an option
    *,
    reference: str | None,
    posted_on: date | None,
    tracking: str | None,
    returned_on: date | None,
    path: Path | None,
    actor: str,
    book: str,
    as_json: bool,
) -> int:
    """Confirm that a letter was posted, or that it came back.

    Of a termination notice that is the command SendTerminationNotice, or RecordLetterReturned: the day of
    posting decides whether it was timely (R6). Confirmed again, nothing happens twice.
    """
    from schedulers.commands.one_letter import found  # noqa: PLC0415  # loaded when it runs
    from schedulers.letters.confirmations import Confirmation, read_confirmations  # noqa: PLC0415  # as above
    from schedulers.letters.confirmations import confirm as send  # noqa: PLC0415  # as above
    from schedulers.letters.follower import NAME  # noqa: PLC0415  # as above

    if (reference is None) == (path is None):
        message = "Name one letter, or give a --file."
        raise UsageError(message)
    if reference is None and path is not None:
        told = read_confirmations(path)
    elif posted_on is None and returned_on is None:
        message = "Say what the post says: --posted-on DATE, or --returned-on DATE."
        raise UsageError(message)
    else:
        told = [Confirmation(reference or "", posted_on, tracking, returned_on)]
    refused = 0
    with opened(book) as wiring:
        known = [(found(wiring, book, one.reference), one) for one in told]
        for letter, one in known:
            answers = send(wiring, letter, one, actor)
            refused += sum(answer.said_no for answer in answers)
            for answer in answers:
                if as_json:
                    print_json_line({"letter": letter.reference} | answer.as_json())
                else:
                    said = answer.message or ", ".join(event.type for event in answer.events)
                    note(f"{letter.reference} {letter.contract}: {answer.status}: {said}")
            if not answers and not as_json:
                note(f"{letter.reference}: noted.")
        wiring.catch_up(NAME)
    return 1 if refused else 0
