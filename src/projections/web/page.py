"""A request for a page, and what every page is told beside its own matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode

from ledger.app import App
from ledger.clock import present
from ledger.domain.calendar import brussels_date
from projections.web.i18n.codes import N_
from projections.web.i18n.language import Language, Words
from projections.web.session_user import Visitor
from projections.web.time_params import AskedTime

MENU: Sequence[tuple[str, str, str]] = (
    ("today", "/", N_("Today")),
    ("contracts", "/contracts", N_("Contracts")),
    ("claims", "/claims", N_("Claims")),
    ("complaints", "/complaints", N_("Complaints")),
    ("due", "/due", N_("Due dates")),
    ("reports", "/reports", N_("Reports")),
    ("feed", "/feed", N_("Feed")),
    ("verify", "/verify", N_("Verify")),
)
"""Section, address, name."""

KEYS: Mapping[str, str] = {
    "today": "t",
    "contracts": "c",
    "claims": "l",
    "complaints": "p",
    "due": "d",
    "reports": "r",
    "feed": "f",
    "verify": "v",
}
"""Section → the key that leads there after `g`."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request, read as far as every page needs it."""

    wiring: App
    visitor: Visitor
    words: Words
    path: str
    query: Mapping[str, str]
    steps: Mapping[str, str]
    """What stands in the address's path: the number of a contract."""
    asked: AskedTime
    is_fragment: bool = False
    """Asked for by a script that puts a part of the page in its place."""
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What a form carried."""
    address: str = ""
    """The visitor's network address."""
    origin: str = ""
    """The site's own address, `https://ledger.example`, for links that leave it."""

    @property
    def here(self) -> str:
        """The address asked for, without the language it was asked in."""
        kept = {
            name: value for name, value in self.query.items() if name not in {"language", "done"} and value
        }
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


@dataclass(frozen=True, slots=True)
class Said:
    """What is said above a page about the command that led to it."""

    title: str
    """In English."""
    look: str = "good"
    text: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What every template is told."""

    look: PageRequest
    section: str
    position: int | None
    """The position that the page stands for; None where it rests on none."""
    json_address: str | None
    today: date
    is_simulated: bool
    said: Said | None = None

    @property
    def visitor(self) -> Visitor:
        """Who looks."""
        return self.look.visitor

    @property
    def menu(self) -> Sequence[tuple[str, str, str]]:
        """The main sections."""
        return MENU

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys that lead to them."""
        return KEYS

    @property
    def csrf(self) -> str:
        """What forms carry."""
        return self.look.visitor.csrf

    @property
    def book(self) -> str:
        """The book's name."""
        return self.look.wiring.book

    @property
    def asked(self) -> AskedTime:
        """The time asked for."""
        return self.look.asked

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.look.path

    @property
    def here(self) -> str:
        """The whole address."""
        return self.look.here

    @property
    def then(self) -> str:
        """The address that signing in leads back to: this one, or the first page where a form was sent."""
        return self.look.path if self.look.typed else self.with_query(sign_in=None, code=None)

    @staticmethod
    def day_after(day: date) -> date:
        """Return the day after."""
        return day + timedelta(days=1)

    def in_language(self, language: Language) -> str:
        """Return the same page in another language."""
        return f"{self.here}{'&' if '?' in self.here else '?'}language={language}"

    def with_query(self, **changed: object) -> str:
        """Return the same page with other filters; None takes one away."""
        kept = {name: value for name, value in self.look.query.items() if name not in {"language", "done"}}
        query = {name: str(value) for name, value in (kept | changed).items() if value not in {None, ""}}
        return f"{self.path}?{urlencode(query)}" if query else self.path


def page_of_request(
    look: PageRequest,
    section: str,
    *,
    position: int | None = None,
    has_json: bool = True,
    said: Said | None = None,
) -> Page:
    """Put together what a template is told beside its own matter."""
    row = look.wiring.book_row()
    return Page(
        look,
        section,
        position,
        _json_address(look) if has_json else None,
        brussels_date(present(row, look.wiring.now() if row.clock_at is None else row.clock_at)),
        row.kind == "simulated",
        said,
    )


def _json_address(look: PageRequest) -> str:
    path = "/today" if look.path == "/" else look.path
    _, mark, query = look.here.partition("?")
    return f"{path}.json{mark}{query}"
