"""`verify TARGET`: a bundle or a contract's proof, with no database at hand."""

from collections.abc import Sequence
from pathlib import Path

import click

from ledger.commands.import_report import progress
from ledger.commands.output import print_json
from ledger.commands.verify_outcome import not_verified, root_text
from ledger.endings import UsedWrongly
from ledger.feed.proofs.bundle import verify_bundle
from ledger.feed.proofs.checkpoint import Checkpoint, open_checkpoint
from ledger.feed.proofs.contract_evidence import ContractProof
from ledger.feed.proofs.contract_file import verify_contract_file
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.proof_file import ConsistencyFile
from ledger.feed.proofs.refused import BadProof, ProofRefused

_CONSISTENCY = "old "
"""What a file begins with that proves one head to extend another."""


def verify_target(
    target: Path, keys: Sequence[VerifierKey], since: Sequence[str], *, contract: str | None, as_json: bool
) -> int:
    """Verify a folder or a file; gives the exit code. Raises Refused when it does not verify."""
    try:
        if target.is_dir():
            _bundle(target, keys, since, contract=contract, as_json=as_json)
        else:
            _file(target, keys, since, contract=contract, as_json=as_json)
    except ProofRefused as fault:
        raise not_verified(fault, as_json=as_json) from fault
    return 0


def _bundle(
    target: Path, keys: Sequence[VerifierKey], since: Sequence[str], *, contract: str | None, as_json: bool
) -> None:
    with progress(f"Verifying {target}", None) as bar:
        proof = verify_bundle(
            target, keys, since=since, contract=contract, progress=lambda done, _: bar.reach(done)
        )
    events = proof.contract.events if proof.contract else None
    if as_json:
        print_json(
            _head_json(proof.head)
            | {"book": proof.book, "streams": proof.streams, "heads": proof.heads}
            | ({"contract": contract, "events": events} if events else {})
        )
        return
    click.echo(
        f"verified: {proof.head.size:,} events in {proof.streams:,} streams, {proof.heads:,} signed heads"
    )
    _say(proof.head, proof.contract)


def _file(
    target: Path, keys: Sequence[VerifierKey], since: Sequence[str], *, contract: str | None, as_json: bool
) -> None:
    try:
        text = target.read_bytes().decode()
    except UnicodeDecodeError as error:
        message = f"{target} is not text: it was cut or altered"
        raise BadProof(message) from error
    if text.startswith(_CONSISTENCY):
        _consistency(text, keys, since, as_json=as_json)
        return
    if since:
        message = "--since asks for a bundle: one contract's proof does not show what the log held before."
        raise UsedWrongly(message)
    head, proof = verify_contract_file(text, keys)
    if contract is not None and contract != proof.contract:
        message = f"the file is the proof of contract {proof.contract}, not of {contract}"
        raise BadProof(message)
    if as_json:
        print_json(_head_json(head) | {"contract": proof.contract, "events": proof.events})
        return
    click.echo(f"verified: contract {proof.contract}, {sum(proof.events.values()):,} events")
    _say(head, proof)


def _consistency(text: str, keys: Sequence[VerifierKey], since: Sequence[str], *, as_json: bool) -> None:
    if len(since) != 1:
        message = "a proof that one head extends another is held against the older one: give it with --since."
        raise UsedWrongly(message)
    old = open_checkpoint(since[0], keys)
    head = ConsistencyFile.parse(text).verify(old, keys)
    if as_json:
        print_json(_head_json(head) | {"since": old.size})
        return
    click.echo(f"verified: the log of {head.size:,} events begins with the {old.size:,} of the older head")
    _say(head, None)


def _head_json(head: Checkpoint) -> dict[str, object]:
    return {"verified": True, "origin": head.origin, "size": head.size, "root": root_text(head.root)}


def _say(head: Checkpoint, contract: ContractProof | None) -> None:
    for stream, events in (contract.events if contract else {}).items():
        click.echo(f"{stream}: {events:,} events, complete")
    click.echo(f"head: {head.origin}, {head.size:,} events, root {root_text(head.root)}")
