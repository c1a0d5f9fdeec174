"""What lets an auditor check a history without trusting us: pure, importable without a database.

Standard library and `cryptography` only, and nothing else of ours. The modules, from the ground up:

- `errors`: what is raised when something does not prove what it claims
- `merkle`: the tree of RFC 9162, its nodes, roots and proofs
- `notes`, `checkpoints`: signed notes and heads, cosignatures, proofs as files (C2SP signed-note,
  tlog-checkpoint, tlog-cosignature, tlog-proof, tlog-witness)
- `tiles`: the tree and its entries as files (C2SP tlog-tiles)
- `leaf`: what one leaf says, and how the leaves of a stream hang together
- `untrusted_files`: files that nobody vouches for, read strictly
- `contract_proof`: one contract with its claims, and its proof in one file
- `bundle`, `bundle_reader`: a whole log as a folder, written and read
- `verifier`: a bundle or a proof, verified; `python -m ledger.proofs` runs it
"""
