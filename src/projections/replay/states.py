"""States for reading: by the names that views and lists give to things, so that changes can be followed."""

import json

from ledger.domain.contract.state import Contract, limit_rows
from ledger.domain.dispatch import State, state_to_json
from projections.replay.changes import Json

Fields = dict[str, Json]

UNSAID = frozenset({"deadlines", "last_at", "usages", "years_begun", "named_first"})
"""What is told in other words, or stands beside each change anyway."""


def readable(state: State | None) -> Fields:
    """Give a state as JSON: due rows by kind and number, limits by insurance year and guarantee.

    None, a stream that has not begun, has nothing to read.
    """
    if state is None:
        return {}
    whole: Fields = json.loads(state_to_json(state))
    told = {name: value for name, value in whole.items() if name not in UNSAID}
    if isinstance(state, Contract):
        told |= {"status": state.status, "ends_on": state.ends_on.isoformat()} | _limits(state)
    return told | _due(state)


def _due(state: State) -> Fields:
    return {
        f"due.{row.kind}.{row.seq}": {
            "due_on": row.due_on.isoformat(),
            "status": row.status,
            "met_on": None if row.met_on is None else row.met_on.isoformat(),
        }
        for row in state.deadlines
    }


def _limits(contract: Contract) -> Fields:
    return {
        f"limits.{row.insurance_year}.{row.guarantee}": {
            "amount_consumed_cents": row.amount_consumed_cents,
            "amount_reserved_cents": row.amount_reserved_cents,
            "count_consumed": row.count_consumed,
            "count_reserved": row.count_reserved,
        }
        for row in limit_rows(contract)
    }
