"""`coverledger contract`, `claim` and `complaint`: `show`, `list` and `history` of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from ledger.cli.options import book_option, examples, json_option
from ledger.cli.output import print_json
from ledger.domain.identifiers import StreamKind
from ledger.privacy.access import Access
from projections.cli.history import HISTORY_COLUMNS, history_of
from projections.cli.lists import list_command
from projections.cli.query_options import names_options, reading, time_options
from projections.cli.tables import (
    CONTACT_COLUMNS,
    PERSON_COLUMNS,
    TableColumn,
    columns_of,
    fields,
    plain,
    show,
    show_section,
    text,
    words,
)
from projections.queries.questions import RECORDS
from projections.queries.reader import plain_json
from projections.views.registry import LISTINGS

DOCUMENT_COLUMNS = (
    words("document", "kind"),
    plain("language", "language"),
    plain("version", "version"),
    text("sha256", "sha256"),
)
SECTIONS: Final[Mapping[str, tuple[str, Sequence[TableColumn]]]] = {
    "limits": ("Limits", columns_of(LISTINGS["limits"], "contract")),
    "due": ("Due", columns_of(LISTINGS["due"])),
    "claims": ("Claims", columns_of(LISTINGS["claims"])),
    "complaints": ("Complaints", columns_of(LISTINGS["complaints"])),
    "documents": ("Documents that apply", DOCUMENT_COLUMNS),
    "contacts": ("Contacts", CONTACT_COLUMNS),
}


@dataclass(frozen=True, slots=True)
class HelpTexts:
    """What the help of one kind's commands says: of each its text and its examples."""

    show: tuple[str, ...]
    all: tuple[str, ...]
    history: tuple[str, ...]
    first_verb: str
    """What records the first one."""


HELP: Final[Mapping[StreamKind, HelpTexts]] = {
    "contract": HelpTexts(
        (
            "Show one contract: cover, limits, due dates, claims, documents.",
            "coverledger contract show CC-1",
            "coverledger contract show CC-1 --on 2026-01-31",
            "coverledger contract show CC-1 --as-of 4711 --json",
            "coverledger contract show CC-1 --names --reason 'call of the policyholder'",
        ),
        (
            "List contracts in the order in which they were recorded.",
            "coverledger contract list --status notice_given",
            "coverledger contract list --json",
        ),
        (
            """List the events of one contract, its claims and complaints, oldest first.

            What each changed: see `coverledger replay`.
            """,
            "coverledger contract history CC-1",
            "coverledger contract history CC-1 --own --json",
        ),
        "start",
    ),
    "claim": HelpTexts(
        (
            "Show one claim, its amounts, its due dates, and whom to call.",
            "coverledger claim show CL-1",
            "coverledger claim show CL-1 --on 2026-01-31 --json",
            "coverledger claim show CL-1 --names --reason 'identification by phone'",
        ),
        (
            "List claims in the order in which they were opened.",
            "coverledger claim list --status submitted",
            "coverledger claim list --contract CC-1 --json",
        ),
        (
            (
                "List the events of one claim, oldest first."
                " What each changed: see `coverledger replay --claim`."
            ),
            "coverledger claim history CL-1",
        ),
        "open",
    ),
    "complaint": HelpTexts(
        (
            "Show one complaint, its due dates, and where it may be taken next.",
            "coverledger complaint show CP-1",
        ),
        (
            "List complaints in the order in which they were lodged.",
            "coverledger complaint list --contract CC-1",
        ),
        ("List the events of one complaint, oldest first.", "coverledger complaint history CP-1"),
        "lodge",
    ),
}


def commands_of(kind: StreamKind) -> Mapping[str, click.Command]:
    """Return the commands that read contracts, claims or complaints."""
    said = HELP[kind]
    listed = list_command(
        LISTINGS[f"{kind}s"],
        *said.all,
        title=f"{kind.capitalize()}s",
        empty=f"No {kind} matches. To record one: coverledger {kind} {said.first_verb} --help.",
    )
    return {"show": _show(kind, *said.show), "list": listed, "history": _history(kind, *said.history)}


def _show(kind: StreamKind, said: str, *typed: str) -> click.Command:
    record = RECORDS[kind]

    def show_one(number: str, *, as_json: bool, access: Access | None = None, **time: Any) -> None:  # noqa: ANN401  # the options of the time, and the book
        with reading(views=record.views, access=access, **time) as reader:
            shown = record.show(reader, number)
        if as_json:
            print_json(plain_json(shown))
            return
        fields(shown, columns_of(LISTINGS[record.plural]), title=f"{kind.capitalize()} {number}")
        if access is not None:
            show_section(shown, "persons", PERSON_COLUMNS, title="Persons")
        for name in record.nested:
            title, columns = SECTIONS[name]
            show_section(shown, name, columns, title=title)

    show_one.__doc__ = said
    added = book_option(json_option(examples(*typed)(show_one)))
    if kind != "complaint":  # What a complaint says of a person stands in its replay alone.
        added = names_options(f"{kind} show")(added)
    return click.command()(click.argument("number", metavar=kind.upper())(time_options(added)))


def _history(kind: StreamKind, said: str, *typed: str) -> click.Command:
    def history(number: str, *, as_json: bool, **asked: Any) -> None:  # noqa: ANN401  # as above, and `own`
        rows = history_of(kind, number, **asked)
        show(rows, HISTORY_COLUMNS, title=f"History of {kind} {number}", empty="No event.", json=as_json)

    history.__doc__ = said
    added = time_options(book_option(json_option(examples(*typed)(history))))
    if kind == "contract":
        own = "Its own events only, without its claims' and complaints'."
        added = click.option("--own", is_flag=True, help=own)(added)
    return click.command()(click.argument("number", metavar=kind.upper())(added))
