"""Rotations of keys, as commands do them."""

from ledger.commands.options import opened
from ledger.logs import log_to_stderr
from ledger.settings import Settings
from ledger.store.keys import MasterKeys
from ledger.store.master_rotation import rotate_masters
from ledger.store.pool import Pool
from ledger.wiring import reached


def rotate_master() -> dict[str, object]:
    """Rotate the master key of the whole database. Raises KeyFileRefused, MasterKeyMissing, Unreachable."""
    log_to_stderr(quiet=True)
    settings = Settings.load()
    with reached(settings) as ways, Pool(ways.migrate, size=1, name="coverledger keys") as pool:
        rotation = rotate_masters(pool, MasterKeys.read(settings.master_key_path))
    return {
        "current": rotation.current,
        "destroyed": sorted(rotation.destroyed),
        "persons": rotation.persons,
        "book_keys": rotation.book_keys,
    }


def rotate_signing(book: str) -> dict[str, object]:
    """Rotate the signing key of one book's log. Raises LogForked, KeyFileRefused, NothingToRotate."""
    with opened(book) as wiring:
        wiring.seal()
        wiring.finish()
        keys = wiring.signer.rotate()
    return {
        "book": book,
        "verifier_key": str(keys.signer.verifier_key),
        "from_size": keys.from_size,
        "retired": [str(key) for key in reversed(keys.verifier_keys[1:])],
        "outgoing": [
            {"verifier_key": str(old.signer.verifier_key), "until": old.until.isoformat()}
            for old in keys.outgoing
        ],
    }
