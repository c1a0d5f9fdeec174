"""`coverledger deadlines digest`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json
from ledger.errors import Rejected

if TYPE_CHECKING:
    from ledger.domain.deadlines import Deadline
    from schedulers.digest.composing import Digest


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
    from schedulers.digest.composing import text  # noqa: PLC0415  # loaded when it runs
    from schedulers.digest.sending import digest_of, places, send  # noqa: PLC0415  # as above

    told: dict[str, str] = {}
    with opened(book) as wiring:
        found = digest_of(wiring)
        if sends:
            wanted = places(wiring.settings)
            if not wanted:
                message = "Nobody gets it: set COVERLEDGER_DIGEST_MAIL or COVERLEDGER_DIGEST_FOLDER."
                raise Rejected(message)
            told = send(wiring, wanted, again=True)
    if as_json:
        print_json(_written(found) | {"sent": told})
    elif sends:
        for place, said in told.items():
            note(f"{place}: {said}")
    else:
        click.echo(text(found), nl=False)
    return 1 if any(said != "sent" for said in told.values()) else 0


def _written(found: "Digest") -> dict[str, object]:
    def rows(part: "Sequence[Deadline]") -> list[dict[str, object]]:
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
