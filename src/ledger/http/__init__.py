"""The ledger over HTTP: commands in, feed and log out, and the frame in which other packages' routes stand.

The ledger decides. Projections show. Schedulers remind.
"""
