"""`verify`, and what is taken out to be verified elsewhere: `checkpoint`, `export`, `proof`."""

from pathlib import Path

import click

from ledger.app import App
from ledger.cli.options import book_option, json_option, opened
from ledger.cli.output import note, print_json, progress
from ledger.cli.verification import (
    newest_note,
    read_keys,
    read_since,
    read_witnesses,
    run,
    trusted_keys,
    verify_target,
)
from ledger.errors import Rejected, UsageError
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.proofs.contract_proof import verify_contract_file
from ledger.proofs.notes import to_base64
from ledger.verification.exports import NothingProven, contract_proof, export_bundle, extension


@click.command(
    "verify",
    help=(
        "Prove that the history is complete, unchanged and in order; name the first bad "
        "position or row if not.\n\n"
        "Without TARGET: the whole database against its log, from the payloads up to every "
        "signed head, and the "
        "head that is kept beside the key. Broken off, it goes on where it was; --fresh starts "
        "anew. With --views "
        "every view as well, against a fresh fold of the feed.\n\n"
        "With TARGET: a bundle (a folder made by `export`) or a contract's proof (a file made by `proof`), "
        "offline, against the verifier key that you were given elsewhere.\n\n"
        "It says up to where all is proven, by a head that which key has signed, and fails where that is "
        "less than what was asked: with --key, unless a head signed by it covers all but the last seconds; "
        "with --since, unless the log extends each head given; with --witness, unless it cosigned one.\n\n"
        "Exit 0: verified. 1: not verified. docs/audit.md says what that proves, and what not.\n\n"
        "\b\nExamples:\n"
        "  coverledger verify --views\n"
        "  coverledger verify --since march.checkpoint --json\n"
        "  coverledger verify ./bundle --key 'coverledger/cyber-care+33d7b496+AeHT…' --contract CC-1\n"
        "  coverledger verify CC-1.proof.json --key 'coverledger/cyber-care+33d7b496+AeHT…'"
    ),
)
@click.argument("target", required=False, type=click.Path(exists=True, path_type=Path), metavar="[TARGET]")
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="Verifier key; again for one that has retired."
)
@click.option(
    "--since",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CHECKPOINT",
    help="A signed head that you kept: the log must extend it. May be repeated.",
)
@click.option("--contract", metavar="C", help="In a bundle: this contract's evidence must be complete.")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="WKEY",
    help="Key of a witness: it must have cosigned a head. May be repeated.",
)
@click.option("--views", is_flag=True, help="The database: every view as well.")
@click.option(
    "--fresh", is_flag=True, help="The database: from the first position, whatever was verified before."
)
@book_option
@json_option
def verify(  # noqa: PLR0913  # one option each
    target: Path | None,
    *,
    keys: tuple[str, ...],
    since: tuple[Path, ...],
    contract: str | None,
    witnesses: tuple[str, ...],
    views: bool,
    fresh: bool,
    book: str,
    as_json: bool,
) -> int:
    """Verify the database, a bundle or a file."""
    verifier_keys, heads, seen_by = read_keys(keys), read_since(since), read_witnesses(witnesses)
    if target is None:
        if contract is not None:
            message = (
                "--contract asks for a bundle; for one contract of the database: coverledger proof CONTRACT."
            )
            raise UsageError(message)

        return run(book, verifier_keys, heads, witnesses=seen_by, views=views, fresh=fresh, as_json=as_json)
    if views or fresh:
        message = "--views and --fresh ask for the database: leave TARGET out, or leave them out."
        raise UsageError(message)
    if not verifier_keys:
        message = (
            f"{target} proves nothing without a key from elsewhere: give the verifier key with --key "
            "(where the ledger runs: coverledger checkpoint --vkey)."
        )
        raise UsageError(message)

    return verify_target(target, verifier_keys, heads, contract=contract, witnesses=seen_by, as_json=as_json)


