"""What a letter says: its facts put into the words of the contract's language. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from string import Formatter
from tomllib import loads
from typing import Any, Literal

from ledger.domain.codes import Language
from ledger.domain.terms import Terms
from schedulers.letters.kinds import REGISTERED, LetterKind

Facts = Mapping[str, str | int | None]
"""What a letter of a kind is about: dates as ISO, amounts in cents named `…_cents`. Nothing personal."""

_CENTS_A_EURO = 100
_A_THOUSAND = 3
LONGEST_WORD = 36
"""Characters that fit into a line of the letter's text, however broad they are."""
LONGEST_REFERENCE = 18
"""Characters that fit into a line of the references."""
ZERO_WIDTH = "\u200b"
"""A space that nobody sees, at which a line may break."""
_BREAK = re.compile(r"(?<=[^\W_])(?=[^\W_])|(?<=[-_/.:])(?=\w)")
_HAIR = "\u00a0"
"""A space at which no line breaks, between an amount and its sign and within dates."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a letter goes to: the policyholder, in clear."""

    name: str
    address: str
    """In the lines that stand on the envelope; a comma is a comma."""

    @property
    def lines(self) -> list[str]:
        """The address as it is written on an envelope."""
        lines = (" ".join(line.split()) for line in [self.name, *self.address.splitlines()])
        return [line for line in lines if line]


@dataclass(frozen=True, slots=True)
class Draft:
    """One letter before it is written."""

    kind: LetterKind
    reference: str
    language: Language
    dated: date
    """The Brussels day that stands on it."""
    contract: str
    about: str | None
    """The claim's or complaint's number; None for a letter about the contract."""
    terms: Terms
    facts: Facts
    text: str | None = None
    """What somebody wrote for this letter, in paragraphs; of a complaint's answer."""


def compose(draft: Draft, addressee: Addressee) -> dict[str, Any]:
    """Return all that stands on a letter, as `letter.typ` takes it. Raises KeyError for a missing fact."""
    words = wording(draft.language)
    own = words[draft.kind]
    quality = draft.terms.contact("quality")
    insurer = quality.name.rpartition(", ")[2]
    filled = _filled(draft, words)
    subject = own["subject"].format_map(filled)
    has_money = draft.facts.get("approved_cents") != 0
    closing = own["closing"] if has_money else own.get("closing_services", own["closing"])
    return {
        "language": draft.language,
        "year": draft.dated.year,
        "month": draft.dated.month,
        "day": draft.dated.day,
        "title": subject,
        "subject": breakable(subject),
        "registered": words["registered"] if draft.kind in REGISTERED else None,
        "address": addressee.lines,
        "place_and_date": words["place_and_date"].format(date=written_date(draft.dated, draft.language)),
        "references": [
            (name, breakable(value, LONGEST_REFERENCE)) for name, value in _references(draft, words)
        ],
        "salutation": words["salutation"],
        "paragraphs": [
            breakable(text)
            for text in [*(text.format_map(filled) for text in own["paragraphs"]), *_text(draft, own, filled)]
        ],
        "facts": [[name, value.format_map(filled)] for name, value in own["facts"]] if has_money else [],
        "closing": [breakable(text.format_map(filled)) for text in closing],
        "regards": words["regards"],
        "page_word": words["page"],
        "footer": words["footer"].format(insurer=insurer, address=quality.address),
        "sender": {
            "name": insurer,
            "address": quality.address,
            "signature": words["signatures"][draft.kind],
        },
        "contacts": [
            {"title": words["contacts"][purpose], "text": _contact(draft.terms, purpose)}
            for purpose in own["contacts"]
        ],
    }


def breakable(text: str, longest: int = LONGEST_WORD) -> str:
    """Make words that are too long for a line, such as numbers of contracts, breakable within its width."""
    return " ".join(_BREAK.sub(ZERO_WIDTH, word) if len(word) > longest else word for word in text.split(" "))


def written_date(day: date, language: Language) -> str:
    """Write a date out in a language: `29 March 2026`, `29 maart 2026`, `1er mars 2026`."""
    words = wording(language)
    number = words.get("first_day", "1") if day.day == 1 else str(day.day)
    month = words["months"][day.month - 1]
    text: str = words["date"].format(day=number, month=month, year=day.year)
    return text.replace(" ", _HAIR)


def written_amount(cents: int, language: Language) -> str:
    """Write an amount of euro as the language does: `€ 1,250.00`, `1.250,00 €`, `1 250,00 €`."""
    words = wording(language)
    euro, rest = divmod(cents, _CENTS_A_EURO)
    digits = f"{euro:,}".replace(",", words["thousands"])
    text: str = words["amount"].format(amount=f"{digits}{words['decimals']}{rest:02}", symbol="€")
    return text.replace(" ", _HAIR)


def asks_for(kind: LetterKind) -> frozenset[str]:
    """Return the names of the facts that a kind's wording asks for, whatever the language."""
    own = wording("en")[kind]
    texts = [own["subject"], *own["paragraphs"], *own["closing"], *own.get("no_text", [])]
    texts += [value for _, value in own["facts"]]
    return frozenset(name for text in texts for _, name, _, _ in Formatter().parse(text) if name)


@cache
def wording(language: Language) -> dict[str, Any]:
    """Return the words of a language."""
    page = files("schedulers.letters").joinpath("wording", f"{language}.toml")
    return loads(page.read_text(encoding="utf-8"))


def _references(draft: Draft, words: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    rows = [(words["reference"], draft.reference), (words["contract"], draft.contract)]
    if draft.about is not None:
        rows.append((words["claim" if draft.kind.startswith("claim") else "complaint"], draft.about))
    return rows


def _text(draft: Draft, own: Mapping[str, Any], filled: Mapping[str, str]) -> list[str]:
    """Return the paragraphs that somebody wrote, or those that stand for them."""
    if draft.text is None:
        return [text.format_map(filled) for text in own.get("no_text", [])]
    return [paragraph.strip() for paragraph in draft.text.split("\n\n") if paragraph.strip()]


def _contact(terms: Terms, purpose: Literal["assistance", "quality", "ombudsman"]) -> str:
    contact = terms.contact(purpose)
    phone = None if contact.phone is None else contact.phone.replace(" ", _HAIR)
    if purpose == "assistance" and phone is not None:
        return phone  # The title says what it is, in the letter's language.
    name = contact.name.rpartition(", ")[2]
    return ", ".join(part for part in (name, contact.address, phone) if part)


def _filled(draft: Draft, words: Mapping[str, Any]) -> dict[str, str]:
    """Write each fact as the language does."""
    filled = {"product": draft.terms.name, "contract": draft.contract}
    if draft.about is not None:
        filled["claim" if draft.kind.startswith("claim") else "complaint"] = draft.about
    for name, value in draft.facts.items():
        if isinstance(value, int):
            filled[name.removesuffix("_cents")] = written_amount(value, draft.language)
        elif name in ("guarantee", "exclusion"):
            filled[name] = words[f"{name}s"][value]
        elif name.endswith(("_on", "_day")):
            filled[name] = written_date(date.fromisoformat(str(value)), draft.language)
        else:
            filled[name] = str(value)
    return filled
