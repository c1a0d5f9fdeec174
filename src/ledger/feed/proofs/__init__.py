"""What lets an auditor check a history without trusting us: pure, importable without a database.

Standard library and `cryptography` only. The modules, from the ground up:

- `refused`: what is raised when something does not prove what it claims
- `merkle`, `merkle_proof`: the tree of RFC 9162, its nodes, roots and proofs
- `note`, `checkpoint`: signed heads (C2SP signed-note and tlog-checkpoint)
- `tiles`, `tile_reader`: the tree and its entries as files (C2SP tlog-tiles)
- `proof_file`: proofs as files (C2SP tlog-proof, tlog-witness)
- `leaf`, `stream_chain`: what one leaf says, and how the leaves of a stream hang together
- `contract_evidence`, `contract_file`: one contract with its claims, and its proof in one file
- `keyfile`, `kept_head`: the signing key and the head kept beside it
- `bundle`: a whole log as a folder, written and verified
"""
