"""The composition root: opens one book of the ledger and hands out its parts.

    with opened("cyber-care") as wiring:
        wiring.ledger.submit(...)
        wiring.catch_up("limits")

Used by every command and by `up`. What stands above the ledger (views, diary) comes in through entry
points: group `claims_ledger.followers` (name → factory(wiring) → Follower), `claims_ledger.services`
(name → callable(wiring, stop: threading.Event)), `claims_ledger.sweeps` (name → callable(wiring,
until: datetime | None) → number of events that time recorded).
"""
