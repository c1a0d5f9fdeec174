"""The time side of the claims ledger: the diary of deadlines and the sweep that brings due streams up to date.

The ledger decides. Projections show. Schedulers remind.
"""
