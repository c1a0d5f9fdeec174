"""The time side of the claims ledger: a diary of deadlines, and a sweep that brings due streams up to date.

The ledger decides. Projections show. Schedulers remind.
"""
