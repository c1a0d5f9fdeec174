"""The feed: the ledger's sealed events by dense position, and those who follow it."""
