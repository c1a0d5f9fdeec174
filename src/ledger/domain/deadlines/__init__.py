"""Due dates: one pure policy a kind, folded alike by the aggregates, the `due` view and the diary.

A policy says what an event makes of its kind's rows: `react(recorded)` gives the rows to diarise and the
strokes through those that stand. No policy knows another.
"""

from ledger.domain.deadlines.deadline import (
    Deadline,
    DeadlineRule,
    takes_effect_at,
)
from ledger.domain.deadlines.folding import LISTENED_TO, fold_deadlines

__all__ = [
    "LISTENED_TO",
    "Deadline",
    "DeadlineRule",
    "fold_deadlines",
    "takes_effect_at",
]
