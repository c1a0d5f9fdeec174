"""The page in each bundle that tells an auditor what it is and how to check it."""

from collections.abc import Sequence

from ledger.feed.proofs.checkpoint import Checkpoint
from ledger.feed.proofs.note import VerifierKey

_PAGE = """# The ledger {origin}, {size} events

A complete, signed copy of one book's history. It is checked offline, with a verifier key that you were
given **elsewhere than in this folder**.

    coverledger verify . --key '<verifier key>'
    coverledger verify . --key '<verifier key>' --since <a checkpoint that you kept> --contract <number>

A head that was signed before a key was changed needs the older key too: give `--key` more than once.
`verifier.keys` lists the keys as this ledger names them; compare them with what you were given:

{keys}

## What is in it

| path | what it holds |
|---|---|
| `checkpoint` | the signed head (C2SP tlog-checkpoint): origin, number of events, root of the Merkle tree |
| `checkpoints` | every head signed before it, by rising size, parted by empty lines |
| `tile/<L>/<N>` | the Merkle tree (C2SP tlog-tiles, RFC 6962 hashes, SHA-256) |
| `tile/entries/<N>` | the leaves, 256 a file, each behind its length as a big-endian 16-bit number |
| `payload/<N>` | the payloads in the same order, each behind its length as a big-endian **32-bit** number |
| `schemas/` | JSON Schemas of the payloads, one a type and version |
| `verifier.keys` | the public keys of the log, the current one first |
| `SHA256SUMS` | sums of the files that the log does not cover; they guard against damage, not against us |

`<N>` is written in groups of three digits, all but the last behind an `x` (`x001/x234/067`). The last file of
a row may hold fewer than 256: its name then ends in `.p/` and the number (`000.p/15`).

Position P (from 0) is record P mod 256 of file P div 256. Its leaf is canonical JSON (RFC 8785): who, when,
which stream and version, and two hashes: `payload_sha256`, the SHA-256 of the payload's bytes, and `prev`,
the leaf hash of the event before it in its stream. A leaf hash is SHA-256 of the byte 00 and the leaf.

Any client of C2SP tlog-tiles can check `checkpoint`, `tile/` and its entries without our program. What is
ours alone are the payloads and the chains inside the streams, as described above.

## What is proven, and what is not

Proven, as of this head: that these are all events of this log, in this order, and that none that an older
head covers was altered, removed or put in since that head was signed; that every stream is without gaps;
that each payload is the one that was recorded. A contract's stream names each claim that was opened on it
or moved to it (`contract.ClaimRegistered`), so its evidence is complete.

Not proven: that what was entered is true; what was recorded but not yet sealed when this was exported;
that nobody was ever shown another history, unless heads were kept outside and compared (`--since`).

Personal data stands in the payloads as ciphertext only. Where a person was erased, their key is
destroyed: the ciphertext stays, so the proofs hold, and nobody can read it.
"""


def auditor_readme(head: Checkpoint, keys: Sequence[VerifierKey]) -> str:
    """Write the page for a bundle with this head and these keys."""
    lines = "\n".join(f"    {key}" for key in keys)
    return _PAGE.format(origin=head.origin, size=head.size, keys=lines)
