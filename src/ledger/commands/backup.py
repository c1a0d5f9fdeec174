"""`coverledger backup`: the data into one file, the vault into another."""

from pathlib import Path

import click

from ledger.commands.options import json_option
from ledger.commands.output import note, print_json
from ledger.endings import UsedWrongly


@click.command(
    "backup",
    short_help="Back the ledger up: the data, and apart from it the vault of the persons' keys.",
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
    from ledger.backups.dumping import dump, refuse_existing  # noqa: PLC0415  # loaded when it runs
    from ledger.backups.manifest import Kind  # noqa: PLC0415  # as above
    from ledger.backups.tools import Tools  # noqa: PLC0415  # as above
    from ledger.commands.whole import every_book  # noqa: PLC0415  # as above
    from ledger.logs import log_to_stderr  # noqa: PLC0415  # as above
    from ledger.settings import Settings  # noqa: PLC0415  # as above
    from ledger.store.pool import Pool  # noqa: PLC0415  # as above
    from ledger.wiring import reached  # noqa: PLC0415  # as above

    wanted: list[tuple[Kind, Path]] = []
    wanted += [("data", file.absolute())] if file else []
    wanted += [("vault", vault.absolute())] if vault else []
    if not wanted or file == vault:
        message = "Say where the backup goes: coverledger backup FILE, and --vault ANOTHER_FILE for the keys."
        raise UsedWrongly(message)
    for _, path in wanted:
        refuse_existing(path)
    log_to_stderr(quiet=True)
    settings = Settings.load()
    with reached(settings) as ways:
        for wiring in every_book(settings, ways):
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
