"""The notes on retention: whatever the batches, and kept anew from the start, they are the same."""

from datetime import UTC, datetime
from random import Random

import pytest
from desk_histories import feed, record

from ledger.app import App
from ledger.domain.retention import (
    KeptClaim,
    KeptContract,
    keep_claim,
    keep_contract,
    paid,
    retention,
)
from ledger.feed.followers import FollowerRunner
from schedulers.retention import NAME, Retention
from schedulers.sweep import sweep

LATER = datetime(2037, 6, 1, tzinfo=UTC)


def by_the_domain(wiring: App) -> dict[str, object]:
    contracts: dict[str, KeptContract] = {}
    claims: dict[str, KeptClaim] = {}
    for event in feed(wiring):
        number = event.stream.number
        if event.stream.kind == "contract":
            contract = keep_contract(contracts.get(number), event.recorded)
            assert contract is not None
            contracts[number] = contract
        elif event.stream.kind == "claim":
            claim = keep_claim(claims.get(number), event.recorded)
            assert claim is not None
            claims[number] = claim
            contracts[claim.contract] = paid(contracts[claim.contract], claim)
    rows = {number: retention(contract) for number, contract in contracts.items()}
    return {f"contract/{number}": row.due_on for number, row in rows.items() if row is not None}


def noted(wiring: App) -> dict[str, object]:
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select stream, due_on from schedulers.retention where due_on is not null")
        return dict(cursor.fetchall())


@pytest.mark.parametrize("seed", [1, 8, 13])
def test_it_notes_what_the_domain_says_whatever_the_batches(simulated: App, seed: int) -> None:
    random = Random(seed)  # noqa: S311  # batches are no secrets
    record(simulated, seed)
    sweep(simulated, LATER)
    simulated.catch_up()
    at_once = noted(simulated)
    assert at_once == by_the_domain(simulated) != {}

    assert simulated.runner(NAME).start_over()
    assert noted(simulated) == {}
    runner = FollowerRunner(simulated.pool, simulated.book, Retention(simulated.book), batch=3)
    while runner.catch_up(random.randint(1, 7)):
        pass
    assert noted(simulated) == at_once
