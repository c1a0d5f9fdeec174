"""Figures of a whole book: how things stand today, consumption, claims by guarantee, refunds by days."""

from datetime import date, timedelta
from typing import Final, TypedDict

from ledger.attempts import failing
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.store.feed import checkpoint, feed_end
from ledger.store.log import log_state
from ledger.webhooks.problems import subscription_problems
from projections.queries import cached_counts
from projections.queries.cached_counts import due_counts, late_number
from projections.queries.list_pages import DueListFilter, Rows, due_page, late, nearly_used
from projections.queries.reader import Reader
from projections.views.limits import LIMITS
from projections.views.registry import VIEWS

SOON_DAYS: Final = 14
MOST_ROWS: Final = 12
NEARLY_PERCENT: Final = 80

VIEWS_OF_TODAY: Final = ("due", "limits")


class TodayFigures(TypedDict):
    """How things stand, as `today --json` and the first page of the site have it."""

    today: date
    until: date
    late: Rows
    late_number: int
    due_soon: Rows
    due_soon_number: int
    due_soon_by_kind: dict[str, int]
    limits_nearly_used: Rows
    position: int
    lag_by_view: dict[str, int]
    unsigned: int | None
    signed_size: int | None
    origin: str
    parked: Rows
    subscribers: Rows


class OverviewFigures(TypedDict):
    """What `report overview --json` prints, and the site draws."""

    consumed_by_month: Rows
    claims_by_guarantee: Rows
    refunds_by_days: Rows
    refunds_waiting: dict[str, int]
    refund_days: int


def today_figures(reader: Reader, today: date) -> TodayFigures:
    """Return how things stand. `today`: the book's present day."""
    soon = DueListFilter(status="open", before=today + timedelta(days=SOON_DAYS + 1))
    late_rows = late(reader, MOST_ROWS)
    due_rows = due_page(reader, soon, None, MOST_ROWS)
    counts = due_counts(reader, soon)
    used = nearly_used(reader.connection, reader.source(LIMITS), today, NEARLY_PERCENT, MOST_ROWS)
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


VIEWS_OF_OVERVIEW: Final = ("claims", "due")


def overview(reader: Reader) -> OverviewFigures:
    """Return the figures as of the reader's time."""
    promised = cached_counts.promised_days()
    return {
        "consumed_by_month": cached_counts.consumed_by_month(reader),
        "claims_by_guarantee": cached_counts.claims_by_guarantee(reader),
        "refunds_by_days": cached_counts.refunds_by_days(reader, promised),
        "refunds_waiting": dict(cached_counts.refunds_waiting(reader)),
        "refund_days": promised,
    }
