"""`verify` of the database: the log, and with `--views` what was folded from it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import entry_points
from time import monotonic
from typing import TYPE_CHECKING, cast

import click

from ledger.commands.import_report import Reach, progress
from ledger.commands.output import note, print_json
from ledger.commands.verify_outcome import not_verified, root_text
from ledger.feed.proofs.note import VerifierKey
from ledger.feed.verification.audit import DatabaseProof, verify_database
from ledger.feed.verification.checked_view import CheckedView, Progress
from ledger.feed.verification.epochs import log_size
from ledger.feed.verification.fault import NotVerified
from ledger.feed.verification.outside import Outside, as_given, beside_the_key
from ledger.feed.verification.standing_file import StandingFile
from ledger.wiring import opened

if TYPE_CHECKING:
    from ledger.wiring import Wiring

VIEW_CHECKS_GROUP = "claims_ledger.view_checks"
"""Name → callable(wiring, progress) → CheckedView; raises NotVerified."""

ADVICE = "; leave the database as it is, find out who changed it, and restore a backup that verifies"
VIEW_ADVICE = "; find out who changed it, then `claims-ledger projections rebuild --all` puts the views right"

ViewCheck = Callable[["Wiring", Progress], CheckedView]


def run(  # noqa: PLR0913  # one option each
    book: str, keys: Sequence[VerifierKey], since: Sequence[str], *, views: bool, fresh: bool, as_json: bool
) -> int:
    """Verify the database; gives the exit code. Raises Refused when it does not verify."""
    with opened(book, creates=False) as wiring:
        begun = monotonic()
        try:
            proof = _log(wiring, _outside(wiring, keys, since), fresh=fresh)
        except NotVerified as fault:
            raise not_verified(fault, as_json=as_json, advice=ADVICE) from fault
        seconds = monotonic() - begun
        try:
            checked = _views(wiring) if views else {}
        except NotVerified as fault:
            raise not_verified(fault, as_json=as_json, advice=VIEW_ADVICE) from fault
    if as_json:
        told = asdict(proof) | {"root": root_text(proof.root), "seconds": round(seconds, 3)}
        told_views = {name: view._asdict() for name, view in checked.items()}
        print_json({"verified": True} | told | {"views": told_views})
    else:
        _say(proof, checked)
    return 0


def _outside(wiring: "Wiring", keys: Sequence[VerifierKey], since: Sequence[str]) -> Outside:
    """Take the keys that were given, else those beside the database; the kept head goes with the latter."""
    return as_given(keys, since) if keys else beside_the_key(wiring.signing_place, since)


def _log(wiring: "Wiring", outside: Outside, *, fresh: bool) -> DatabaseProof:
    wiring.settings.make_home()
    memory = StandingFile(wiring.settings.home / "verification", wiring.book)
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
            note(
                "Broken off: the next `claims-ledger verify` goes on from here; with --fresh it starts anew."
            )
            raise
        except NotVerified:
            memory.forget()
            raise
    memory.forget()
    return proof


def _views(wiring: "Wiring") -> dict[str, CheckedView]:
    """Check all that is folded from the feed; by name. Raises NotVerified."""
    checked = {}
    for point in sorted(entry_points(group=VIEW_CHECKS_GROUP), key=lambda point: point.name):
        check = cast("ViewCheck", point.load())
        with progress(f"Verifying {point.name}", _size(wiring)) as bar:
            checked[point.name] = _checked(check, wiring, bar)
    return checked


def _checked(check: ViewCheck, wiring: "Wiring", bar: Reach) -> CheckedView:
    return check(wiring, lambda done, _: bar.reach(done))


def _size(wiring: "Wiring") -> int:
    with wiring.pool.connection() as connection:
        return log_size(connection, wiring.book)


def _say(proof: DatabaseProof, views: dict[str, CheckedView]) -> None:
    click.echo(f"verified: {proof.size:,} events in {proof.streams:,} streams, {proof.heads:,} signed heads")
    for name, view in views.items():
        where = "" if view.position == proof.size - 1 else f" up to position {view.position:,}"
        click.echo(f"{name}: {view.rows:,} rows, as the feed gives them{where}")
    click.echo(f"log: {proof.origin}, {proof.size:,} events, root {root_text(proof.root)}")
    if proof.resumed_at:
        note(
            f"Read from position {proof.resumed_at:,} on; below it an earlier run had. --fresh "
            "reads it all again."
        )
    if proof.proven < proof.size:
        note(
            f"No signed head covers the last {proof.size - proof.proven:,} events yet: "
            "claims-ledger checkpoint signs."
        )
    if proof.waiting:
        note(
            f"{proof.waiting:,} events wait for their position: nothing is proven of them yet "
            "but their own form."
        )
