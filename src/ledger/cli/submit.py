"""Commands of the domain from the command line: `submit`, and the friendly verbs."""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import click

from ledger.cli.options import (
    CENTS,
    DAY,
    EURO,
    INSTANT,
    MOMENT,
    F,
    actor_option,
    book_option,
    json_option,
    opened,
)
from ledger.cli.output import note, print_json
from ledger.command_envelope import submission
from ledger.command_handler import Answer
from ledger.domain.refusals import Invalid
from ledger.imports.json_lines import json_object
from ledger.imports.lines import Malformed, checked_name, decoded
from ledger.verbs import VERBS, Field, Verb

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


def show(answer: Answer, *, as_json: bool, dry_run: bool = False) -> int:
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


LARGEST_BYTES = 65_536


@click.command(
    "submit",
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


def _option(field: Field) -> Callable[[Any], Any]:
    """Make the option of one field."""
    name = _parameter(field.path)
    common: dict[str, Any] = {"required": field.required, "help": field.help}
    if field.default is not None:
        common |= {"default": field.default, "show_default": True}
    if field.kind == "truth":
        return click.option(f"--{field.option}/--no-{field.option}", name, default=None, **common)
    if field.kind == "list":
        return click.option(f"--{field.option}", name, multiple=True, **common)
    if field.kind == "choice":
        return click.option(f"--{field.option}", name, type=click.Choice(field.choices), **common)
    if field.kind == "day":
        return click.option(f"--{field.option}", name, type=DAY, metavar="DATE", **common)
    if field.kind == "moment":
        return click.option(f"--{field.option}", name, type=MOMENT, metavar="INSTANT|DATE", **common)
    return click.option(f"--{field.option}", name, metavar=field.option.upper(), **common)


def _amount_options(field: Field) -> list[Callable[[Any], Any]]:
    """Make two options of an amount: `--loss 3000.00` in euro and `--loss-cents 300000`."""
    name = _parameter(field.path)
    in_euro = click.option(f"--{field.option}", f"{name}_euro", type=EURO, metavar="AMOUNT", help=field.help)
    in_cents = click.option(
        f"--{field.option}-cents", name, type=CENTS, metavar="CENTS", help="The same in whole cents."
    )
    return [in_euro, in_cents]


def _parameter(path: str) -> str:
    return "field_" + path.replace(".", "__")


def _fields(verb: Verb, given: dict[str, Any]) -> dict[str, object]:
    """Return the command's fields as JSON would, nested, without those that were not given."""
    fields: dict[str, object] = {}
    for field in verb.fields:
        name = _parameter(field.path)
        value = given.get(name)
        if field.kind == "amount":
            value = _one_amount(field, value, given.get(f"{name}_euro"))
        elif field.kind == "list":
            value = list(value) if value else None
        elif field.kind == "day" and value is not None:
            value = value.isoformat()
        if value is None:
            continue
        *path, last = field.path.split(".")
        inner = fields
        for part in path:
            inner = inner.setdefault(part, {})  # type: ignore[assignment]  # only objects stand on a path
        inner[last] = value
    return fields


def _one_amount(field: Field, in_cents: int | None, in_euro: int | None) -> int | None:
    """Take an amount that was given in euro or in cents, but not in both."""
    if in_cents is not None and in_euro is not None:
        message = f"Give --{field.option} or --{field.option}-cents, not both."
        raise click.UsageError(message)
    amount = in_cents if in_cents is not None else in_euro
    if amount is None and field.required:
        message = f"Missing option '--{field.option}' (euro) or '--{field.option}-cents'."
        raise click.UsageError(message)
    return amount


def _command(verb: Verb) -> click.Command:
    """Make the click command of one verb."""

    def run(number: str, **given: Any) -> int:  # noqa: ANN401  # click gives what the options hold
        fields = {verb.group: number, **_fields(verb, given)}
        envelope = {name: value for name, value in given.items() if not name.startswith("field_")}
        return send(verb.command, fields, **envelope)

    decorated: Any = run
    for field in reversed(verb.fields):
        for option in reversed(_amount_options(field) if field.kind == "amount" else [_option(field)]):
            decorated = option(decorated)
    decorated = sending_options(decorated)
    decorated = click.argument("number", metavar=verb.group.upper())(decorated)
    said = f"{verb.help}\n\n\b\nExample:\n  {verb.example}"
    return click.command(verb.name, help=said, short_help=verb.help)(decorated)


def domain_verbs(group: str) -> Mapping[str, click.Command]:
    """Return the verbs of a group, one for each command of the domain."""
    return {verb.name: _command(verb) for verb in VERBS if verb.group == group}
