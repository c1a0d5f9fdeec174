"""How things stand today: what is due, what is late, which limits are nearly used, how far the views are."""

from datetime import date, timedelta
from typing import Final

from ledger.attempts import failing
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.store.feed import checkpoint, feed_end
from ledger.store.log import log_state
from ledger.webhooks.problems import subscription_problems
from projections.asking.reader import Reader
from projections.asking.views import VIEWS
from projections.web.figures import due_counts, late_number
from projections.web.queries import LIMITS, DueWanted, due_page, late, nearly_used

SOON_DAYS: Final = 14
ROWS: Final = 12
NEARLY_PERCENT: Final = 80

VIEWS_OF_TODAY: Final = ("due", "limits")

Standing = dict[str, object]


def standing(reader: Reader, today: date) -> Standing:
    """Say how things stand. `today`: the book's present day."""
    soon = DueWanted(status="open", before=today + timedelta(days=SOON_DAYS + 1))
    late_rows = late(reader, ROWS)
    due_rows = due_page(reader, soon, None, ROWS)
    counts = due_counts(reader, soon)
    used = nearly_used(reader.connection, reader.source(LIMITS), today, NEARLY_PERCENT, ROWS)
    log = log_state(reader.connection, reader.book)
    end = feed_end(reader.connection, reader.book)
    views = {name: end - checkpoint(reader.connection, reader.book, name) for name in VIEWS}
    signed = None if log.signed is None else peek_checkpoint(log.signed)
    return {
        "today": today,
        "until": today + timedelta(days=SOON_DAYS),
        "late": [_row(row) for row in late_rows],
        "late_number": late_number(reader),
        "due_soon": [_row(row) for row in due_rows],
        "due_soon_number": sum(counts.values()),
        "due_soon_by_kind": dict(counts),
        "limits_nearly_used": used,
        "position": end,
        "lag_by_view": views,
        "unsigned": None if signed is None else end + 1 - signed.size,
        "signed_size": None if signed is None else signed.size,
        "origin": log.origin,
        "parked": [
            {"worker": one.worker, "item": one.item, "error": one.error, "since": one.first_at}
            for one in failing(reader.connection, reader.book)
            if one.is_parked
        ],
        "subscribers": [
            {
                "subscription": one.subscription,
                "problem": one.problem,
                "events": one.events,
                "since": one.since,
                "error": one.error,
            }
            for one in subscription_problems(reader.connection, reader.book)
        ],
    }


def _row(row: dict[str, object]) -> dict[str, object]:
    return {
        name: value for name, value in row.items() if name not in {"contract", "subject_position", "opening"}
    }
