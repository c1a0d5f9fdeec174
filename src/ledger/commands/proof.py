"""`coverledger proof`: one contract's history with its proof, in one file."""

from pathlib import Path

import click

from ledger.commands.options import book_option, json_option, opened
from ledger.commands.output import note, print_json
from ledger.endings import Refused, UsedWrongly


@click.command(
    "proof",
    short_help="One contract's history with its proof, in one file.",
    help=(
        "Write the history of CONTRACT and of its claims with a proof that it is what was "
        "recorded: one file, which "
        "`coverledger verify FILE --key VKEY` checks without a database. It stands under the "
        "newest signed head. "
        "Personal data stand in it as ciphertext only.\n\n"
        "Without --out it goes to stdout.\n\n"
        "\b\nExamples:\n"
        "  coverledger proof CC-1 --out CC-1.proof.json\n"
        '  coverledger verify CC-1.proof.json --key "$(coverledger checkpoint --vkey)"'
    ),
)
@click.argument("contract", metavar="CONTRACT")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it here.")
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="Verifier key, where the signing key is not here."
)
@book_option
@json_option
def proof(contract: str, *, out: Path | None, keys: tuple[str, ...], book: str, as_json: bool) -> None:
    """Write one contract's proof."""
    from ledger.commands.heads import newest_note, trusted_keys  # noqa: PLC0415  # loaded when it runs
    from ledger.commands.verify_outcome import root_text  # noqa: PLC0415  # as above
    from ledger.feed.proofs.contract_file import verify_contract_file  # noqa: PLC0415  # as above
    from ledger.feed.verification.contract_rows import NothingProven, contract_proof  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        verifier_keys = trusted_keys(wiring, keys)
        newest_note(wiring)
        try:
            text, _ = contract_proof(wiring.pool, book, contract)
        except NothingProven as error:
            raise Refused(str(error)) from error
    # What would not verify is not handed out.
    head, proven = verify_contract_file(text, verifier_keys)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written ({error.strerror}): name a file in a folder of your own."
        raise UsedWrongly(message) from error
    if as_json:
        print_json(
            {"file": str(out), "contract": contract, "events": proven.events}
            | {"origin": head.origin, "size": head.size, "root": root_text(head.root)}
        )
        return
    note(
        f"{sum(proven.events.values()):,} events in {len(proven.events)} streams, proven under "
        f"the head of {head.size:,}."
    )
    note(f"Verify it: coverledger verify {out} --key '{verifier_keys[0]}'")
