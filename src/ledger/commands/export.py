"""`coverledger export`: a whole book as a bundle that verifies offline."""

from pathlib import Path

import click

from ledger.commands.options import book_option, json_option, opened
from ledger.commands.output import note, print_json
from ledger.endings import UsedWrongly


@click.command(
    "export",
    short_help="Write the whole book as a bundle that an auditor verifies offline.",
    help=(
        "Write the book, up to its newest signed head, into a new folder DIR: the log as C2SP "
        "tiles, its leaves and "
        "payloads, every signed head, the schemas of the events, the verifier keys, and a "
        "README for the auditor. "
        "Personal data stand in it as ciphertext only.\n\n"
        "What would not verify is not exported. Hand the verifier key over by another way than "
        "the bundle.\n\n"
        "\b\nExamples:\n"
        "  coverledger export ./cyber-care-2026-03\n"
        '  coverledger verify ./cyber-care-2026-03 --key "$(coverledger checkpoint --vkey)"'
    ),
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="Verifier key, where the signing key is not here."
)
@book_option
@json_option
def export(directory: Path, *, keys: tuple[str, ...], book: str, as_json: bool) -> None:
    """Write a bundle."""
    from ledger.commands.heads import newest_note, trusted_keys  # noqa: PLC0415  # loaded when it runs
    from ledger.commands.import_report import progress  # noqa: PLC0415  # as above
    from ledger.commands.verify_outcome import root_text  # noqa: PLC0415  # as above
    from ledger.feed.proofs.checkpoint import peek_checkpoint  # noqa: PLC0415  # as above
    from ledger.feed.verification.bundle_rows import export_bundle  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        verifier_keys = trusted_keys(wiring, keys)
        size = peek_checkpoint(newest_note(wiring)).size
        with progress(f"Exporting to {directory}", size) as bar:
            try:
                head = export_bundle(
                    wiring.pool, book, directory, verifier_keys, lambda done, _: bar.reach(done)
                )
            except OSError as error:
                reason = error.strerror or error
                message = f"{directory} cannot take the bundle ({reason}): name a new folder of your own."
                raise UsedWrongly(message) from error
    if as_json:
        print_json(
            {
                "directory": str(directory),
                "origin": head.origin,
                "size": head.size,
                "root": root_text(head.root),
            }
            | {"verifier_keys": [str(key) for key in verifier_keys]}
        )
        return
    click.echo(f"{head.size:,} events of {head.origin} are in {directory}")
    note(f"Verify it: coverledger verify {directory} --key '{verifier_keys[0]}'")
