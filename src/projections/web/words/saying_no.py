"""What a page says that cannot be shown, in the reader's language: what is wrong and what to do next.

What the site itself refuses carries its message with it. What comes from below is said in English there, for
the command line: a page says the same in its own words, by what was asked for.
"""

from collections.abc import Mapping

from ledger.errors import Rejected, UsageError
from projections.asking.positions import NothingKnown
from projections.web.words.codes import N_, of_code
from projections.web.words.speaking import Words


class AskedWrongly(UsageError):
    """What stands in the address or in the form cannot be read."""

    def __init__(self, message: str, **values: object) -> None:
        """`message`: in English, marked for the catalogues; `values` fill it in."""
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class NotThere(Rejected):
    """What was asked for is not there."""

    def __init__(self, message: str, **values: object) -> None:
        """As of `AskedWrongly`."""
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


NOT_THERE = N_(
    "%(kind)s %(number)s is not there, or was not yet at the time asked for. "
    "Check the number, or look at it as known now."
)
NOTHING_THERE = N_("There is nothing here. Go by a link of the site.")
NOTHING_KNOWN = N_(
    "Nothing was known before %(since)s, when the first record was sealed. Choose a later time."
)
NO_RECORD = N_("Nothing is known yet: the book has no record.")
NO_SUCH_TIME = N_(
    "“%(asked)s” is no time that can be shown: choose a day, an instant with its offset, "
    "or a position that the feed has reached."
)
CANNOT_BE_READ = N_("What was asked for cannot be read. Go back, correct it and try again.")

KINDS = {"contracts": "contract", "claims": "claim", "complaints": "complaint"}


def said_no(words: Words, error: Exception, path: str, number: str | None, query: Mapping[str, str]) -> str:
    """Say it. `number`: the one in the address, as it is written in the business; None: there is none."""
    if isinstance(error, AskedWrongly | NotThere):
        return words(error.message, **error.values)
    if isinstance(error, NothingKnown):
        if error.since is None:
            return words(NO_RECORD)
        return words(NOTHING_KNOWN, since=words.instant(error.since))
    kind = KINDS.get(path.split("/")[1])
    if isinstance(error, Rejected):
        if kind is None or number is None:
            return words(NOTHING_THERE)
        named = of_code(words, kind)
        return words(NOT_THERE, kind=named[:1].upper() + named[1:], number=number)
    asked = query.get("as_of", "").strip()
    return words(NO_SUCH_TIME, asked=asked[:40]) if asked else words(CANNOT_BE_READ)
