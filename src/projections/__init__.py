"""The read side of the claims ledger: views folded from the feed.

The ledger decides. Projections show. Schedulers remind.
"""
