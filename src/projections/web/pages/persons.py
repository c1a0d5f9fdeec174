"""Persons found by name or mail, for a caller who gives no number: each finding is in the access log."""

from dataclasses import asdict
from typing import Final

from ledger.app import App
from ledger.privacy.access import Access
from projections.asking.positions import known_end
from projections.directory.finding import Directory, Person
from projections.directory.words import words as words_of
from projections.web.page import Look, page_of_look
from projections.web.pages.contract import access_of
from projections.web.serving import Pages, Shown
from projections.web.words.codes import N_
from projections.web.words.saying_no import AskedWrongly

VIEWS: Final = ("contracts", "claims")
MOST_PERSONS: Final = 50
LONGEST_NAME: Final = 200
NO_LETTERS: Final = N_("Give letters to search by, three or more of a word's beginning.")


def register(pages: Pages) -> None:
    """Register the search. What is looked for is personal: it goes in a form, never in an address."""
    pages.page("/persons", show, right="names")
    pages.question("/persons", find, twin, right="names")


def show(look: Look) -> Shown:
    """Show the form."""
    return _shown(look, None)


def find(look: Look) -> Shown:
    """Show who is found. Without a word to search by, nobody is."""
    name = look.typed.get("name", "").strip()[:LONGEST_NAME]
    by = access_of(look, "site: persons")
    return _shown(look, _found(look.wiring, name, by) if words_of(name) else [], name)


def twin(look: Look) -> object:
    """Give what `person find` prints. Without a word to search by: `AskedWrongly`."""
    name = look.typed.get("name", "").strip()[:LONGEST_NAME]
    by = access_of(look, "site: persons")
    if not words_of(name):
        raise AskedWrongly(NO_LETTERS)
    return [asdict(person) for person in _found(look.wiring, name, by)]


def _shown(look: Look, persons: list[Person] | None, name: str = "") -> Shown:
    page = page_of_look(look, "contracts", has_twin=False)
    return Shown("persons.html", {"page": page, "persons": persons, "name": name})


def _found(wiring: App, name: str, by: Access) -> list[Person]:
    with wiring.pool.connection() as connection:
        position = known_end(connection, wiring.book, VIEWS)
    directory = Directory(wiring.pool, wiring.store.subject_keys, wiring.store.book_keys, wiring.book)
    return directory.find(name, by, position, MOST_PERSONS)