@click.command(
    "checkpoint",
    help=(
        "Seal and sign what waits, and print the log's head (a C2SP tlog-checkpoint): its name, "
        "how many events it "
        "holds, the root of its Merkle tree, a signature. Whoever keeps it can hold the ledger "
        "to it later.\n\n"
        "--since gives with it the proof that it extends an older head, as witnesses take it "
        "(C2SP tlog-witness).\n\n"
        "\b\nExamples:\n"
        "  coverledger checkpoint > march.checkpoint\n"
        "  coverledger checkpoint --vkey\n"
        "  coverledger checkpoint --send\n"
        "  coverledger checkpoint --since march.checkpoint > march-to-today.consistency"
    ),
)
@click.option("--vkey", is_flag=True, help="The verifier key that an auditor needs, instead of the head.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CHECKPOINT",
    help="An older head: prove that this one extends it.",
)
@click.option("--send", is_flag=True, help="Send it now to the places outside that the settings name.")
@book_option
@json_option
def checkpoint(*, vkey: bool, since: Path | None, send: bool, book: str, as_json: bool) -> None:
    """Print the newest signed head."""
    if vkey + bool(since) + send > 1:
        message = "--vkey prints a key, --since a proof, --send sends: ask for one of them."
        raise UsageError(message)
    old = read_since([since])[0] if since else None
    with opened(book) as wiring:
        signed = newest_note(wiring)
        if vkey:
            keys = [str(key) for key in wiring.signing_place.keys_at_hand().verifier_keys]
            if as_json:
                print_json({"verifier_key": keys[0], "retired": keys[1:]})
            else:
                click.echo(keys[0])
            return
        if send:
            _send(wiring, as_json=as_json)
            return
        proven = None if old is None else extension(wiring.pool, book, old, signed)
    if as_json:
        head = peek_checkpoint(signed)
        told = {"origin": head.origin, "size": head.size, "root": to_base64(head.root), "checkpoint": signed}
        print_json(told if proven is None else told | {"consistency": str(proven)})
    else:
        click.echo(signed if proven is None else str(proven), nl=False)


def _send(wiring: App, *, as_json: bool) -> None:
    """Send the head to every place outside. Raises UsageError without any, Rejected where one lacks it."""
    if not wiring.settings.sends_heads:
        message = (
            "No place outside is named: set COVERLEDGER_CHECKPOINT_FOLDERS, COVERLEDGER_WITNESSES or "
            "COVERLEDGER_HEAD_MAIL."
        )
        raise UsageError(message)
    sent = wiring.send_heads()
    if as_json:
        print_json([{**sending, "day": str(sending["day"])} for sending in sent])
    else:
        for sending in sent:
            click.echo(
                f"{'taken' if sending['taken'] else 'not taken'}  {sending['place']}  {sending['told']}"
            )
    lacking = [str(sending["place"]) for sending in sent if not sending["taken"]]
    if lacking:
        message = f"The head was not taken by {', '.join(lacking)}: see above why, and send it again."
        raise Rejected(message)


@click.command(
    "export",
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
                raise UsageError(message) from error
    if as_json:
        print_json(
            {
                "directory": str(directory),
                "origin": head.origin,
                "size": head.size,
                "root": to_base64(head.root),
            }
            | {"verifier_keys": [str(key) for key in verifier_keys]}
        )
        return
    click.echo(f"{head.size:,} events of {head.origin} are in {directory}")
    note(f"Verify it: coverledger verify {directory} --key '{verifier_keys[0]}'")


@click.command(
    "proof",
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
    with opened(book) as wiring:
        verifier_keys = trusted_keys(wiring, keys)
        newest_note(wiring)
        try:
            text, _ = contract_proof(wiring.pool, book, contract)
        except NothingProven as error:
            raise Rejected(str(error)) from error
    # What would not verify is not handed out.
    head, proven = verify_contract_file(text, verifier_keys)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{out} cannot be written ({error.strerror}): name a file in a folder of your own."
        raise UsageError(message) from error
    if as_json:
        print_json(
            {"file": str(out), "contract": contract, "events": proven.events}
            | {"origin": head.origin, "size": head.size, "root": to_base64(head.root)}
        )
        return
    note(
        f"{sum(proven.events.values()):,} events in {len(proven.events)} streams, proven under "
        f"the head of {head.size:,}."
    )
    note(f"Verify it: coverledger verify {out} --key '{verifier_keys[0]}'")
