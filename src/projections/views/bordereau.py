"""The monthly bordereau of claims: paid in the month, paid before, outstanding, status at the month's end.

What is recorded later and counts in an earlier month changes that month and all after it: each month's state
is the fold, in order of position, of all events that took effect by its end. So the view gives, for the last
day of a month, what `--on` gives.
"""

from datetime import date
from typing import Annotated, Final, NamedTuple, get_args

from ledger.domain.claim.events import ClaimEvent
from ledger.domain.claim.state import Claim
from ledger.domain.codes import GUARANTEES, ClaimStatus
from ledger.feed.reader import FeedEvent
from projections.listing import (
    POSITION,
    ApprovedCents,
    ClaimNumber,
    Column,
    ContractNumber,
    Filter,
    GuaranteeCode,
    IncidentOn,
    Listing,
    PaidCents,
    RecoveredCents,
    Status,
    YearOfIncident,
)
from projections.runner.registers import folded, read_state, state_text
from projections.runner.view import Folded, Since, Table, View


class BordereauRow(NamedTuple):
    """One claim at the end of one month, until the next month in which something takes effect. Cents."""

    claim: ClaimNumber
    month: Annotated[date, Column("", "day", "First day of the month.")]
    opened_position: int
    contract: ContractNumber
    guarantee: GuaranteeCode
    incident_on: IncidentOn
    insurance_year: YearOfIncident
    status: Status
    approved_cents: ApprovedCents
    paid_cents: Annotated[
        PaidCents,
        Column(
            "Paid",
            "amount",
            "Paid out, cents; taken back: negative. In a bordereau: in the month.",
            "paid in the month",
        ),
    ]
    paid_before_cents: Annotated[int, Column("Paid before", "amount", "Paid before the month, cents.")]
    recovered_cents: RecoveredCents
    recovered_before_cents: Annotated[
        int, Column("", "amount", "Paid back by third parties before the month, cents.")
    ]
    outstanding_cents: Annotated[
        int, Column("Outstanding", "amount", "Approved and not paid, and what is reserved, cents.")
    ]


class Months(NamedTuple):
    """A claim's states by month, in order of months; None before the month that its opening counts in."""

    opened_position: int
    states: tuple[tuple[date, Claim | None], ...]


TABLE = Table("projections.bordereau", BordereauRow._fields, identity=2)


def fold(months: Months | None, event: FeedEvent, _: Since) -> Folded[Months]:
    """Fold one event of a claim into its month and all later ones."""
    known = Months(event.position, ()) if months is None else months
    month = event.effective_on.replace(day=1)
    states = dict(known.states)
    if month not in states:
        earlier = [at for at in states if at < month]
        states[month] = states[max(earlier)] if earlier else None
    after = Months(
        known.opened_position,
        tuple((at, state if at < month else _folded(state, event)) for at, state in sorted(states.items())),
    )
    standing = set(_rows(known))
    return Folded(after, [row for row in _rows(after) if row not in standing])


def _folded(state: Claim | None, event: FeedEvent) -> Claim | None:
    after = folded(state, event)
    return after if isinstance(after, Claim) else None


def _rows(months: Months) -> list[BordereauRow]:
    rows, refunded, recovered = [], 0, 0
    for month, claim in months.states:
        if claim is None:
            continue
        reserved = 0 if claim.reserved is None else claim.reserved.amount_cents
        rows.append(
            BordereauRow(
                claim.number,
                month,
                months.opened_position,
                claim.contract,
                claim.guarantee,
                claim.incident_on,
                claim.insurance_year,
                claim.status,
                claim.approved_cents,
                claim.refunded_cents - refunded,
                refunded,
                claim.recovered_cents - recovered,
                recovered,
                claim.owed_cents + reserved,
            )
        )
        refunded, recovered = claim.refunded_cents, claim.recovered_cents
    return rows


def _to_text(months: Months) -> str:
    lines = [str(months.opened_position)]
    lines += [f"{month} {'' if state is None else state_text(state)}" for month, state in months.states]
    return "\n".join(lines)


def _from_text(text: str) -> Months:
    opened_position, *lines = text.split("\n")
    states: list[tuple[date, Claim | None]] = []
    for line in lines:
        month, _, state = line.partition(" ")
        claim = read_state("claim", state) if state else None
        states.append((date.fromisoformat(month), claim if isinstance(claim, Claim) else None))
    return Months(int(opened_position), tuple(states))


BORDEREAU: View[Months] = View(
    name="bordereau",
    types=frozenset(event.stable_name for event in ClaimEvent.__subclasses__()),
    table=TABLE,
    key_of=lambda event: event.stream.name,
    fold=fold,
    to_text=_to_text,
    from_text=_from_text,
)


# Of each claim the last month up to the one asked for. Where that lies before, nothing was paid in the month,
# and all that the row says was paid stands as paid before.
SELECT = """
select
    %(month)s::date as month, claim, contract, guarantee, incident_on, insurance_year, status, approved_cents,
    case when month = %(month)s then paid_cents else 0 end as paid_cents,
    paid_before_cents + case when month = %(month)s then 0 else paid_cents end as paid_before_cents,
    case when month = %(month)s then recovered_cents else 0 end as recovered_cents,
    recovered_before_cents + case when month = %(month)s then 0 else recovered_cents end
        as recovered_before_cents,
    outstanding_cents, position
from (
    select distinct on (opened_position) found.*, from_position as position
    from ({found}) as found
    where month <= %(month)s
    order by opened_position, month desc
) as standing
where ({where}) and (%(every)s or month = %(month)s or outstanding_cents <> 0)
order by opened_position
"""

LISTED: Final = Listing(
    name="bordereau",
    summary="A month's claims: paid in the month, paid before, outstanding",
    row=BordereauRow,
    of=BORDEREAU,
    is_report=True,
    order=("opened_position",),
    filters=(
        Filter("month", "The month.", "month <= %(month)s"),
        Filter("contract", "Only claims on this contract."),
        Filter("guarantee", "Only claims under this guarantee.", choices=GUARANTEES),
        Filter("status", "Only claims with this status at the month's end.", choices=get_args(ClaimStatus)),
        Filter("every", "Claims too on which nothing happened and nothing is outstanding.", "true"),
    ),
    computed=(POSITION,),
    columns_in_order="month claim contract guarantee incident_on insurance_year status approved_cents"
    " paid_cents paid_before_cents recovered_cents recovered_before_cents outstanding_cents position",
    sql=SELECT,
    table="claim contract guarantee status incident_on approved_cents paid_cents paid_before_cents"
    " recovered_cents outstanding_cents",
    left_out="recovered_cents incident_on guarantee contract approved_cents",
    page="claim contract guarantee status incident_on approved_cents paid_cents paid_before_cents"
    " outstanding_cents position",
)
