"""Every movement of money on a claim: refunds paid, failed and taken back, and what third parties paid."""

from datetime import date
from typing import Annotated, Final, NamedTuple

from pydantic import TypeAdapter

from ledger.domain.claim.events import (
    ClaimMoved,
    ClaimOpened,
    RecoveryReceived,
    RefundFailed,
    RefundIssued,
    RefundReversed,
)
from ledger.domain.codes import GUARANTEES
from ledger.feed.reader import FeedEvent
from projections.listing import (
    POSITION,
    ClaimNumber,
    Column,
    ContractNumber,
    Filter,
    GuaranteeCode,
    Kinds,
    Listing,
    PaidCents,
    RowNumber,
)
from projections.runner.view import Folded, Since, Table, View


class PaymentRow(NamedTuple):
    """One movement. What the insurer paid out stands in `paid_cents`, taken back as a negative amount."""

    claim: ClaimNumber
    number: RowNumber
    opened_position: int
    contract: ContractNumber
    guarantee: GuaranteeCode
    kind: Kinds
    """`refund`, `refund_failed`, `refund_reversed`, `recovery`."""
    moved_on: Annotated[date, Column("On", "day", "Date of the movement.")]
    paid_cents: PaidCents
    received_cents: Annotated[int, Column("Received", "amount", "Received from a third party, cents.")]
    payment_reference: Annotated[str | None, Column("Reference", "text", "Reference of the payment.")]
    payer: Annotated[str | None, Column("", "text", "Who paid the insurer back, as a code.", "payer")]


class Payments(NamedTuple):
    """A claim's movements up to now."""

    opened_position: int
    contract: str
    guarantee: str
    rows: tuple[PaymentRow, ...] = ()


Movement = RefundIssued | RefundFailed | RefundReversed | RecoveryReceived

TABLE = Table("projections.payments", PaymentRow._fields, identity=2)

_TAKEN_BACK = {RefundFailed: "refund_failed", RefundReversed: "refund_reversed"}


def fold(payments: Payments | None, event: FeedEvent, _: Since) -> Folded[Payments] | None:
    """Fold one event of a claim."""
    match event.event:
        case ClaimOpened() as opened:
            return Folded(Payments(event.position, opened.contract, opened.guarantee))
        case ClaimMoved() as moved if payments is not None:
            rows = tuple(row._replace(contract=moved.contract) for row in payments.rows)
            return Folded(payments._replace(contract=moved.contract, rows=rows), rows)
        case RefundIssued() | RefundFailed() | RefundReversed() | RecoveryReceived() as movement:
            if payments is None:
                # Folded for a date on which the claim had not begun.
                return None
            row = _row(event.stream.number, payments, movement, event.effective_on)
            return Folded(payments._replace(rows=(*payments.rows, row)), (row,))
        case _:
            return None


def _row(claim: str, payments: Payments, movement: Movement, moved_on: date) -> PaymentRow:
    kind, paid, received, reference, payer = _said(movement)
    return PaymentRow(
        claim,
        len(payments.rows) + 1,
        payments.opened_position,
        payments.contract,
        payments.guarantee,
        kind,
        moved_on,
        paid,
        received,
        reference,
        payer,
    )


def _said(movement: Movement) -> tuple[str, int, int, str | None, str | None]:
    match movement:
        case RefundIssued():
            return "refund", movement.amount_cents, 0, movement.payment_reference, None
        case RefundFailed() | RefundReversed():
            kind = _TAKEN_BACK[type(movement)]
            return kind, -movement.amount_cents, 0, movement.payment_reference, None
        case RecoveryReceived():
            return "recovery", 0, movement.amount_cents, None, movement.payer


_REMEMBERED = TypeAdapter(Payments)

PAYMENTS: View[Payments] = View(
    name="payments",
    types=frozenset(
        event.stable_name
        for event in (
            ClaimOpened,
            ClaimMoved,
            RefundIssued,
            RefundFailed,
            RefundReversed,
            RecoveryReceived,
        )
    ),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=lambda payments: _REMEMBERED.dump_json(payments).decode(),
    from_text=_REMEMBERED.validate_json,
)


LISTED: Final = Listing(
    name="payments",
    summary="Every movement of money on claims",
    row=PaymentRow,
    of=PAYMENTS,
    is_report=True,
    order=("opened_position", "number"),
    filters=(
        Filter("contract", "Only on this contract."),
        Filter("claim", "Only on this claim."),
        Filter("guarantee", "Only on claims under this guarantee.", choices=GUARANTEES),
        Filter("since", "Only what moved on this date or later.", "moved_on >= %(since)s"),
        Filter("before", "Only what moved before this date.", "moved_on < %(before)s"),
    ),
    computed=(POSITION,),
    table="claim contract guarantee kind moved_on paid_cents received_cents payment_reference payer",
    left_out="guarantee contract payment_reference payer",
    page="claim contract guarantee kind moved_on paid_cents received_cents payment_reference position",
)
