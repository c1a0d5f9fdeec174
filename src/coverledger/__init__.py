"""The program `coverledger`: ledger, projections and schedulers, composed with what plug-ins add."""
