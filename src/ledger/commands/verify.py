"""`coverledger verify`: the database against its log, or what was taken out of it against a key."""

from pathlib import Path

import click

from ledger.commands.options import book_option, json_option
from ledger.endings import UsedWrongly


@click.command(
    "verify",
    short_help="Prove that nothing was altered: the database, a bundle, or a contract's proof.",
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
    from ledger.commands.verify_given import (  # noqa: PLC0415  # loaded when it runs
        read_keys,
        read_since,
        read_witnesses,
    )

    verifier_keys, heads, seen_by = read_keys(keys), read_since(since), read_witnesses(witnesses)
    if target is None:
        if contract is not None:
            message = (
                "--contract asks for a bundle; for one contract of the database: coverledger proof CONTRACT."
            )
            raise UsedWrongly(message)
        from ledger.commands.verify_database import run  # noqa: PLC0415  # loads the database's side

        return run(book, verifier_keys, heads, witnesses=seen_by, views=views, fresh=fresh, as_json=as_json)
    if views or fresh:
        message = "--views and --fresh ask for the database: leave TARGET out, or leave them out."
        raise UsedWrongly(message)
    if not verifier_keys:
        message = (
            f"{target} proves nothing without a key from elsewhere: give the verifier key with --key "
            "(where the ledger runs: coverledger checkpoint --vkey)."
        )
        raise UsedWrongly(message)
    from ledger.commands.verify_offline import verify_target  # noqa: PLC0415  # no database is loaded

    return verify_target(target, verifier_keys, heads, contract=contract, witnesses=seen_by, as_json=as_json)
