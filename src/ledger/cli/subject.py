"""`subject …`: one person's data, and legal holds on it."""

import click

from ledger.cli.options import access, book_option, examples, instant, json_option, opened, reason_option
from ledger.cli.output import note, print_json, print_table
from ledger.privacy.access import AccessLine, access_lines
from ledger.privacy.erasure import Erasure, Erasures
from ledger.privacy.export import Export, PersonSummary, Subjects
from ledger.privacy.holds import Hold, Holds
from ledger.privacy.persons import HeldStream, VaultEntry, vault_entries

Written = dict[str, object]


def erasure_written(erasure: Erasure) -> Written:
    """Write what an erasure did."""
    return {
        "person": erasure.person,
        "status": "erased_before" if erasure.before else "erased",
        "erased_at": instant(erasure.erased_at),
        "erased_because": erasure.because,
        "streams": list(erasure.streams),
        "events": [
            {"stream": event.stream.name, "version": event.version, "type": event.type}
            for event in erasure.events
        ],
    }


def export_written(exported: Export) -> Written:
    """Write all that is held on a person."""
    streams = [
        _stream(held)
        | {
            "events": [
                event._asdict()
                | {
                    "effective_on": event.effective_on.isoformat(),
                    "at": instant(event.at),
                    "recorded_at": instant(event.recorded_at),
                }
                for event in events
            ]
        }
        for held, events in exported.events
    ]
    return subject_written(exported.subject) | {"streams": streams}


def subject_written(found: PersonSummary) -> Written:
    """Write where a person's values are, none of them opened."""
    key: Written = (
        {"person": found.person, "status": "key_missing"}
        if found.vault is None
        else vault_written(found.vault)
    )
    return key | {
        "streams": [_stream(held) for held in found.streams],
        "holds": [
            {
                "contract": hold.contract,
                "placed_at": instant(hold.placed_at),
                "placed_by": hold.placed_by,
                "because": hold.because,
            }
            for hold in found.holds
        ],
        "accesses": [access_written(line) for line in found.accesses],
    }


def vault_written(entry: VaultEntry) -> Written:
    """Write what the vault says of a person."""
    return {
        "person": entry.person,
        "status": "known" if entry.erased_at is None else "erased",
        "key_id": entry.key_id,
        "created_at": instant(entry.created_at),
        "erased_at": instant(entry.erased_at),
        "erased_because": entry.erased_because,
    }


def _stream(held: HeldStream) -> Written:
    return {"stream": held.stream.name, "role": held.role, "contract": held.contract.number}


def access_written(line: AccessLine) -> Written:
    """Write one line of the access log."""
    return {
        "at": instant(line.at),
        "who": line.who,
        "what": line.what,
        "why": line.why,
        "person": line.person,
        "stream": line.stream,
    }


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
    by = access(actor, "subject erase", reason)
    with opened(book) as wiring:
        erasure = Erasures(wiring.ledger).erase(person, by)
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


@click.command()
@click.argument("contract", metavar="CONTRACT")
@reason_option
@book_option
@json_option
@examples("coverledger subject hold CC-1 --reason 'lawsuit 2026/114'")
def hold(contract: str, *, reason: str, actor: str, book: str, as_json: bool) -> None:
    """Hold CONTRACT: nobody whose data it, its claims or its complaints hold is erased until it is lifted."""
    by = access(actor, "subject hold", reason)
    with opened(book) as wiring:
        placed = Holds(wiring.pool, book).place(contract, by)
    if as_json:
        print_json(_written(placed))
    else:
        click.echo(f"Contract {contract} is held since {placed.placed_at:%Y-%m-%d} by {placed.placed_by}.")


@click.command()
@click.argument("contract", metavar="CONTRACT")
@reason_option
@book_option
@json_option
@examples("coverledger subject lift-hold CC-1 --reason 'judgment is final'")
def lift(contract: str, *, reason: str, actor: str, book: str, as_json: bool) -> None:
    """Lift the legal hold on CONTRACT: its persons may be erased again."""
    by = access(actor, "subject lift-hold", reason)
    with opened(book) as wiring:
        lifted = Holds(wiring.pool, book).lift(contract, by)
    if as_json:
        print_json(_written(lifted))
    else:
        click.echo(f"The hold on contract {contract} is lifted.")


@click.command()
@click.option("--lifted", is_flag=True, help="Also holds that are over.")
@book_option
@json_option
@examples("coverledger subject holds", "coverledger subject holds --lifted --json")
def list_holds(*, lifted: bool, book: str, as_json: bool) -> None:
    """List the legal holds."""
    with opened(book) as wiring:
        found = Holds(wiring.pool, book).all(lifted=lifted)
    if as_json:
        print_json([_written(one) for one in found])
    elif found:
        columns = (
            "contract",
            "placed_at",
            "placed_by",
            "because",
            "lifted_at",
            "lifted_by",
            "lifted_because",
        )
        print_table(columns, [[_written(one)[column] for column in columns] for one in found])
    else:
        note("No contract is held.")


def _written(placed: Hold) -> dict[str, object]:
    return {
        "contract": placed.contract,
        "number": placed.number,
        "placed_at": instant(placed.placed_at),
        "placed_by": placed.placed_by,
        "because": placed.because,
        "lifted_at": instant(placed.lifted_at),
        "lifted_by": placed.lifted_by,
        "lifted_because": placed.lifted_because,
    }
