"""`backup` and `restore`: the data in one file, the vault in another, and how they are put back."""

import sys
from pathlib import Path

import click

from ledger.app import reached
from ledger.backup.dump import Kind, Tools, dump, read_manifest, refuse_existing
from ledger.backup.restore import Restoration, every_book
from ledger.cli.options import composed, json_option
from ledger.cli.output import note, print_json
from ledger.config import Settings
from ledger.errors import UsageError
from ledger.logging import log_to_stderr
from ledger.store.pool import Pool


@click.command(
    "backup",
    help=(
        "Seal and sign what waits, and write one snapshot of all books into FILE, with a manifest beside it. "
        "The keys of the persons are not in it: they go into a file of their own with --vault, to be kept "
        "elsewhere, so that whoever is erased later does not come back with the data.\n\n"
        "The files of the keys (master key, signing keys and what lies beside them) are in neither: keep "
        "copies (coverledger keys list).\n\n"
        "\b\nExamples:\n"
        "  coverledger backup /backups/ledger-2026-03-01.dump\n"
        "  coverledger backup /backups/ledger.dump --vault /safe/vault.dump\n"
        "  coverledger backup --vault /safe/vault-after-rotation.dump"
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--vault",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the vault of the persons' keys into this file.",
)
@json_option
def backup(*, file: Path | None, vault: Path | None, as_json: bool) -> None:
    """Write the backups asked for."""
    wanted: list[tuple[Kind, Path]] = []
    wanted += [("data", file.absolute())] if file else []
    wanted += [("vault", vault.absolute())] if vault else []
    if not wanted or file == vault:
        message = "Say where the backup goes: coverledger backup FILE, and --vault ANOTHER_FILE for the keys."
        raise UsageError(message)
    for _, path in wanted:
        refuse_existing(path)
    log_to_stderr(quiet=True)
    settings = Settings.load()
    with reached(settings) as ways:
        for wiring in every_book(settings, ways, composed()):
            wiring.seal()
            wiring.finish()
        with Pool(ways.migrate, size=2, name="coverledger backup") as pool:
            tools = Tools.find(settings.postgres_bin, ways.migrate)
            made = [(path, dump(pool, tools, kind, path)) for kind, path in wanted]
    if as_json:
        told = [
            {
                "file": str(path),
                "kind": manifest.kind,
                "sha256": manifest.sha256,
                "taken_at": manifest.taken_at,
                "books": [book._asdict() for book in manifest.books],
            }
            for path, manifest in made
        ]
        print_json(told)
        return
    for path, manifest in made:
        click.echo(f"{path}  {path.stat().st_size:,} bytes, {manifest.kind}")
        for book in manifest.books:
            note(f"  {book.book}: {book.size:,} events, epoch {book.epoch}")
    if file and not vault:
        note("The persons' keys are not in it: back the vault up too, elsewhere, with --vault FILE.")


@click.command(
    "restore",
    help=(
        "Put the rows of a backup in the place of the present ones, all books at once, in one transaction. "
        "The persons' keys stay as they are, so that nobody who was erased comes back; --vault adds the "
        "keys of a vault's backup to those that are there, and keeps the erased erased.\n\n"
        "Where the log then ends before its last signed head, a new epoch begins: the log gets a new name, "
        "and whoever follows is told from which position on to read again.\n\n"
        "--accept alone begins the new epoch for a database that was put back by other means (a snapshot, "
        "a base backup, a failover that lost commits), and for a log whose signing key is lost for ever.\n\n"
        "\b\nExamples:\n"
        "  coverledger restore /backups/ledger-2026-03-01.dump\n"
        "  coverledger restore /backups/ledger.dump --vault /safe/vault.dump --yes\n"
        "  coverledger restore --accept"
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--vault",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add the persons' keys of this backup.",
)
@click.option("--accept", is_flag=True, help="Go on in a new epoch from what is there, also with a new key.")
@click.option("--yes", is_flag=True, help="Do not ask before the present rows are given up.")
@json_option
def restore(*, file: Path | None, vault: Path | None, accept: bool, yes: bool, as_json: bool) -> None:
    """Restore what was asked for and let each book go on."""
    if not (file or vault or accept):
        message = "Say what to restore: a backup FILE, --vault FILE, or --accept for the state that is there."
        raise UsageError(message)
    log_to_stderr(quiet=True)
    settings = Settings.load()
    if file:
        read_manifest(file.absolute(), "data")  # before anything is made for it
    with reached(settings, creates=file is not None) as ways:
        restoration = Restoration(settings, ways, composed(), file, vault, accept=accept)
        given_up = restoration.check()
        if given_up and not yes:
            _ask(given_up)
        restoration.load()
        recovered = restoration.go_on() if file or accept else []
        told = [] if recovered else restoration.tell_erased()
    if as_json:
        print_json(
            {
                "restored": str(file) if file else None,
                "vault": str(vault) if vault else None,
                "erased": [person for book in recovered for person in book.erased] + told,
                "books": [book.told for book in recovered],
            }
        )
        return
    for book in recovered:
        click.echo(f"{book.line}.")
    if vault:
        click.echo("The persons' keys of the backup are in the vault; whoever was erased stays erased.")
    if told:
        click.echo(f"The log says again that they were erased: {', '.join(told)}.")


def _ask(given_up: list[str]) -> None:
    """Ask before present rows are given up. Raises UsageError where nobody can answer."""
    for line in given_up:
        note(line)
    if not sys.stdin.isatty():
        message = "Rows that are there now would be given up for those of the backup: say so with --yes."
        raise UsageError(message)
    click.confirm("Give up what is there for what the backup holds?", abort=True, err=True)
