"""The groups `contract`, `claim` and `complaint` with a friendly verb for every command of the domain."""

from collections.abc import Callable
from typing import Any

import click

from ledger.commands.options import CENTS, DAY, EURO, MOMENT
from ledger.commands.sending import send, sending_options
from ledger.commands.verbs_table import VERBS, Field, Verb


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
    """Give the command's fields as JSON would, nested, without those that were not given."""
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


def _group(name: str, said: str) -> click.Group:
    commands = {verb.name: _command(verb) for verb in VERBS if verb.group == name}
    return click.Group(name, commands=commands, help=said)


contract = _group("contract", "Contracts: start them, record notices and letters; show, list, history.")
claim = _group("claim", "Claims: open, identify, accept, refund; show, list, history.")
complaint = _group("complaint", "Complaints: lodge, answer, escalate; show, list, history.")
