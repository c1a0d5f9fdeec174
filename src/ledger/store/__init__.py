"""The write side's store: psycopg2 on Postgres, append-only, with personal data sealed per person.

`Pool` lends connections. `EventStore.load` reads all that a decision needs in one query, `EventStore.append`
records a `Commit` in one round trip. `Books` keeps the books' rows. `MasterKeys` reads the file of the keys
that wrap all others.
"""
