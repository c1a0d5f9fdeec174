"""What a deadline policy is, and how several of them fold one event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.domain.deadlines.deadline import Deadline, DeadlineRule, Diarise, Strike
from ledger.domain.entries import Recorded
from ledger.domain.event import Event
from ledger.domain.statuses import DeadlineKind


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of one kind of due date.

    `react` gives what an event makes of the kind's rows: strokes through those that stand, further rows, in
    order.
    """

    kind: DeadlineKind
    rule: DeadlineRule
    listens_to: frozenset[type[Event]]
    react: Callable[[Recorded], Sequence[Diarise | Strike]]


def fold_with(
    policies: Sequence[Policy], rows: tuple[Deadline, ...], recorded: Recorded
) -> tuple[Deadline, ...]:
    """Fold one event into the rows of one subject by each policy in turn."""
    for policy in policies:
        if type(recorded.event) in policy.listens_to:
            for reaction in policy.react(recorded):
                rows = _applied(policy, rows, recorded, reaction)
    return rows


def _applied(
    policy: Policy, rows: tuple[Deadline, ...], recorded: Recorded, reaction: Diarise | Strike
) -> tuple[Deadline, ...]:
    if isinstance(reaction, Strike):
        return tuple(reaction.through(row) if row.kind == policy.kind else row for row in rows)
    seq = 1 + sum(row.kind == policy.kind for row in rows)
    return (
        *rows,
        Deadline(
            recorded.stream,
            policy.kind,
            policy.rule,
            seq,
            reaction.raw_due_on,
            reaction.due_on,
            reaction.alert_on,
        ),
    )
