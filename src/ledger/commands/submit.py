"""`coverledger submit`: one command of the domain by its name, its fields as JSON."""

import sys
from datetime import datetime

import click

from ledger.commands.sending import send, sending_options, show

LARGEST_BYTES = 65_536


@click.command(
    "submit",
    short_help="Send one command by its name, its fields as JSON.",
    help=(
        "Send one COMMAND with its fields as a JSON object; `-` reads it from stdin.\n\n"
        "Amounts are whole cents, dates ISO, instants carry their offset.\n\n"
        "\b\nExamples:\n"
        '  coverledger submit AcceptClaim \'{"claim": "K-1", "loss_cents": 300000}\' --id accept-K-1\n'
        "  coverledger submit OpenClaim - < claim.json"
    ),
)
@click.argument("name", metavar="COMMAND")
@click.argument("fields", metavar="JSON")
@sending_options
def submit(  # noqa: PLR0913  # one option each
    name: str,
    fields: str,
    *,
    book: str,
    as_json: bool,
    dry_run: bool,
    actor: str,
    at: datetime | None,
    command_id: str | None,
) -> int:
    """Send one command."""
    from uuid import uuid4  # noqa: PLC0415  # loaded only by a command that needs it

    from ledger.answers import Answer  # noqa: PLC0415  # as above
    from ledger.importing.json_lines import json_object  # noqa: PLC0415  # as above
    from ledger.importing.lines import Malformed, decoded  # noqa: PLC0415  # as above

    try:
        raw = (
            sys.stdin.buffer.read(LARGEST_BYTES + 1)
            if fields == "-"
            else fields.encode("utf-8", "surrogateescape")
        )
        read = json_object(decoded(raw if len(raw) <= LARGEST_BYTES else None, 1))
    except Malformed as malformed:
        message = f"{name}: the JSON {malformed}"
        return show(Answer(command_id or str(uuid4()), "invalid", message=message), as_json=as_json)
    return send(
        name, read, book=book, as_json=as_json, dry_run=dry_run, actor=actor, at=at, command_id=command_id
    )
