"""What pages count over a whole book: facets of lists, due dates by day, the plots of the reports.

Each is a figure that is carried from position to position (`counting`); what a page needs of due dates is
added up from one of them, the due dates by day.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, cast

from ledger.domain.calendar import ONE_DAY
from ledger.domain.terms import load_terms
from projections.asking.reader import Reader
from projections.asking.reports import beside_exposure
from projections.contracts.queries import EXPOSURE
from projections.reserves.fold import RESERVES
from projections.reserves.queries import BY_GUARANTEE
from projections.web.counting import Figure, Rows, counted
from projections.web.queries import (
    CLAIMS,
    CLAIMS_WHERE,
    COMPLAINTS,
    COMPLAINTS_WHERE,
    CONTRACTS,
    CONTRACTS_WHERE,
    DONE_LATE,
    DUE,
    DueWanted,
    Wanted,
)

PRODUCT: Final = "cyber-care"

_BY_STATUS: Final = "select status, count(*) as number from ({{found}}) as found where {where} group by 1"

CONTRACTS_BY_STATUS: Final = Figure(
    CONTRACTS, _BY_STATUS.format(where=CONTRACTS_WHERE), by=("status",), sums=("number",)
)
CLAIMS_BY_STATUS: Final = Figure(
    CLAIMS, _BY_STATUS.format(where=CLAIMS_WHERE), by=("status",), sums=("number",)
)
COMPLAINTS_BY_STATUS: Final = Figure(
    COMPLAINTS, _BY_STATUS.format(where=COMPLAINTS_WHERE), by=("status",), sums=("number",)
)
DUE_BY_DAY: Final = Figure(
    DUE,
    """
select due_on, kind, status, count(*) as number, count(*) filter (where met_on is null) as waiting
from ({found}) as found group by 1, 2, 3
""",
    by=("due_on", "kind", "status"),
    sums=("number", "waiting"),
)
REFUNDS_BY_DAYS: Final = Figure(
    DUE,
    """
select greatest(0, met_on - raw_due_on + %(promised)s) as days, count(*) as number,
    count(*) filter (where met_on > due_on) as late
from ({found}) as found where kind = 'refund' and met_on is not null group by 1
""",
    by=("days",),
    sums=("number", "late"),
)
CONSUMED_BY_MONTH: Final = Figure(
    CLAIMS,
    """
select date_trunc('month', incident_on)::date as month, guarantee, count(*) as number,
    sum(approved_cents)::bigint as approved_cents
from ({found}) as found where approved_cents > 0 or status = 'accepted' group by 1, 2
""",
    by=("month", "guarantee"),
    sums=("number", "approved_cents"),
)
CLAIMS_BY_GUARANTEE: Final = Figure(
    CLAIMS,
    """
select guarantee, count(*) as opened,
    count(*) filter (where status in ('accepted', 'closed') and rejection_code is null) as accepted,
    count(*) filter (where status = 'rejected') as rejected,
    count(*) filter (where status in ('open', 'submitted')) as undecided,
    sum(approved_cents)::bigint as approved_cents, sum(refunded_cents)::bigint as refunded_cents,
    sum(recovered_cents)::bigint as recovered_cents
