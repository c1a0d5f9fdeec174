"""Lists that are searched: contracts, claims, complaints. What is asked for stands in the address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from ledger.domain.codes import GUARANTEES
from ledger.store.pool import Connection
from projections.asking.filters import (
    CLAIM_STATUSES,
    COMPLAINT_STATUSES,
    CONTRACT_STATUSES,
    FILTERS,
    choices_of,
)
from projections.asking.questions import Answer as Row
from projections.asking.questions import Filters, list_claims, list_complaints, list_contracts
from projections.asking.reader import Reader
from projections.folding.rows import Source
from projections.folding.view import View
from projections.web.asked import looking, read_choice, read_day, read_position
from projections.web.counting import Figure
from projections.web.figures import CLAIMS_BY_STATUS, COMPLAINTS_BY_STATUS, CONTRACTS_BY_STATUS, by_status
from projections.web.page import Look, page_of_look
from projections.web.queries import (
    CLAIMS,
    COMPLAINTS,
    CONTRACTS,
    Wanted,
    claims_page,
    complaints_page,
    contracts_page,
)
from projections.web.serving import TIME, Pages, Shown
from projections.web.words.codes import N_

PAGE_ROWS: Final = 50
SHOWN: Final = ("status", "guarantee", "before")
"""The filters of the page; its JSON has all of the list's."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: where its rows come from and how it is narrowed down."""

    section: str
    view: View[Any]
    title: str
    searched: str
    """What the search looks for, in English."""
    before: str
    """What the last day is that of, in English."""
    rows: Callable[[Connection, Source, Wanted, int | None, int], list[dict[str, object]]]
    counts: Figure
    all: Callable[[Reader, Filters], list[Row]]
    statuses: Sequence[str]
    table: str
    guarantees: Sequence[str] = ()


LISTS: Sequence[Listed] = (
    Listed(
        "contracts",
        CONTRACTS,
        N_("Contracts"),
        N_("Contract number begins with"),
        N_("Started before"),
        contracts_page,
        CONTRACTS_BY_STATUS,
        list_contracts,
        CONTRACT_STATUSES,
        "contracts",
    ),
    Listed(
        "claims",
        CLAIMS,
        N_("Claims"),
        N_("Claim or contract number begins with"),
        N_("Incident before"),
        claims_page,
        CLAIMS_BY_STATUS,
        list_claims,
        CLAIM_STATUSES,
        "claims",
        GUARANTEES,
    ),
    Listed(
        "complaints",
        COMPLAINTS,
        N_("Complaints"),
        N_("Complaint or contract number begins with"),
        N_("Received before"),
        complaints_page,
        COMPLAINTS_BY_STATUS,
        list_complaints,
        COMPLAINT_STATUSES,
        "complaints",
    ),
)


def register(pages: Pages) -> None:
    """Register the pages."""
    for listed in LISTS:
        filters = FILTERS[listed.section]
        pages.page(
            f"/{listed.section}",
            _show(listed),
            _twin(listed),
            takes=("search", "below", *TIME, *(name for name in filters if name in SHOWN)),
            twin_takes=filters,
        )


def _wanted(look: Look, listed: Listed) -> Wanted:
    """Read the filters. Raises `AskedWrongly` for what is no date or no choice."""
    before = look.query.get("before", "").strip()
    return Wanted(
        look.query.get("search", "").strip()[:128] or None,
        read_choice(look.query, "status", choices_of(listed.section, "status")),
        read_choice(look.query, "guarantee", choices_of(listed.section, "guarantee")),
        read_day(before) if before else None,
    )


def _download_query(look: Look, wanted: Wanted) -> str:
    """Give the filters and the time as the HTTP lists take them, which write the files."""
    asked = {
        "status": wanted.status,
        "guarantee": wanted.guarantee,
        "before": wanted.before,
        "as_of": look.asked.as_of,
        "on": look.asked.on,
    }
    given = {name: str(value) for name, value in asked.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _twin(listed: Listed) -> Callable[[Look], object]:
    def twin(look: Look) -> object:
        """Give what the command line's list prints with the same filters; `search` narrows it further."""
        wanted = _wanted(look, listed)
        filters = Filters(
            contract=look.query.get("contract") or None,
            claim=look.query.get("claim") or None,
            guarantee=wanted.guarantee,
            before=wanted.before,
            status=wanted.status,
        )
        with looking(look.wiring, (listed.view.name,), look.asked) as reader:
            rows = listed.all(reader, filters)
        beginning = wanted.beginning
        if beginning is None:
            return rows
        numbers = (listed.section[:-1], "contract")
        return [row for row in rows if any(str(row[number]).startswith(beginning) for number in numbers)]

    return twin


def _show(listed: Listed) -> Callable[[Look], Shown]:
    def show(look: Look) -> Shown:
        wanted = _wanted(look, listed)
        below = look.query.get("below", "")
        with looking(look.wiring, (listed.view.name,), look.asked) as reader:
            source = reader.source(listed.view)
            place = read_position(below)
            found = listed.rows(reader.connection, source, wanted, place, PAGE_ROWS + 1)
            counts = by_status(reader, listed.counts, wanted)
            position = reader.position
        rows = found[:PAGE_ROWS]
        return Shown(
            "list.html",
            {
                "page": page_of_look(look, listed.section, position=position),
                "listed": listed,
                "wanted": wanted,
                "rows": rows,
                "counts": counts,
                "total": sum(counts.values()),
                "next_below": rows[-1]["opened_position"] if len(found) > PAGE_ROWS else None,
                "is_first": place is None,
                "download_query": _download_query(look, wanted),
            },
        )

    return show
