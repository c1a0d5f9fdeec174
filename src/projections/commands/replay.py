"""`coverledger replay`."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, cast

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import console, print_json
from projections.commands.history import BELONGING, stream
from projections.commands.options import names_options, time_options
from projections.commands.reading import reading
from projections.commands.tables import as_json as plain_json
from projections.commands.tables import euros, in_brussels

if TYPE_CHECKING:
    from ledger.privacy.access import Access

UNSHOWN = "-"
CENTS = "_cents"


@click.command()
@click.argument("number", metavar="NUMBER")
@click.option("--claim", "kind", flag_value="claim", help="NUMBER is a claim's.")
@click.option("--complaint", "kind", flag_value="complaint", help="NUMBER is a complaint's.")
@click.option(
    "--contract", "kind", flag_value="contract", default="contract", help="NUMBER is a contract's (default)."
)
@click.option("--own", is_flag=True, help="A contract's events only, without its claims' and complaints'.")
@time_options
@names_options("replay")
@book_option
@json_option
@examples(
    "coverledger replay CC-1",
    "coverledger replay CC-1 --names --reason 'complaint of 2026-03-01' --json",
    "coverledger replay CC-1 --own --as-of 4711",
    "coverledger replay CL-1 --claim --json",
)
def replay(  # noqa: PLR0913  # one parameter an option
    *,
    number: str,
    kind: str,
    on: date | None,
    as_of: str | None,
    access: "Access | None",
    book: str,
    own: bool,
    as_json: bool,
) -> None:
    """Tell a history event by event: when, by whom, by which command, and what it changed.

    A contract's history holds its own events and those of its claims and complaints, merged in the order
    of the feed; with --own only its own, which include what its claims did to its limits.
    """
    from projections.replay.telling import replay as told  # noqa: PLC0415  # loaded when it runs

    with reading(book, BELONGING, as_of=as_of, on=on, access=access) as reader:
        events = told(reader, stream(kind, number), own=own)
    if as_json:
        print_json(plain_json(events))
        return
    for event in events:
        _tell(event)


def _tell(event: Mapping[str, object]) -> None:
    """Print one event: a head line, its times, and one line for each change."""
    from rich.text import Text  # noqa: PLC0415  # 0.1 s that JSON output need not pay

    out = console()
    head = Text.assemble(
        (f"{event['position']:>6}  ", "dim"),
        (str(event["type"]), "bold"),
        (f"  {event['stream']} v{event['version']}", "cyan"),
    )
    out.print(head)
    at, recorded_at = in_brussels(event["at"]), in_brussels(event["recorded_at"])
    said = f"effective {event['effective_on']} · at {at} · recorded {recorded_at}"
    out.print(Text(f"        {said} · {event['actor']} · {event['command_id']}", style="dim"))
    for path, value in cast("Mapping[str, str]", event.get("personal", {})).items():
        out.print(Text.assemble(f"        {path}  ", (value, "magenta")))
    for path, (recorded, understood) in _upcast(event).items():
        out.print(
            Text.assemble(f"        {path}  recorded as ", (recorded, "yellow"), ", read as ", understood)
        )
    shown = cast("Mapping[str, Sequence[object]]", event["changes"])
    for path, (before, after) in shown.items():
        # That a figure begins at nothing need not be read; --json says it.
        if before is not None or after:
            was, becomes = (_value(path, value) for value in (before, after))
            named = path.removesuffix(CENTS)
            out.print(Text.assemble(f"        {named}  ", (was, "red"), " → ", (becomes, "green")))


def _upcast(event: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Give what an older schema recorded otherwise than it is read today, path by path."""
    from projections.replay.changes import Json, changes  # noqa: PLC0415  # loaded when it runs

    if "original" not in event:
        return {}
    original, payload = cast("Json", event["original"]), cast("Json", event["payload"])
    return {
        path: (_value(path, was), _value(path, understood))
        for path, (was, understood) in changes(original, payload).items()
    }


def _value(path: str, value: object) -> str:
    """Write one value of the state; cents as an amount, `5,000.00 EUR`."""
    shown = euros(value) if path.endswith(CENTS) else value
    return UNSHOWN if shown is None else str(shown)
