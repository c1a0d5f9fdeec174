"""What is left of each limit: one row for each guarantee of each insurance year begun (I1, I6, I7, D7)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Final, NamedTuple, get_args

from pydantic import TypeAdapter

from ledger.domain.calendar import term_end, term_start
from ledger.domain.codes import GUARANTEES, ContractStatus
from ledger.domain.contract.events import (
    ContractRenewed,
    ContractStarted,
    LimitConsumed,
    LimitConsumptionReversed,
    LimitReleased,
    LimitReserved,
)
from ledger.domain.terms import load_terms
from ledger.feed.reader import FeedEvent
from projections.listing import (
    Column,
    Computed,
    ContractNumber,
    Filter,
    GuaranteeCode,
    InsuranceYear,
    Listing,
)
from projections.runner.view import Folded, Since, Table, View


class LimitRow(NamedTuple):
    """One guarantee in one insurance year of one contract; no limit where it is None. Amounts in cents."""

    contract: ContractNumber
    insurance_year: InsuranceYear
    guarantee: GuaranteeCode
    guarantee_order: int
    contract_position: int
    from_on: Annotated[date, Column("", "day", "First day of the insurance year.", "from")]
    to_on: Annotated[
        date,
        Column("", "day", "First day of the next insurance year, even where cover ends earlier.", "to"),
    ]
    """Even where cover ends earlier (D7)."""
    amount_limit_cents: Annotated[
        int | None, Column("of", "amount", "Limit of the amount in the insurance year, cents; null: none.")
    ]
    amount_consumed_cents: Annotated[
        int,
        Column(
            "",
            "amount",
            "Consumed by accepted claims, cents.",
            "amount consumed",
            limit="amount_limit_cents",
        ),
    ]
    amount_reserved_cents: Annotated[
        int, Column("", "amount", "Reserved while an expert stands, cents.", "amount reserved")
    ]
    count_limit: Annotated[
        int | None,
        Column("of", "number", "Limit of the number of claims in the insurance year; null: none."),
    ]
    count_consumed: Annotated[
        int, Column("", "number", "Claims that count.", "claims counted", limit="count_limit")
    ]
    count_reserved: Annotated[
        int,
        Column("", "number", "Claims counted in advance while an expert stands.", "claims reserved"),
    ]


class ContractLimits(NamedTuple):
    """All that the limits of one contract rest on."""

    product: str
    terms: str
    starts_on: date
    contract_position: int
    rows: dict[str, LimitRow]
    """By insurance year and guarantee: `1/payment`."""


Moved = LimitReserved | LimitReleased | LimitConsumed | LimitConsumptionReversed

TABLE = Table("projections.limits", LimitRow._fields, identity=3)


def fold(limits: ContractLimits | None, event: FeedEvent, _: Since) -> Folded[ContractLimits] | None:
    """Fold one event of a contract."""
    match event.event:
        case ContractStarted() as started:
            limits = ContractLimits(started.product, started.terms, started.starts_on, event.position, {})
            return _year_begun(limits, event.stream.number, 1)
        case ContractRenewed() as renewed if limits is not None:
            return _year_begun(limits, event.stream.number, renewed.term)
        case LimitReserved() | LimitReleased() | LimitConsumed() | LimitConsumptionReversed() as moved:
            return None if limits is None else _moved(limits, moved)
        case _:
            return None


def _year_begun(limits: ContractLimits, contract: str, year: int) -> Folded[ContractLimits]:
    """Open the rows of an insurance year, its limits not drawn on (R11). Counted from S (R3)."""
    terms = load_terms(limits.product, limits.terms)
    from_on = term_start(limits.starts_on, year, terms.periods)
    to_on = term_end(limits.starts_on, year, terms.periods)
    begun: dict[str, LimitRow] = {}
    for order, guarantee in enumerate(terms.guarantees):
        name = f"{year}/{guarantee.code}"
        if name in limits.rows:
            continue
        begun[name] = LimitRow(
            contract=contract,
            insurance_year=year,
            guarantee=guarantee.code,
            guarantee_order=order,
            contract_position=limits.contract_position,
            from_on=from_on,
            to_on=to_on,
            amount_limit_cents=guarantee.amount_limit_cents,
            amount_consumed_cents=0,
            amount_reserved_cents=0,
            count_limit=guarantee.count_limit,
            count_consumed=0,
            count_reserved=0,
        )
    return Folded(limits._replace(rows={**limits.rows, **begun}), tuple(begun.values()))


def _moved(limits: ContractLimits, moved: Moved) -> Folded[ContractLimits] | None:
    """Move what is consumed or reserved of one row."""
    name = f"{moved.insurance_year}/{moved.guarantee}"
    row = limits.rows.get(name)
    if row is None:
        # Folded for a date on which that insurance year had not begun.
        return None
    after = _MOVES[type(moved)](row, moved)
    if after == row:
        # A further acceptance that consumes nothing (D15) makes no row: each names the event that made it so.
        return None
    return Folded(limits._replace(rows={**limits.rows, name: after}), (after,))


def _consumed(row: LimitRow, by: Moved, sign: int) -> LimitRow:
    return row._replace(
        amount_consumed_cents=row.amount_consumed_cents + sign * by.amount_cents,
        count_consumed=row.count_consumed + sign * by.count,
    )


def _reserved(row: LimitRow, by: Moved, sign: int) -> LimitRow:
    return row._replace(
        amount_reserved_cents=row.amount_reserved_cents + sign * by.amount_cents,
        count_reserved=row.count_reserved + sign * by.count,
    )


_MOVES: Mapping[type[Moved], Callable[[LimitRow, Moved], LimitRow]] = {
    LimitConsumed: lambda row, by: _consumed(row, by, 1),
    LimitConsumptionReversed: lambda row, by: _consumed(row, by, -1),
    LimitReserved: lambda row, by: _reserved(row, by, 1),
    LimitReleased: lambda row, by: _reserved(row, by, -1),
}


_REMEMBERED = TypeAdapter(ContractLimits)

LIMITS: View[ContractLimits] = View(
    name="limits",
    types=frozenset(
        event.stable_name
        for event in (
            ContractStarted,
            ContractRenewed,
            LimitReserved,
            LimitReleased,
            LimitConsumed,
            LimitConsumptionReversed,
        )
    ),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=lambda limits: _REMEMBERED.dump_json(limits).decode(),
    from_text=_REMEMBERED.validate_json,
    version=2,
)


LISTED: Final = Listing(
    name="limits",
    summary="What is consumed and what is left of each limit, for each insurance year begun",
    row=LimitRow,
    of=LIMITS,
    further_views=("claims", "contracts"),
    order=("contract_position", "insurance_year", "guarantee_order"),
    filters=(
        Filter("contract", "Only this contract's."),
        Filter("claim", "Only those that this claim draws on: its contract, guarantee and insurance year."),
        Filter("guarantee", "Only this guarantee's.", choices=GUARANTEES),
        Filter("status", "Only of contracts with this status.", choices=get_args(ContractStatus)),
        Filter("before", "Only insurance years that begin before this date.", "from_on < %(before)s"),
    ),
    conditions={
        "contracts": "contract = any(%(contracts)s)",
        "insurance_year": "insurance_year = %(insurance_year)s",
    },
    computed=(
        Computed(
            "amount_remaining_cents",
            Annotated[
                int | None,
                Column(
                    "Amount left",
                    "amount",
                    "Limit less consumed and reserved, cents; null: no limit.",
                    is_rest=True,
                ),
            ],
            "amount_limit_cents - amount_consumed_cents - amount_reserved_cents",
        ),
        Computed(
            "count_remaining",
            Annotated[
                int | None,
                Column(
                    "Claims left", "number", "Limit less consumed and reserved; null: no limit.", is_rest=True
                ),
            ],
            "count_limit - count_consumed - count_reserved",
        ),
    ),
    columns_in_order="contract insurance_year from_on to_on guarantee amount_limit_cents"
    " amount_consumed_cents amount_reserved_cents amount_remaining_cents count_limit count_consumed"
    " count_reserved count_remaining",
    table="contract insurance_year from_on to_on guarantee amount_consumed_cents amount_reserved_cents"
    " amount_remaining_cents count_consumed count_reserved count_remaining",
    left_out="count_reserved amount_reserved_cents to_on from_on count_remaining",
    page="contract guarantee insurance_year amount_remaining_cents amount_limit_cents count_remaining"
    " count_limit",
    page_spares="amount_limit_cents count_limit",
)
