"""The write side of the claims ledger: decide, record, seal, publish.

The ledger decides. Projections show. Schedulers remind.
"""
