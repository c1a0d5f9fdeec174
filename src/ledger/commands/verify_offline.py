"""`verify TARGET`: a bundle or a proof, with no database at hand."""

from collections.abc import Sequence
from pathlib import Path

import click

from ledger.commands.import_report import progress
from ledger.commands.output import print_json
from ledger.commands.verify_outcome import not_verified
from ledger.endings import UsedWrongly
from ledger.feed.proofs.cosignature import WitnessKey
from ledger.feed.proofs.evidence import AskedWrongly, verify_evidence
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.proofs.refused import ProofRefused


def verify_target(  # noqa: PLR0913  # one option each
    target: Path,
    keys: Sequence[VerifierKey],
    since: Sequence[str],
    *,
    contract: str | None,
    witnesses: Sequence[WitnessKey],
    as_json: bool,
) -> int:
    """Verify a folder or a file; gives the exit code. Raises Refused when it does not verify."""
    try:
        with progress(f"Verifying {target}", None) as bar:
            proven = verify_evidence(
                target,
                keys,
                since=since,
                contract=contract,
                witnesses=witnesses,
                progress=lambda done, _: bar.reach(done),
            )
    except AskedWrongly as error:
        message = f"{error}."
        raise UsedWrongly(message) from error
    except ProofRefused as fault:
        raise not_verified(fault, as_json=as_json) from fault
    if as_json:
        print_json(proven.as_json)
    else:
        for line in proven.lines:
            click.echo(line)
    return 0
