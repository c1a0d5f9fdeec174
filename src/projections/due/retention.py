"""Until when the records of ended contracts are kept (R13): folded when asked, for many streams tell it."""

from collections.abc import Iterable

from ledger.domain.retention import (
    LISTENED_TO,
    KeptClaim,
    KeptContract,
    keep_claim,
    keep_contract,
    paid,
    retention,
)
from ledger.feed.reader import FeedEvent

TYPES = frozenset(event.stable_name for event in LISTENED_TO)


def retentions(events: Iterable[FeedEvent]) -> list[dict[str, object]]:
    """Give the rows of these contracts, in the order in which they were recorded."""
    contracts: dict[str, KeptContract] = {}
    claims: dict[str, KeptClaim] = {}
    for event in events:
        if event.type not in TYPES:
            continue
        number = event.stream.number
        if event.stream.kind == "contract":
            contract = keep_contract(contracts.get(number), event.recorded)
            if contract is not None:
                contracts[number] = contract
        else:
            claim = keep_claim(claims.get(number), event.recorded)
            if claim is not None:
                claims[number] = claim
                if claim.contract in contracts:
                    contracts[claim.contract] = paid(contracts[claim.contract], claim)
    rows = [retention(contract) for contract in contracts.values()]
    return [
        {
            "subject": row.subject.subject,
            "kind": row.kind,
            "rule": row.rule,
            "raw_due_on": row.raw_due_on,
            "due_on": row.due_on,
            "alert_on": row.alert_on,
            "status": row.status,
            "met_on": None,
        }
        for row in rows
        if row is not None
    ]
