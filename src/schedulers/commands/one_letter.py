"""`coverledger letters answer/open`: one letter, by its reference."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.options import access, book_option, examples, opened, reason_option
from ledger.cli.output import note
from ledger.errors import Rejected, UsageError

if TYPE_CHECKING:
    from ledger.app import App
    from schedulers.letters.queries import Letter


@click.command()
@click.argument("reference", metavar="LETTER")
@click.option(
    "--text",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What the answer says: plain text, an empty line between paragraphs.",
)
@click.option("--no-text", is_flag=True, help="Only confirm that the answer given is the answer.")
@book_option
@examples(
    "coverledger letters answer L-ABCDEFGH23456789 --text answer.txt",
    "coverledger letters answer L-ABCDEFGH23456789 --no-text",
)
def answer(reference: str, *, path: Path | None, no_text: bool, book: str) -> None:
    """Write the letter that answers a complaint, with what you say in it.

    The ledger knows that a complaint was answered, and not what was said: so the letter waits for its text.
    The text stands in the letter and nowhere else.
    """
    from ledger.clock import present  # noqa: PLC0415  # loaded when it runs
    from ledger.domain.calendar import brussels_date  # noqa: PLC0415  # as above
    from ledger.domain.identifiers import LONGEST_TEXT  # noqa: PLC0415  # as above
    from schedulers.letters.follower import NAME  # noqa: PLC0415  # as above
    from schedulers.letters.outfit import shelf_of  # noqa: PLC0415  # as above
    from schedulers.letters.rendering import Press  # noqa: PLC0415  # as above
    from schedulers.letters.writing import tell_prepared, write_answer  # noqa: PLC0415  # as above

    if (path is None) != no_text:
        message = "Give the answer's --text FILE, or --no-text."
        raise UsageError(message)
    try:
        text = None if path is None else path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error})."
        raise UsageError(message) from error
    if text is not None and not 0 < len(text) <= LONGEST_TEXT:
        message = f"{path} holds {len(text):,} characters: an answer has 1 to {LONGEST_TEXT:,}."
        raise UsageError(message)
    with opened(book) as wiring:
        press = Press(wiring.settings.letters_fonts)
        wiring.catch_up(NAME)
        today = brussels_date(present(wiring.book_row(), wiring.now()))
        write_answer(wiring, press, shelf_of(wiring), today, reference=reference, text=text)
        tell_prepared(wiring, reference)
        wiring.seal()
    note(f"Prepared {reference}: look at it with `coverledger letters open {reference} --reason …`.")


@click.command("open")
@click.argument("reference", metavar="LETTER")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the PDF goes. [default: LETTER.pdf]",
)
@reason_option
@book_option
@examples("coverledger letters open L-ABCDEFGH23456789 --reason 'question of the policyholder'")
def open_one(reference: str, *, output: Path | None, reason: str, actor: str, book: str) -> None:
    """Open a letter that was written, as a PDF. Whoever opens it stands in the access log."""
    from ledger.privacy.access import Opened, keys_to_open  # noqa: PLC0415  # loaded when it runs
    from schedulers.letters.outfit import shelf_of  # noqa: PLC0415  # as above

    by = access(actor, "letters open", reason)
    with opened(book) as wiring:
        letter = found(wiring, book, reference)
        if letter.sha256 is None:
            message = f"Letter {reference} is {letter.status} and not written yet."
            raise Rejected(message)
        opened_by = [Opened(letter.person, letter.about.name)]
        keys = keys_to_open(wiring.pool, wiring.store.subject_keys, book, by, opened_by)
        if letter.person not in keys:
            message = f"Letter {reference} went with its addressee, who was erased; its SHA-256 is left."
            raise Rejected(message)
        pdf = shelf_of(wiring).take(letter.sha256, keys[letter.person])
    output = output or Path(f"{reference}.pdf")
    try:
        output.write_bytes(pdf)
    except OSError as error:
        message = f"{output} cannot be written ({error.strerror})."
        raise Rejected(message) from error
    note(f"Written to {output}.")


def found(wiring: "App", book: str, reference: str) -> "Letter":
    """Find one letter by its reference. Raises Rejected."""
    from schedulers.letters.queries import letters  # noqa: PLC0415  # loaded when it runs

    with wiring.pool.connection() as connection:
        rows = letters(connection, book, references=[reference])
    if not rows:
        message = f"There is no letter {reference!r} in book {book}: see `coverledger letters list`."
        raise Rejected(message)
    return rows[0]
