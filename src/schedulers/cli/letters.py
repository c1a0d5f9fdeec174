"""`coverledger letters list/prepare/hand-over/answer/open/confirm`."""

from datetime import date
from pathlib import Path

import click

from ledger.app import App
from ledger.cli.options import (
    DAY,
    access,
    actor_option,
    book_option,
    examples,
    json_option,
    opened,
    reason_option,
)
from ledger.cli.output import note, print_json, print_json_line, print_table, progress
from ledger.clock import present
from ledger.domain.calendar import brussels_date
from ledger.domain.identifiers import LONGEST_TEXT
from ledger.errors import Rejected, UsageError
from ledger.privacy.access import Opened, keys_to_open
from schedulers.letters.config import carrier_of, store_of
from schedulers.letters.handover import Confirmation, read_confirmations
from schedulers.letters.handover import confirm as send
from schedulers.letters.kinds import STATUSES
from schedulers.letters.pdf import Press
from schedulers.letters.queries import NAME, Letter, free, letter_json, letters, try_again
from schedulers.letters.worker import hand
from schedulers.letters.worker import prepare as write
from schedulers.letters.writer import record_prepared, write_answer

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
    with opened(book) as wiring:
        wiring.catch_up(NAME)
        with wiring.pool.connection() as connection:
            rows = [
                letter
                for letter in letters(connection, book, contract=contract)
                if status is None or letter.status == status
            ]
    if as_json:
        print_json([letter_json(letter) for letter in rows])
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
    with opened(book) as wiring:
        press = Press(wiring.settings.letters_fonts)
        with wiring.pool.connection() as connection:
            free(connection, book)
        with progress("Writing letters", None) as bar:
            prepared = write(wiring, press, ahead_days=ahead_days, report=bar.reach)
        with wiring.pool.connection() as connection:
            known = letters(connection, book)
        waiting = [letter for letter in known if letter.status == "wanted" and letter.told]
    if as_json:
        print_json({"prepared": prepared, "waiting": [letter_json(letter) for letter in waiting]})
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
        write_answer(wiring, press, store_of(wiring), today, reference=reference, text=text)
        record_prepared(wiring, reference)
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
        pdf = store_of(wiring).take(letter.sha256, keys[letter.person])
    output = output or Path(f"{reference}.pdf")
    try:
        output.write_bytes(pdf)
    except OSError as error:
        message = f"{output} cannot be written ({error.strerror})."
        raise Rejected(message) from error
    note(f"Written to {output}.")


def found(wiring: App, book: str, reference: str) -> Letter:
    """Find one letter by its reference. Raises Rejected."""
    with wiring.pool.connection() as connection:
        rows = letters(connection, book, references=[reference])
    if not rows:
        message = f"There is no letter {reference!r} in book {book}: see `coverledger letters list`."
        raise Rejected(message)
    return rows[0]


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
