"""Backups: what is dumped, and how it is put back.

The data (schemas ledger, projections, schedulers) and the vault of the persons' keys are dumped apart, each
with a manifest beside it, so that a person who was erased since does not come back with the data.
"""
