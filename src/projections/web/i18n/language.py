"""One language at work: messages translated, amounts, dates and numbers as its readers write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, cast

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from ledger.domain.calendar import BRUSSELS

Language = Literal["en", "nl", "fr"]

LANGUAGES: Mapping[Language, str] = {"en": "English", "nl": "Nederlands", "fr": "Français"}
"""Each by the name that its own readers give it."""

LOCALES: Mapping[Language, str] = {"en": "en_IE", "nl": "nl_BE", "fr": "fr_BE"}

NOTHING = "\N{EN DASH}"
"""Stands where there is no value."""

Messages = Mapping[str | tuple[str, ...], str | tuple[str, ...]]

INSTANTS: Mapping[Language, str] = {
    "en": "d MMM y, HH:mm:ss",
    "nl": "d MMM y HH:mm:ss",
    "fr": "d MMM y HH:mm:ss",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says in one language. Called with an English message, it gives the reader's."""

    language: Language
    locale: Locale
    messages: Messages = field(repr=False)

    def __call__(self, message: str, **values: object) -> str:
        """Say a message in this language and fill its `%(name)s` in; what no catalogue holds stays."""
        said = cast("str", self.messages.get(message, message))
        return said % values if values else said

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Translate a message about a number of things, which it may name as `%(number)s`."""
        forms = cast("tuple[str, ...]", self.messages.get((one, many), (one, many)))
        place = self.locale.plural_form(number)
        said = forms[0] if place == "one" else forms[-1]
        return said % ({"number": self.number(number)} | values)

    def amount(self, cents: int | None) -> str:
        """Write cents as euros; nothing stands as a dash."""
        if cents is None:
            return NOTHING
        return format_currency(Decimal(cents) / 100, "EUR", locale=self.locale)

    def whole_euros(self, cents: int) -> str:
        """Write cents as euros without cents, `€5,000`."""
        return format_currency(
            Decimal(cents) / 100, "EUR", locale=self.locale, currency_digits=False, format=self._whole_format
        )

    @property
    def _whole_format(self) -> str:
        return str(self.locale.currency_formats["standard"].pattern).replace(".00", "")

    def number(self, value: float | None) -> str:
        """Write a number; nothing stands as a dash."""
        return NOTHING if value is None else format_decimal(value, locale=self.locale)

    def day(self, value: date | str | None) -> str:
        """Write a date, `1 Mar 2026`."""
        if value is None:
            return NOTHING
        if isinstance(value, str):
            value = date.fromisoformat(value)
        return format_date(value, "d MMM y", locale=self.locale)

    def day_with_weekday(self, value: date) -> str:
        """Write a date with the day of the week, `Sunday 1 March 2026`."""
        written = format_date(value, "EEEE d MMMM y", locale=self.locale)
        return written[:1].upper() + written[1:]

    def month(self, value: date) -> str:
        """Write a month, `March 2026`."""
        written = format_date(value, "LLLL y", locale=self.locale)
        return written[:1].upper() + written[1:]

    def short_month(self, value: date) -> str:
        """Write a month short, `Mar 26`."""
        return format_date(value, "LLL yy", locale=self.locale)

    def weekday(self, value: date) -> str:
        """Write the day of the week short, `Mon`."""
        return format_date(value, "EEE", locale=self.locale)

    def instant(self, value: datetime | str | None) -> str:
        """Write an instant by the clock of Brussels, to the second."""
        if value is None:
            return NOTHING
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return format_datetime(value, INSTANTS[self.language], tzinfo=BRUSSELS, locale=self.locale)


@cache
def words(language: Language) -> Words:
    """Return the words of a language; its catalogue is read once."""
    return Words(
        language, Locale.parse(LOCALES[language]), catalogue(files("projections.web.i18n") / f"{language}.po")
    )


def catalogue(path: Traversable) -> Messages:
    """Read a catalogue: each message with what is said. One whose translation is fuzzy has none."""
    with path.open("rb") as file:
        entries = read_po(file, locale=path.name.removesuffix(".po"))
    return {
        (entry.id if isinstance(entry.id, str) else tuple(entry.id)): (
            entry.string if isinstance(entry.string, str) else tuple(entry.string)
        )
        for entry in entries
        if entry.id and entry.string and not entry.fuzzy
    }


def preferred(accepted: str | None, default: Language = "en") -> Language:
    """Choose a language by what a browser accepts (`Accept-Language`)."""
    weighed: list[tuple[float, Language]] = []
    for part in (accepted or "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        short = tag.split("-")[0].lower()
        if short in LANGUAGES:
            try:
                weighed.append((float(weight) if weight else 1.0, cast("Language", short)))
            except ValueError:
                continue
    # Of equal weights the one named first counts, as browsers mean it.
    return max(weighed, key=lambda found: found[0])[1] if weighed else default
