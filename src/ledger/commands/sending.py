"""Sending one command from the command line, and printing what the ledger answers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger.commands.options import INSTANT, actor_option, book_option, json_option, opened
from ledger.commands.output import note, print_json

if TYPE_CHECKING:
    from ledger.answers import Answer

F = TypeVar("F", bound=Callable[..., Any])

EXIT_CODES = {"recorded": 0, "refused": 1, "invalid": 2}


def sending_options(command: F) -> F:
    """Add what every command may carry: its id, its instant, who sends it, and whether it is only tried."""
    for option in (
        json_option,
        book_option,
        click.option("--dry-run", is_flag=True, help="Decide it, record nothing."),
        actor_option,
        click.option(
            "--at", type=INSTANT, metavar="INSTANT", help="When it happened; the present unless given."
        ),
        click.option(
            "--id",
            "command_id",
            metavar="ID",
            help="Command id: sent twice under one id, a command has one effect. [default: a new one]",
        ),
    ):
        command = option(command)
    return command


def send(  # noqa: PLR0913  # one option each
    name: str,
    fields: Mapping[str, object],
    *,
    book: str,
    as_json: bool,
    dry_run: bool,
    actor: str,
    at: datetime | None,
    command_id: str | None,
) -> int:
    """Send one command and print the answer; gives the exit code."""
    from uuid import uuid4  # noqa: PLC0415  # loaded only by a command that needs it

    from ledger.answers import Answer  # noqa: PLC0415  # as above
    from ledger.domain.refusals import Invalid  # noqa: PLC0415  # as above
    from ledger.importing.envelope import checked_name  # noqa: PLC0415  # as above
    from ledger.importing.lines import Malformed  # noqa: PLC0415  # as above
    from ledger.submission import submission  # noqa: PLC0415  # as above

    command_id = command_id if command_id is not None else str(uuid4())
    try:
        sent = submission(
            checked_name("--id", command_id),
            name,
            fields,
            at=at,
            actor=checked_name("--actor", actor),
            may_backdate=True,
        )
    except (Invalid, Malformed) as error:
        return show(Answer(command_id, "invalid", message=str(error)), as_json=as_json)
    with opened(book) as wiring:
        answer = wiring.ledger.dry_run(sent) if dry_run else wiring.ledger.submit(sent)
        # Told before it is sealed: whatever becomes of that, the answer stands.
        exit_code = show(answer, as_json=as_json, dry_run=dry_run)
        if not dry_run:
            wiring.seal()
    return exit_code


def show(answer: "Answer", *, as_json: bool, dry_run: bool = False) -> int:
    """Print an answer, as JSON on stdout or in words; gives the exit code."""
    status = answer.first_status or answer.status
    if as_json:
        print_json(answer.as_json() | ({"dry_run": True} if dry_run else {}))
    elif status == "recorded":
        said = {"repeated": "Recorded before"}.get(
            answer.status, "Would be recorded" if dry_run else "Recorded"
        )
        click.echo(f"{said} as {answer.command_id}:")
        for event in answer.events:
            click.echo(f"  {event.type}  {event.stream}  version {event.version}")
    else:
        again = " (as the first time)" if answer.status == "repeated" else ""
        code = f" {answer.code}" + (f" ({answer.rule})" if answer.rule else "") if answer.code else ""
        note(f"{status.capitalize()}{again}{code}: {answer.message}")
    return EXIT_CODES[status]