from ({found}) as found group by 1
""",
    by=("guarantee",),
    sums=(
        *("opened", "accepted", "rejected", "undecided"),
        *("approved_cents", "refunded_cents", "recovered_cents"),
    ),
)

RESERVES_BY_GUARANTEE: Final = Figure(
    RESERVES,
    BY_GUARANTEE,
    by=("incident_year", "guarantee"),
    sums=(
        *("claims_opened", "claims_counted", "claims_undecided", "claims_rejected", "claims_withdrawn"),
        *("loss_cents", "approved_cents", "excess_cents", "reserved_cents", "refunded_cents"),
        *("owed_cents", "recovered_cents", "net_cents", "incurred_cents"),
    ),
)
DAYS_OF_COVER: Final = Figure(
    CONTRACTS, EXPOSURE, by=("year", "product", "terms"), sums=("contracts", "exposed_days")
)


class OfDay(NamedTuple):
    """How many due dates of one kind and status fall on a day."""

    due_on: date
    kind: str
    status: str
    number: int
    waiting: int = 0
    """Those of them that were not done yet."""


def by_status(reader: Reader, figure: Figure, wanted: Wanted) -> Mapping[str, int]:
    """Count a list by status, whatever status is asked for."""
    asked = dict(wanted.asked()) | {"status": None}
    return {str(row["status"]): cast("int", row["number"]) for row in counted(reader, figure, asked)}


def due_by_day(reader: Reader, wanted: DueWanted) -> Sequence[OfDay]:
    """Count due dates by day, kind and status, in this order."""
    return [
        OfDay(*(row[name] for name in OfDay._fields))  # type: ignore[arg-type]  # as the figure gives them
        for row in _due_rows(reader, wanted)
    ]


def due_counts(reader: Reader, wanted: DueWanted) -> Mapping[str, int]:
    """Count due dates by kind."""
    counts: Counter[str] = Counter()
    for row in _due_rows(reader, wanted):
        counts[cast("str", row["kind"])] += cast("int", row["number"])
    return dict(sorted(counts.items()))


def late_number(reader: Reader) -> int:
    """Count what was missed and is still to be done."""
    missed = _due_rows(reader, DueWanted(status="missed"))
    return sum(cast("int", row["waiting"]) for row in missed if row["kind"] in DONE_LATE)


def refunds_waiting(reader: Reader) -> Mapping[str, int]:
    """Count refunds that are not paid in full yet, in time and late."""
    return {
        status: sum(
            cast("int", row["waiting"]) for row in _due_rows(reader, DueWanted(status=status, kind="refund"))
        )
        for status in ("open", "missed")
    }


def refunds_by_days(reader: Reader, promised: int) -> Rows:
    """Count refunds by the days from complete submission to full payment (R7), and those paid late."""
    return counted(reader, REFUNDS_BY_DAYS, {"promised": promised})


def consumed_by_month(reader: Reader) -> Rows:
    """Sum what accepted claims consumed, by month of the incident (I7) and guarantee."""
    return counted(reader, CONSUMED_BY_MONTH, {})


def claims_by_guarantee(reader: Reader) -> Rows:
    """Count claims and sum amounts by guarantee."""
    return counted(reader, CLAIMS_BY_GUARANTEE, {})


def reserves_by_guarantee(reader: Reader, until: date) -> Rows:
    """Give the report by guarantee and year, with the days of cover up to and including a day."""
    return beside_exposure(
        counted(reader, RESERVES_BY_GUARANTEE, {"guarantee": None, "year": None}),
        counted(reader, DAYS_OF_COVER, {"until": until + ONE_DAY, "year": None}),
    )


def count_what_pages_ask(reader: Reader, today: date) -> None:
    """Count all that pages show of a whole book, unless somebody searches for less."""
    for figure in (CONTRACTS_BY_STATUS, CLAIMS_BY_STATUS, COMPLAINTS_BY_STATUS):
        by_status(reader, figure, Wanted())
    counted(reader, DUE_BY_DAY, {})
    consumed_by_month(reader)
    claims_by_guarantee(reader)
    refunds_by_days(reader, promised_days())
    reserves_by_guarantee(reader, today)


def promised_days() -> int:
    """Give the days within which a refund is promised, by the newest terms (R7)."""
    return load_terms(PRODUCT).periods.refund_days


def _due_rows(reader: Reader, wanted: DueWanted) -> Iterator[Mapping[str, object]]:
    rows = counted(reader, DUE_BY_DAY, {})
    first = 0 if wanted.from_on is None else bisect_left(rows, wanted.from_on, key=_day)
    end = len(rows) if wanted.before is None else bisect_left(rows, wanted.before, key=_day)
    kind, status = wanted.kind, wanted.status
    return (
        row
        for row in rows[first:end]
        if (status is None or row["status"] == status) and (kind is None or row["kind"] == kind)
    )


def _day(row: Mapping[str, object]) -> date:
    return cast("date", row["due_on"])
