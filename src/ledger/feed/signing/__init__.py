"""Signing: the sealer's word for what the log holds, given only where it extends every word given before.

- `growing`: complete nodes of the Merkle log, stored in the transaction that seals
- `places`: the files beside the database: signing key, last signed head, epochs
- `extending`: whether the log as it stands extends what was signed before
- `signer`: signs the head, about once a second while something is sealed
- `epochs`: begins a new epoch after the log was put back
"""
