"""`coverledger doctor`: says whether everything is as it must be."""

import click

from ledger.commands.options import book_option, json_option, opened
from ledger.commands.output import console, print_json, print_table
from ledger.endings import Ending, Refused


@click.command(
    "doctor",
    short_help="Check settings, rights, durability, clock, services, lag and keys.",
    help=(
        "Check that everything is as it must be: settings and where they come from, the database's "
        "durability, the rights of our roles, the clocks, how far feed and views are, the files of the keys, "
        "and, where `up` runs, how its services are. "
        "Exit 0 when all is well (hints included), 1 when something has to be put right.\n\n"
        "\b\nExamples:\n"
        "  coverledger doctor\n"
        "  coverledger doctor --json"
    ),
)
@book_option
@json_option
def doctor(*, book: str, as_json: bool) -> None:
    """Check everything."""
    from ledger.commands.examination import Finding, examine, services  # noqa: PLC0415  # loaded only by a command that needs it
    from ledger.settings import Settings  # noqa: PLC0415  # as above
    from ledger.store.errors import StoreError  # noqa: PLC0415  # as above

    settings = Settings.load()
    in_force = settings.in_force()
    away: Ending | StoreError | None = None
    try:
        with opened(book) as wiring:
            findings = examine(wiring)
    except (Ending, StoreError) as error:
        # Which settings lead there is what somebody wants to know then.
        away, findings = error, [Finding("server", "wrong", str(error))]
    findings += services(settings, book)
    wrong = [finding for finding in findings if finding.state == "wrong"]
    if as_json:
        print_json(
            {
                "settings": [
                    {"name": s.name, "variable": s.variable, "value": s.value, "origin": s.origin}
                    for s in in_force
                ],
                "checks": [{"check": f.check, "state": f.state, "message": f.message} for f in findings],
                "healthy": not wrong,
            }
        )
    else:
        print_table(
            ("Setting", "Value", "Origin"), [(s.variable, s.value, s.origin) for s in in_force], title=None
        )
        click.echo()
        shown = console()
        for finding in findings:
            colour = {"well": "green", "hint": "yellow", "wrong": "red"}[finding.state]
            shown.print(f"[{colour}]{finding.state:<5}[/]  {finding.check:<12}  ", end="")
            shown.print(finding.message, markup=False, soft_wrap=True)
    if away is not None:
        raise away
    if wrong:
        message = f"{len(wrong)} of {len(findings)} checks found something wrong; see above what to do."
        raise Refused(message)
