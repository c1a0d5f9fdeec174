"""Persons whose data the ledger holds: opened on the record, exported, erased for good, held for a court.

What is personal stands in events as ciphertext under each person's own key (`ledger.store.vault`). Here
is all that may open it (`opening`, `exporting`), each time leaving a line in the access log, and what
destroys the key (`erasing`), unless a legal hold forbids it (`holds`).
"""
