"""`coverledger checkpoint`: the signed head, to be kept outside."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.commands.options import book_option, json_option, opened
from ledger.commands.output import print_json
from ledger.endings import Refused, UsedWrongly

if TYPE_CHECKING:
    from ledger.wiring import Wiring


@click.command(
    "checkpoint",
    short_help="The log's signed head, to be kept outside; or the key that verifies it.",
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
    from ledger.commands.heads import newest_note, signing_keys  # noqa: PLC0415  # loaded when it runs
    from ledger.commands.verify_given import read_since  # noqa: PLC0415  # as above
    from ledger.commands.verify_outcome import root_text  # noqa: PLC0415  # as above
    from ledger.feed.proofs.checkpoint import peek_checkpoint  # noqa: PLC0415  # as above
    from ledger.feed.verification.extension import extension  # noqa: PLC0415  # as above

    if vkey + bool(since) + send > 1:
        message = "--vkey prints a key, --since a proof, --send sends: ask for one of them."
        raise UsedWrongly(message)
    old = read_since([since])[0] if since else None
    with opened(book) as wiring:
        signed = newest_note(wiring)
        if vkey:
            keys = [str(key) for key in signing_keys(wiring).verifier_keys]
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
        told = {"origin": head.origin, "size": head.size, "root": root_text(head.root), "checkpoint": signed}
        print_json(told if proven is None else told | {"consistency": str(proven)})
    else:
        click.echo(signed if proven is None else str(proven), nl=False)


def _send(wiring: "Wiring", *, as_json: bool) -> None:
    """Send the head to every place outside. Raises UsedWrongly without any, Refused where one lacks it."""
    if not wiring.settings.sends_heads:
        message = (
            "No place outside is named: set COVERLEDGER_CHECKPOINT_FOLDERS, COVERLEDGER_WITNESSES or "
            "COVERLEDGER_HEAD_MAIL."
        )
        raise UsedWrongly(message)
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
        raise Refused(message)
