"""How a subscription is shown, to people and to programs."""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.feed.subscriptions.register import Standing
    from ledger.store.deliveries import Kept

HEADERS = ("Name", "Kind", "State", "Position", "Lag", "Waiting", "Parked", "Last failure")


def as_json_object(standing: "Standing") -> dict[str, object]:
    """Give what `--json` prints; instants in UTC."""
    found, backlog = standing.subscription, standing.backlog
    return {
        "name": found.name,
        "kind": found.kind,
        "target": found.target,
        "types": None if found.types is None else list(found.types),
        "state": found.state,
        "because": found.because,
        "position": found.position,
        "lag": standing.lag,
        "waiting": backlog.waiting,
        "parked": backlog.parked,
        "failing_since": _written(backlog.failing_since),
        "next_try_at": _written(backlog.next_try_at),
        "last_taken_at": _written(found.taken_at),
        "last_failure": found.told,
        "waits_until": _written(found.waits_until),
        "created_at": _written(found.created_at),
    }


def as_cells(standing: "Standing") -> tuple[object, ...]:
    """Give one row for people, under HEADERS."""
    found, backlog = standing.subscription, standing.backlog
    state = f"{found.state}: {found.because}" if found.because else found.state
    return (
        found.name,
        found.kind,
        state,
        found.position,
        standing.lag,
        backlog.waiting,
        backlog.parked,
        found.told,
    )


def kept_as_json(kept: "Kept") -> dict[str, object]:
    """Give one event that was not taken yet."""
    return {
        "position": kept.position,
        "state": kept.state,
        "tries": kept.tries,
        "failing_since": _written(kept.failed_at),
        # What stands behind another event of its contract waits for that one.
        "next_try_at": _written(kept.due_at) if kept.state == "waiting" and kept.tries else None,
        "last_failure": kept.told,
    }


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")
