"""Beginning a new epoch: the way on for a log that does not extend what was signed, named for all to see.

What was signed before stays signed, under the old name and with the old key file; the log goes on from what
the database holds, under a new name. Everybody who read the old epoch is told from where on the two differ.
"""

import re
from collections.abc import Sequence
from typing import Final

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint
from ledger.proofs.errors import BadNote, BadProof, KeyFileRefused, LogForked
from ledger.proofs.merkle import root_from_nodes
from ledger.proofs.notes import VerifierKey
from ledger.sealing.checkpoints import complete_nodes, nodes_of, sound_log
from ledger.sealing.key_files import SigningKeys, replace_private, write_keys
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.log import (
    Epoch,
    LogState,
    database_now,
    enter_epoch,
    insert_epoch,
    lock_log,
    log_state,
    select_epochs,
    signed_heads_below,
)
from ledger.store.pool import Connection, Pool

_SUFFIX: Final = re.compile(r"/epoch-[0-9]+$")


def begin_epoch(pool: Pool, book: str, files: SigningFiles, because: str) -> Epoch | None:
    """Begin a new epoch from what the database holds; None where the log extends what was signed: no need.

    `pool` connects as the sealer's role. Broken off half-way, it is to be called again.
    Raises KeyFileRefused when the files beside the database are another log's.
    """
    with pool.transaction() as connection:
        lock_log(connection, book)
        complete_nodes(connection, book)
        if _is_sound(connection, book, files):
            return None
        standing = log_state(connection, book)
        known = _known(connection, book, files, standing)
        begun = _begun_already(files, standing, known)
        if begun is None:
            begun = _next(connection, book, files, standing, known, because)
            if files.key.exists():
                files.put_away(_epoch_of(files.keys(), known, standing))
            files.keep_epochs([*known, begun])
            for epoch in (*known, begun):
                insert_epoch(connection, book, epoch)
            enter_epoch(connection, book, begun)
    _take_the_new_name(files, begun)
    return begun


def _is_sound(connection: Connection, book: str, files: SigningFiles) -> bool:
    try:
        sound_log(connection, book, files)
    except LogForked:
        return False
    except KeyFileRefused:
        if files.key.exists():
            raise
        return False  # The key is lost: the new epoch gets a new one.
    return True


def _known(connection: Connection, book: str, files: SigningFiles, standing: LogState) -> list[Epoch]:
    """Put together all epochs that the database or the files beside it know of. Raises KeyFileRefused."""
    stored = {epoch.epoch: epoch for epoch in select_epochs(connection, book)}
    kept = {epoch.epoch: epoch for epoch in files.kept_epochs()}
    strange = [
        kept[number].origin for number in stored.keys() & kept.keys() if _differ(stored[number], kept[number])
    ]
    if files.key.exists():
        strange += [name for name in (files.keys().signer.name,) if _base(name) != _base(standing.origin)]
    if strange:
        message = (
            f"the files beside {files.key} are those of the log {strange[0]}, the database's is called "
            f"{standing.origin}: give this log's own key file (COVERLEDGER_SIGNING_KEY_FILE), or, where "
            "that other log is gone for good, move its files away"
        )
        raise KeyFileRefused(message)
    merged = stored | kept
    return [merged[number] for number in sorted(merged)]


def _differ(one: Epoch, other: Epoch) -> bool:
    return (one.origin, one.from_position) != (other.origin, other.from_position)


def _begun_already(files: SigningFiles, standing: LogState, known: Sequence[Epoch]) -> Epoch | None:
    """Return the epoch that the database has entered and the key file has not: we were broken off between."""
    [*_, last] = known
    if last.epoch != standing.epoch or standing.signed is not None or last not in files.kept_epochs():
        return None
    fresh = not files.key.exists() or files.keys().signer.name != standing.origin
    return last if fresh else None


def _next(  # noqa: PLR0913, PLR0917  # all that an epoch's row is written from
    connection: Connection,
    book: str,
    files: SigningFiles,
    standing: LogState,
    known: Sequence[Epoch],
    because: str,
) -> Epoch:
    number = known[-1].epoch + 1
    lost = _lost(files, standing)
    later = [epoch.from_position for epoch in known if epoch.epoch > standing.epoch]
    return Epoch(
        epoch=number,
        origin=f"{_base(standing.origin)}/epoch-{number}",
        from_position=min([_proven_size(connection, book, files, standing), *later]),
        begun_at=database_now(connection),
        because=because,
        lost_size=lost.size if lost else None,
        lost_root=lost.root if lost else None,
    )


def _lost(files: SigningFiles, standing: LogState) -> Checkpoint | None:
    """Return the newest head that was signed and is given up: the one kept, else the database's own."""
    if files.key.exists():
        keys = files.keys()
        kept = files.kept(keys)
        if kept is not None:
            return kept
        if standing.signed is not None:
            try:
                return open_checkpoint(standing.signed, keys.verifier_keys)
            except BadNote:
                return None
    return None


def _proven_size(connection: Connection, book: str, files: SigningFiles, standing: LogState) -> int:
    """Return the size up to which the log is shown to be the one that was signed: beyond it may differ."""
    keys = _keys_of(files, standing)
    nodes = nodes_of(connection, book)
    for size, root, note in signed_heads_below(connection, book, standing.epoch, standing.size + 1):
        try:
            head = open_checkpoint(note, keys)
            if (head.origin, head.size) == (standing.origin, size) and root_from_nodes(
                size, nodes
            ) == head.root == root:
                return size
        except (BadNote, BadProof):
            continue  # Somebody put it there; an older one will do.
    return 0


def _keys_of(files: SigningFiles, standing: LogState) -> list[VerifierKey]:
    """Return the keys that signed the heads of the epoch in which the database stands, as far as kept."""
    all_files = [files, files.of_epoch(standing.epoch)]
    return [key for there in all_files if there.key.exists() for key in there.keys().verifier_keys]


def _epoch_of(keys: SigningKeys, known: Sequence[Epoch], standing: LogState) -> int:
    """Return which epoch a key file signs for."""
    return next((epoch.epoch for epoch in known if epoch.origin == keys.signer.name), standing.epoch)


def _take_the_new_name(files: SigningFiles, epoch: Epoch) -> None:
    """Sign under the new name with the same key, or a new one if it is lost. The head kept was put away."""
    if not files.key.exists():
        files.head.unlink(missing_ok=True)
        files.create_keys(epoch.origin)
        return
    keys = files.keys()
    if keys.signer.name != epoch.origin:
        files.head.unlink(missing_ok=True)
        replace_private(files.key, write_keys(keys.renamed(epoch.origin)))


def _base(origin: str) -> str:
    return _SUFFIX.sub("", origin)
