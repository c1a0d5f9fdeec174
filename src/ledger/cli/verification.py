"""`verify` at work, on the database, a bundle or a proof; the keys and heads that proofs are checked with."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic

import click

from ledger.app import App, ViewCheck
from ledger.cli.options import opened
from ledger.cli.output import Reach, note, print_json, progress
from ledger.errors import Rejected, UsageError
from ledger.proofs.errors import BadNote, ProofRefused
from ledger.proofs.notes import VerifierKey, WitnessKey, to_base64
from ledger.proofs.verifier import EvidenceUsageError, cosigned_line, read_kept, verify_evidence
from ledger.store.log import newest_checkpoint
from ledger.verification.database import DatabaseProof, verify_database, verify_schema
from ledger.verification.findings import CheckedView, LessProven, NotVerified
from ledger.verification.heads import log_size
from ledger.verification.progress import ProgressFile
from ledger.verification.trust_anchors import Parting, TrustAnchors, anchors_at_hand


def read_keys(keys: Iterable[str]) -> list[VerifierKey]:
    """Read verifier keys. Raises UsageError."""
    try:
        return [VerifierKey.parse(key.strip()) for key in keys]
    except BadNote as error:
        message = f"--key: {error}."
        raise UsageError(message) from error


def read_witnesses(keys: Iterable[str]) -> list[WitnessKey]:
    """Read keys of witnesses. Raises UsageError."""
    try:
        return [WitnessKey.parse(key.strip()) for key in keys]
    except BadNote as error:
        message = f"--witness: {error}."
        raise UsageError(message) from error


def read_since(paths: Iterable[Path]) -> list[str]:
    """Read signed heads; their signatures are checked later. Raises UsageError."""
    try:
        return [read_kept(path) for path in paths]
    except EvidenceUsageError as error:
        message = f"--since {error}."
        raise UsageError(message) from error


def not_verified(fault: Exception, *, as_json: bool, advice: str = "") -> Rejected:
    """Return the ending of a verification that failed; with `as_json` it is printed as an object first.

    `position` and `row` (or `path`, in a bundle) stand in it where the fault names them.
    """
    if as_json:
        place = {
            name: getattr(fault, name)
            for name in ("position", "row", "path", "reason")
            if hasattr(fault, name)
        }
        proven = fault.proven if isinstance(fault, LessProven) else {}
        print_json({"verified": False, "message": str(fault), **place, **proven})
    return Rejected(f"not verified: {fault}{advice}")


def newest_note(wiring: App) -> str:
    """Seal and sign what waits, where this machine does, and give the newest signed head. Raises Rejected."""
    if wiring.settings.sealer_enabled:
        wiring.seal()
        wiring.sealer.finish()
    with wiring.pool.connection() as connection:
        note = newest_checkpoint(connection, wiring.book)
    if note is None:
        message = (
            f"no head of book {wiring.book!r} is signed yet, for nothing is sealed: record something first."
        )
        raise Rejected(message)
    return note


def trusted_keys(wiring: App, given: Iterable[str]) -> list[VerifierKey]:
    """Return the verifier keys that were given, else those beside the database. Raises KeyFileRefused."""
    return read_keys(given) or wiring.signing_place.keys_at_hand().verifier_keys


def verify_target(  # noqa: PLR0913  # one option each
    target: Path,
    keys: Sequence[VerifierKey],
    since: Sequence[str],
    *,
    contract: str | None,
    witnesses: Sequence[WitnessKey],
    as_json: bool,
) -> int:
    """Verify a folder or a file; gives the exit code. Raises Rejected when it does not verify."""
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
    except EvidenceUsageError as error:
        message = f"{error}."
        raise UsageError(message) from error
    except ProofRefused as fault:
        raise not_verified(fault, as_json=as_json) from fault
    if as_json:
        print_json(proven.as_json)
    else:
        for line in proven.lines:
            click.echo(line)
    return 0


ADVICE = "; leave the database as it is, find out who changed it, and restore a backup that verifies"
SCHEMA_ADVICE = (
    "; find out who changed it and what they did meanwhile, then put it back as the migrations make it: "
    "restore a backup into a fresh database"
)
VIEW_ADVICE = "; find out who changed it, then `coverledger projections rebuild --all` puts the views right"


def run(  # noqa: PLR0913  # one option each
    book: str,
    keys: Sequence[VerifierKey],
    since: Sequence[str],
    *,
    witnesses: Sequence[WitnessKey],
    views: bool,
    fresh: bool,
    as_json: bool,
) -> int:
    """Verify the database; gives the exit code. Raises Rejected when it does not verify."""
    with opened(book) as wiring:
        begun = monotonic()
        try:
            outside = anchors_at_hand(
                wiring.signing_place,
                wiring.settings.witness_keys,
                keys=keys,
                since=since,
                witnesses=witnesses,
            )
            proof = _log(wiring, outside, fresh=fresh)
        except (LessProven, BadNote) as fault:
            raise not_verified(fault, as_json=as_json) from fault
        except NotVerified as fault:
            raise not_verified(fault, as_json=as_json, advice=ADVICE) from fault
        try:
            verify_schema(wiring.pool)
        except NotVerified as fault:
            raise not_verified(fault, as_json=as_json, advice=SCHEMA_ADVICE) from fault
        seconds = monotonic() - begun
        try:
            checked = _views(wiring) if views else {}
        except NotVerified as fault:
            raise not_verified(fault, as_json=as_json, advice=VIEW_ADVICE) from fault
    if as_json:
        told = proof.as_json | {"seconds": round(seconds, 3)}
        told_views = {name: view._asdict() for name, view in checked.items()}
        print_json({"verified": True} | told | {"schema": "as migrated", "views": told_views})
    else:
        _say(proof, checked)
    return 0


def _log(wiring: App, outside: TrustAnchors, *, fresh: bool) -> DatabaseProof:
    wiring.settings.make_home()
    memory = ProgressFile(wiring.settings.home / "verification", wiring.book, outside.demanded)
    if fresh:
        memory.forget()
    with progress("Verifying the log", _size(wiring)) as bar:
        try:
            proof = verify_database(
                wiring.pool,
                wiring.book,
                outside,
                memory=memory,
                progress=lambda done, _: bar.reach(done),
            )
        except KeyboardInterrupt:
            memory.flush()
            note("Broken off: the next `coverledger verify` goes on from here; with --fresh it starts anew.")
            raise
        except NotVerified:
            memory.forget()
            raise
    memory.forget()
    return proof


def _views(wiring: App) -> dict[str, CheckedView]:
    """Check all that is folded from the feed; by name. Raises NotVerified."""
    checked = {}
    for name, check in sorted(wiring.parts.view_checks.items()):
        with progress(f"Verifying {name}", _size(wiring)) as bar:
            checked[name] = _checked(check, wiring, bar)
    return checked


def _checked(check: ViewCheck, wiring: App, bar: Reach) -> CheckedView:
    return check(wiring, lambda done, _: bar.reach(done))


def _size(wiring: App) -> int:
    with wiring.pool.connection() as connection:
        return log_size(connection, wiring.book)


def _say(proof: DatabaseProof, views: dict[str, CheckedView]) -> None:
    click.echo(f"verified: {proof.size:,} events in {proof.streams:,} streams, {proof.heads:,} signed heads")
    click.echo("schema: its guards, views and rights are as the migrations make them")
    for name, view in views.items():
        where = "" if view.position == proof.size - 1 else f" up to position {view.position:,}"
        click.echo(f"{name}: {view.rows:,} rows, as the feed gives them{where}")
    for key in proof.signed_by:
        click.echo(f"proven up to {proof.proven:,} events by a head signed by {key}")
    for head in proof.heads_given:
        click.echo(f"head given: {head.origin}, {head.size:,} events: the log extends it")
    for cosigned in proof.cosigned:
        click.echo(cosigned_line(cosigned))
    click.echo(f"log: {proof.origin}, {proof.size:,} events, root {to_base64(proof.root)}")
    _say_what_is_not_proven(proof)


def _say_what_is_not_proven(proof: DatabaseProof) -> None:
    if not proof.size:
        note("Nothing is sealed yet: there is nothing to prove.")
    for parting in proof.partings:
        note(_parting_line(parting))
    if proof.heads_not_checked:
        note(
            f"{proof.heads_not_checked:,} older heads are signed by keys that were not given: the log passes "
            "through them, their signatures are not checked."
        )
    if proof.resumed_at:
        note(
            f"Read from position {proof.resumed_at:,} on; below it an earlier run had. --fresh "
            "reads it all again."
        )
    if proof.proven < proof.size:
        note(
            f"No signed head covers the last {proof.size - proof.proven:,} events yet, sealed since "
            f"{proof.unsigned_since}: coverledger checkpoint signs."
        )
    if proof.waiting:
        note(
            f"{proof.waiting:,} events wait for their position, the first since {proof.waiting_since}: "
            "nothing is proven of them yet but their own form."
        )


def _parting_line(parting: Parting) -> str:
    """Return what was given up when an epoch began, and on whose word."""
    lost = f", where {parting.lost_size:,} had been signed" if parting.lost_size else ""
    shown = (
        f"{parting.heads_given:,} of the heads given show what came before"
        if parting.heads_given
        else "no head from outside that was signed before it was given (--since), so that what was given up "
        "rests on the word of who runs the ledger"
    )
    return (
        f"Epoch {parting.epoch} parted from what was before at position {parting.from_position:,}{lost} "
        f"({parting.because}): {shown}."
    )
