"""`coverledger subject erase/export/show/list/log`: one person's data."""

import click

from ledger.commands.options import book_option, examples, json_option, opened
from ledger.commands.output import note, print_json, print_table
from ledger.commands.subject_json import (
    access_written,
    erasure_written,
    export_written,
    subject_written,
    vault_written,
)
from ledger.commands.subject_options import access, reason_option


@click.command()
@click.argument("person", metavar="PERSON")
@reason_option
@book_option
@json_option
@examples(
    "coverledger subject erase P-7 --reason 'request of 2026-03-01, letter 4711'",
    "coverledger subject erase P-7 --reason 'retention over' --actor desk-17 --json",
)
def erase(person: str, *, reason: str, actor: str, book: str, as_json: bool) -> None:
    """Destroy the key of PERSON, so that nobody reads what was recorded on them any more.

    Every contract, claim and complaint that holds the person says so (SubjectErased). No event is changed:
    limits, dates and proofs stay what they are. It cannot be undone. Refused while a legal hold stands on one
    of the contracts, and while an import is open. Done again, it changes nothing.
    """
    from ledger.subjects.erasing import Erasures  # noqa: PLC0415  # loaded when it runs

    by = access(actor, "subject erase", reason)
    with opened(book) as wiring:
        erasure = Erasures(wiring.store, wiring.pool, book).erase(person, by)
        wiring.seal()
        letters = wiring.erase_outside()
    if as_json:
        print_json(erasure_written(erasure))
        return
    count = f"{len(erasure.streams):,} stream" + ("" if len(erasure.streams) == 1 else "s")
    if erasure.before:
        click.echo(
            f"Person {person} was erased before, on {erasure.erased_at:%Y-%m-%d}; nothing was changed."
        )
    else:
        click.echo(f"Erased person {person}, held by {count}; said so on:")
        for event in erasure.events:
            click.echo(f"  {event.type}  {event.stream.name}  version {event.version}")
        if letters:
            click.echo(f"Removed {letters:,} letter{'' if letters == 1 else 's'} to them.")
        note("An older backup of the vault holds the key until the master key is rotated: docs/erasure.md.")


@click.command()
@click.argument("person", metavar="PERSON")
@reason_option
@book_option
@json_option
@examples(
    "coverledger subject export P-7 --reason 'right of access, letter 4712' > P-7.json",
)
def export(person: str, *, reason: str, actor: str, book: str, as_json: bool) -> None:  # noqa: ARG001  # always JSON
    """Print all that is held on PERSON as JSON: events in clear, letters, their key's dates, who opened them.

    The export is itself written down in the access log. Values that were erased stand as [erased].
    """
    from ledger.subjects.exporting import Subjects  # noqa: PLC0415  # loaded when it runs

    by = access(actor, "subject export", reason)
    with opened(book) as wiring:
        wiring.seal()
        exported = Subjects(wiring.store, wiring.pool, book).export(person, by)
        beside = wiring.held_beside(person)
    print_json({"book": book, **export_written(exported), **beside})


@click.command()
@click.argument("person", metavar="PERSON")
@book_option
@json_option
@examples("coverledger subject show P-7")
def show(person: str, *, book: str, as_json: bool) -> None:
    """Show where the values of PERSON are held, and whether they were erased. Opens none of them."""
    from ledger.subjects.exporting import Subjects  # noqa: PLC0415  # loaded when it runs

    with opened(book) as wiring:
        found = Subjects(wiring.store, wiring.pool, book).find(person)
    if as_json:
        print_json(subject_written(found))
        return
    if found.vault is None:
        click.echo(f"Person {person}: the vault holds no key of theirs, so nobody can read their values.")
    elif found.vault.erased_at is not None:
        click.echo(
            f"Person {person}: erased on {found.vault.erased_at:%Y-%m-%d}: {found.vault.erased_because}"
        )
    else:
        click.echo(f"Person {person}: known since {found.vault.created_at:%Y-%m-%d}")
    rows = [(held.stream.name, held.role, held.contract.number) for held in found.streams]
    print_table(("stream", "as", "contract"), rows)
    for hold in found.holds:
        click.echo(
            f"Held: {hold.contract} since {hold.placed_at:%Y-%m-%d} by {hold.placed_by}: {hold.because}"
        )


@click.command("list")
@click.option("--erased", is_flag=True, help="Only persons who were erased.")
@book_option
@json_option
@examples("coverledger subject list --erased", "coverledger subject list --json")
def list_all(*, erased: bool, book: str, as_json: bool) -> None:
    """List the persons on whom something is held, by their ids. Opens nothing."""
    from ledger.subjects.vault_entries import vault_entries  # noqa: PLC0415  # loaded when it runs

    with opened(book) as wiring, wiring.pool.connection() as connection:
        rows = [vault_written(entry) for entry in vault_entries(connection, book, erased=erased)]
    if as_json:
        print_json(rows)
    elif rows:
        columns = ("person", "status", "created_at", "erased_at", "erased_because")
        print_table(columns, [[row[column] for column in columns] for row in rows])
    else:
        note("Nobody was erased." if erased else "Nothing is held on anybody.")


@click.command()
@click.argument("person", metavar="[PERSON]", required=False)
@book_option
@json_option
@examples("coverledger subject log", "coverledger subject log P-7 --json")
def log(person: str | None, *, book: str, as_json: bool) -> None:
    """Show the access log: who opened whose data, when, by which command and why."""
    from ledger.subjects.access_log import access_lines  # noqa: PLC0415  # loaded when it runs

    with opened(book) as wiring, wiring.pool.connection() as connection:
        lines = access_lines(connection, book, person)
    if as_json:
        print_json([access_written(line) for line in lines])
    elif lines:
        rows = [
            (f"{line.at:%Y-%m-%d %H:%M:%S}", line.who, line.what, line.person, line.stream, line.why)
            for line in lines
        ]
        print_table(("at (UTC)", "who", "what", "person", "stream", "why"), rows)
    else:
        note("Nobody opened anything.")
