"""Lists that are searched: contracts, claims, complaints; what a number leads to; persons found by name."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlencode

from ledger.app import App
from ledger.domain.identifiers import claim_ref, complaint_ref, contract_ref
from ledger.privacy.access import Access
from projections.listing import Filters, Listing
from projections.queries.cached_counts import by_status
from projections.queries.list_pages import ListFilter
from projections.queries.list_pages import page_of as page_rows
from projections.queries.questions import rows_of
from projections.queries.reader import known_end
from projections.views.directory import Directory, Person
from projections.views.directory import words as words_of
from projections.views.registry import LISTINGS
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import BadParameter
from projections.web.page import PageRequest, page_of_request
from projections.web.pages.contract import access_of
from projections.web.renderer import page_of
from projections.web.responses import TIME, Leads, Pages, Shown
from projections.web.time_params import looking, read_choice, read_day, read_position

LONGEST: Final = 128
KINDS: Final = (contract_ref, claim_ref, complaint_ref)


def register_find(pages: Pages) -> None:
    """Register it. It leads on, and shows nothing itself."""
    pages.page("/find", find, takes=("number",))


def find(look: PageRequest) -> Leads:
    """Lead to the contract, claim or complaint of this number, else to the contracts that begin with it."""
    number = look.query.get("number", "").strip()[:LONGEST]
    if not number:
        return Leads("/contracts")
    named = {ref(number) for ref in KINDS}
    found = look.wiring.store.load_many(look.wiring.book, sorted(named, key=str)).streams
    for ref in KINDS:
        if found[ref(number)].version:
            return Leads(page_of(ref(number).name))
    section = "claims" if number.upper().startswith("CL") else "contracts"
    return Leads(f"/{section}?{urlencode({'search': number})}")


VIEWS: Final = ("contracts", "claims")
MOST_PERSONS: Final = 50
LONGEST_NAME: Final = 200
NO_LETTERS: Final = N_("Give letters to search by, three or more of a word's beginning.")


def register_persons(pages: Pages) -> None:
    """Register the search. What is looked for is personal: it goes in a form, never in an address."""
    pages.page("/persons", show_persons, right="names")
    pages.question("/persons", find_persons, persons_as_json, right="names")


def show_persons(look: PageRequest) -> Shown:
    """Show the form."""
    return _shown(look, None)


def find_persons(look: PageRequest) -> Shown:
    """Show who is found. Without a word to search by, nobody is."""
    name = look.typed.get("name", "").strip()[:LONGEST_NAME]
    by = access_of(look, "site: persons")
    return _shown(look, _found(look.wiring, name, by) if words_of(name) else [], name)


def persons_as_json(look: PageRequest) -> object:
    """Return what `person find` prints. Without a word to search by: `BadParameter`."""
    name = look.typed.get("name", "").strip()[:LONGEST_NAME]
    by = access_of(look, "site: persons")
    if not words_of(name):
        raise BadParameter(NO_LETTERS)
    return [asdict(person) for person in _found(look.wiring, name, by)]


def _shown(look: PageRequest, persons: list[Person] | None, name: str = "") -> Shown:
    page = page_of_request(look, "contracts", has_json=False)
    return Shown("persons.html", {"page": page, "persons": persons, "name": name})


def _found(wiring: App, name: str, by: Access) -> list[Person]:
    with wiring.pool.connection() as connection:
        position = known_end(connection, wiring.book, VIEWS)
    directory = Directory(wiring.pool, wiring.store.subject_keys, wiring.store.book_keys, wiring.book)
    return directory.find(name, by, position, MOST_PERSONS)


PAGE_ROWS: Final = 50
SHOWN: Final = ("status", "guarantee", "before")
"""The filters of the page; its JSON has all of the list's."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as the site shows it."""

    listing: Listing
    title: str
    searched: str
    """What the search looks for, in English."""
    before: str
    """What the last day is that of, in English."""

    @property
    def section(self) -> str:
        """Its name, and that of its table."""
        return self.listing.name

    @property
    def statuses(self) -> Sequence[str]:
        """By which it is narrowed down."""
        return self.listing.choices_of("status")

    @property
    def guarantees(self) -> Sequence[str]:
        """As above; none: not by them."""
        return self.listing.choices_of("guarantee")


LISTS: Sequence[Listed] = (
    Listed(LISTINGS["contracts"], N_("Contracts"), N_("Contract number begins with"), N_("Started before")),
    Listed(
        LISTINGS["claims"], N_("Claims"), N_("Claim or contract number begins with"), N_("Incident before")
    ),
    Listed(
        LISTINGS["complaints"],
        N_("Complaints"),
        N_("Complaint or contract number begins with"),
        N_("Received before"),
    ),
)


def register_lists(pages: Pages) -> None:
    """Register the pages."""
    for listed in LISTS:
        filters = listed.listing.filter_names
        pages.page(
            f"/{listed.section}",
            _show(listed),
            _as_json(listed),
            takes=("search", "below", *TIME, *(name for name in filters if name in SHOWN)),
            json_takes=filters,
        )


def _wanted(look: PageRequest, listed: Listed) -> ListFilter:
    """Read the filters. Raises `BadParameter` for what is no date or no choice."""
    before = look.query.get("before", "").strip()
    return ListFilter(
        look.query.get("search", "").strip()[:128] or None,
        read_choice(look.query, "status", tuple(listed.statuses)),
        read_choice(look.query, "guarantee", tuple(listed.guarantees)),
        read_day(before) if before else None,
    )


def _download_query(look: PageRequest, wanted: ListFilter) -> str:
    """Return the filters and the time as the HTTP lists take them, which write the files."""
    asked = {
        "status": wanted.status,
        "guarantee": wanted.guarantee,
        "before": wanted.before,
        "as_of": look.asked.as_of,
        "on": look.asked.on,
    }
    given = {name: str(value) for name, value in asked.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _as_json(listed: Listed) -> Callable[[PageRequest], object]:
    def as_json(look: PageRequest) -> object:
        """Return what the command line's list prints with the same filters; `search` narrows it further."""
        wanted = _wanted(look, listed)
        filters = Filters(
            contract=look.query.get("contract") or None,
            claim=look.query.get("claim") or None,
            guarantee=wanted.guarantee,
            before=wanted.before,
            status=wanted.status,
        )
        with looking(look.wiring, listed.listing.views, look.asked) as reader:
            rows = rows_of(reader, listed.listing, filters)
        beginning = wanted.beginning
        if beginning is None:
            return rows
        numbers = (listed.section[:-1], "contract")
        return [row for row in rows if any(str(row[number]).startswith(beginning) for number in numbers)]

    return as_json


def _show(listed: Listed) -> Callable[[PageRequest], Shown]:
    def show(look: PageRequest) -> Shown:
        wanted = _wanted(look, listed)
        below = look.query.get("below", "")
        with looking(look.wiring, listed.listing.views, look.asked) as reader:
            place = read_position(below)
            found = page_rows(reader, listed.listing, wanted, place, PAGE_ROWS + 1)
            counts = by_status(reader, listed.listing, wanted)
            position = reader.position
        rows = found[:PAGE_ROWS]
        return Shown(
            "list.html",
            {
                "page": page_of_request(look, listed.section, position=position),
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
