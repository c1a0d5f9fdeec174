"""The views of a book against the second reading of its raw events."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from raw_reading import raw_claims, raw_limits

from ledger.feed.reading import FeedEvent
from projections.bordereau.fold import BORDEREAU, BordereauRow
from projections.folding.view import Row, View
from projections.limits.fold import LIMITS, LimitRow
from projections.payments.fold import PAYMENTS, PaymentRow
from projections.refunds.fold import REFUNDS, RefundRow
from projections.reserves.fold import RESERVES, ReserveRow
from projections.timeline.fold import TIMELINE

Rows = Callable[[View[Any]], Sequence[Row]]


def agree(rows_of: Rows, events: Sequence[FeedEvent]) -> int:
    """Assert that what the views hold is what the raw events add up to; number of figures compared."""
    claims = raw_claims(events)
    compared = _limits(rows_of, events)
    reserves = {row.claim: row for row in (ReserveRow(*row) for row in rows_of(RESERVES))}  # type: ignore[arg-type]
    assert reserves.keys() == claims.keys()
    for number, raw in claims.items():
        row = reserves[number]
        for name in (
            "contract", "guarantee", "incident_on", "insurance_year", "opened_position", "status", "counted",
            "loss_cents", "approved_cents", "excess_cents", "reserved_cents", "refunded_cents",
            "recovered_cents",
        ):  # fmt: skip
            assert getattr(row, name) == getattr(raw, name), (number, name)
            compared += 1
        assert row.owed_cents == raw.approved_cents - raw.refunded_cents
        assert row.net_cents == raw.refunded_cents - raw.recovered_cents
        assert row.incurred_cents == raw.approved_cents + raw.reserved_cents - raw.recovered_cents
    return compared + _money(rows_of, claims) + _steps(rows_of, claims) + _bordereau(rows_of, events)


def _limits(rows_of: Rows, events: Sequence[FeedEvent]) -> int:
    raw = raw_limits(events)
    rows = [LimitRow(*row) for row in rows_of(LIMITS)]  # type: ignore[arg-type]
    for row in rows:
        held = (
            row.amount_consumed_cents,
            row.amount_reserved_cents,
            row.count_consumed,
            row.count_reserved,
        )
        assert held == raw.get((row.contract, row.insurance_year, row.guarantee), (0, 0, 0, 0))
    assert raw.keys() <= {(row.contract, row.insurance_year, row.guarantee) for row in rows}
    return 4 * len(rows)


def _money(rows_of: Rows, claims: dict[str, Any]) -> int:
    moves: dict[str, list[Any]] = defaultdict(list)
    for row in sorted(
        (PaymentRow(*row) for row in rows_of(PAYMENTS)),  # type: ignore[arg-type]
        key=lambda row: row.number,
    ):
        moves[row.claim].append((row.moved_on, row.kind, row.paid_cents, row.received_cents))
        assert row.contract == claims[row.claim].contract
    assert moves == {number: raw.moves for number, raw in claims.items() if raw.moves}
    refunds: dict[str, list[RefundRow]] = defaultdict(list)
    for refund in sorted((RefundRow(*row) for row in rows_of(REFUNDS)), key=lambda row: row.number):  # type: ignore[arg-type]
        refunds[refund.claim].append(refund)
    for number, raw in claims.items():
        its = refunds.get(number, [])
        assert [row.submitted_on for row in its] == raw.submissions
        for row in its:
            assert (row.raw_due_on, row.days_allowed) == (row.submitted_on + timedelta(days=15), 15)
            assert (row.settled_on is None) == (row.days_taken is None)
            if row.settled_on is not None:
                assert row.days_taken == (row.settled_on - row.submitted_on).days
                assert row.in_time == (row.settled_on <= row.due_on)
        if its:
            assert (its[-1].approved_cents, its[-1].refunded_cents) == (
                raw.approved_cents,
                raw.refunded_cents,
            )
    return sum(map(len, moves.values())) + sum(map(len, refunds.values()))


def _steps(rows_of: Rows, claims: dict[str, Any]) -> int:
    steps: dict[str, list[int]] = defaultdict(list)
    for row in rows_of(TIMELINE):
        steps[str(row[0])].append(int(str(row[1])))
    assert {number: sorted(versions) for number, versions in steps.items()} == {
        number: list(range(1, raw.steps + 1)) for number, raw in claims.items()
    }
    return sum(map(len, steps.values()))


def _bordereau(rows_of: Rows, events: Sequence[FeedEvent]) -> int:
    """Each month's money by the dates of the movements; the last month by all that is known of the claim."""
    claims = raw_claims(events)
    months: dict[str, dict[date, BordereauRow]] = defaultdict(dict)
    for row in (BordereauRow(*row) for row in rows_of(BORDEREAU)):  # type: ignore[arg-type]
        months[row.claim][row.month] = row
    assert months.keys() == claims.keys()
    for number, raw in claims.items():
        its = months[number]
        for month, row in its.items():
            paid = [(on.replace(day=1), cents) for on, _, cents, _ in raw.moves]
            received = [(on.replace(day=1), cents) for on, _, _, cents in raw.moves]
            assert row.paid_cents == sum(cents for on, cents in paid if on == month)
            assert row.paid_before_cents == sum(cents for on, cents in paid if on < month)
            assert row.recovered_cents == sum(cents for on, cents in received if on == month)
            assert row.recovered_before_cents == sum(cents for on, cents in received if on < month)
        last = its[max(its)]
        assert (last.status, last.approved_cents, last.contract) == (
            raw.status,
            raw.approved_cents,
            raw.contract,
        )
        assert last.outstanding_cents == raw.approved_cents - raw.refunded_cents + raw.reserved_cents
    return sum(map(len, months.values()))
