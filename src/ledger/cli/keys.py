"""`coverledger keys`: list them, rotate them, note where copies are."""

import click

from ledger.cli.key_inventory import keys_in_force, rotate_master, rotate_signing
from ledger.cli.options import book_option, json_option
from ledger.cli.output import note, print_json, print_table
from ledger.clock import machine_now
from ledger.config import Settings
from ledger.key_backups import Copy, note_copy, read_copies


@click.command(
    "list",
    short_help="The master keys and the signing keys, what each is good for, and where copies are.",
    help=(
        "List the master keys, which wrap every person's key, and the signing keys of each book's log, "
        "with the sizes of the heads that each has signed. No key itself is shown.\n\n"
        "\b\nExample:\n"
        "  coverledger keys list"
    ),
)
@json_option
def list_all(*, as_json: bool) -> None:
    """List all keys."""
    settings = Settings.load()
    rows = keys_in_force(settings)
    copies = read_copies(settings.master_key_path)
    where = {row.key: [copy.where for copy in copies if row.key in copy.keys] for row in rows}
    if as_json:
        print_json([row.told | {"copies": where[row.key]} for row in rows])
        return
    print_table(
        ("Kind", "Key", "State", "For", "Copies"),
        [(row.kind, row.key, row.state, row.use, "; ".join(where[row.key])) for row in rows],
        title=None,
    )


@click.command(
    "rotate",
    short_help="A new master key (or signing key) in the place of the old one.",
    help=(
        "Make a new master key, wrap every person's key anew with it, and destroy the old one: from then "
        "on no old backup of any kind, and no old copy of a disk, brings an erased person back. Programs "
        "that run go on by themselves. Afterwards make a new copy of the key file, destroy the old copies, "
        "and back the vault up anew: vaults backed up before cannot be read any more.\n\n"
        "--signing gives the log of one book a new signing key instead: it signs the standing head anew, and "
        "for 90 days each head bears both keys; older heads verify with the old one.\n\n"
        "\b\nExamples:\n"
        "  coverledger keys rotate\n"
        "  coverledger keys rotate --signing --book cyber-care"
    ),
)
@click.option("--signing", is_flag=True, help="Rotate the signing key of the book's log.")
@book_option
@json_option
def rotate(*, signing: bool, book: str, as_json: bool) -> None:
    """Rotate a key."""
    if signing:
        told = rotate_signing(book)
        said = (
            f"Book {book!r} signs with a new key from size {told['from_size']:,} on: {told['verifier_key']}"
        )
        todo = (
            "The standing head bears both keys already, and each head of the next 90 days will: give the new "
            "verifier key to whoever checks heads, and make a new copy: coverledger keys kept."
        )
    else:
        told = rotate_master()
        said = f"The keys of {told['persons']:,} persons are wrapped by the new master key {told['current']}."
        todo = (
            "Now make a new copy of the key file and say where it is (coverledger keys kept), destroy "
            "the old copies, and back the vault up anew (coverledger backup --vault FILE)."
        )
    if as_json:
        print_json(told)
        return
    click.echo(said)
    note(todo)


@click.command(
    "kept",
    short_help="Note that a copy of the key files was made, and where it is.",
    help=(
        "Note that you have made a copy of the key files as they are now, and where it lies. `doctor` asks "
        "for it again once a key is new.\n\n"
        "\b\nExample:\n"
        '  coverledger keys kept "safe of the Brussels office"'
    ),
)
@click.argument("where")
@json_option
def kept(*, where: str, as_json: bool) -> None:
    """Note a copy."""
    settings = Settings.load()
    rows = keys_in_force(settings)
    copy = Copy(machine_now(), where, frozenset(row.key for row in rows))
    note_copy(settings.master_key_path, copy)
    if as_json:
        print_json({"at": copy.at.isoformat(), "where": where, "keys": sorted(copy.keys)})
    else:
        click.echo(f"Noted: copies of {len(copy.keys)} keys are kept at {where}.")
