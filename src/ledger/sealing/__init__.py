"""Sealing: the sealer's word for what the log holds, given only where it extends every word given before.

- `sealer`: gives each committed event its position, and its place in the Merkle log
- `checkpoints`: complete nodes of the log, and whether it extends what was signed before
- `signer`: signs the head, about once a second while something is sealed
- `key_files`, `signing_keys`: the files beside the database: signing key, last signed head, epochs
- `epochs`: begins a new epoch after the log was put back
"""
