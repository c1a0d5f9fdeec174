"""Letters as PDF/A-2a, set by typst: archivable, tagged for screen readers, fonts inside, nothing fetched."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, Literal
from unicodedata import category

from ledger.attempts import ItemFailed
from ledger.errors import UsageError

STANDARDS: Final[list[Literal["a-2a", "ua-1"]]] = ["a-2a", "ua-1"]
"""PDF/A-2a: kept for decades; PDF/UA-1: readable by everybody."""

LACKS_CHARACTERS: Final = (
    "the fonts lack some of its characters: set COVERLEDGER_LETTERS_FONTS to a folder of fonts that have"
    " them, or correct the policyholder"
)
DOES_NOT_FIT: Final = (
    "name and address do not fit into the window of the envelope, 71 mm wide and 38 mm high:"
    " correct the policyholder"
)
TOO_MANY_MARKS: Final = (
    "more than four marks stand on one of its letters and would run into other lines:"
    " correct the policyholder"
)
NOT_SET: Final = "typst cannot set it as PDF/A"

MOST_MARKS: Final = 4
"""On one letter; Vietnamese and Hebrew need three."""
_UNSETTABLE: Final = ("could not be displayed", "codepoint")
"""What typst says of characters that no font has, or that PDF/A forbids."""

_unpacked = ExitStack()
"""Keeps the template where the press reads it, also where the package is an archive."""


class LettersNotInstalled(UsageError):
    """What sets the letters is not installed."""

    def __init__(self) -> None:
        super().__init__("Letters need typst: pip install 'coverledger[letters]'.")


class CannotBeSet(ItemFailed):
    """A letter cannot be set as it is; the message says why, and quotes nothing of it."""

    def __init__(self, why: str) -> None:
        """Take the reason: trying again changes nothing."""
        super().__init__(why, retry=False)


class Press:
    """Sets letters, one after the other; kept for many, for it reads the fonts only once."""

    def __init__(self, fonts: Path | None = None) -> None:
        """`fonts`: a folder of further fonts, for what those that typst brings lack.

        Raises LettersNotInstalled where typst is missing, UsageError where that folder is.
        """
        try:
            import typst  # noqa: PLC0415  # of the extra `letters`
        except ImportError as error:
            raise LettersNotInstalled from error
        template = _unpacked.enter_context(as_file(files("schedulers.letters").joinpath("letter.typ")))
        if fonts is not None and not fonts.is_dir():
            message = f"COVERLEDGER_LETTERS_FONTS: there is no folder {fonts}. Put it right, or unset it."
            raise UsageError(message)
        self._failed = typst.TypstError
        # Not the fonts of this machine: a letter looks, and hashes, the same on every one.
        self._compiler = typst.Compiler(
            str(template), font_paths=[] if fonts is None else [str(fonts)], ignore_system_fonts=True
        )

    def set(self, letter: Mapping[str, Any], dated: date) -> bytes:
        """Set one composed letter; the same letter gives the same bytes. `dated`: its Brussels day.

        Raises CannotBeSet.
        """
        text = json.dumps(letter, ensure_ascii=False)
        if _most_marks(text) > MOST_MARKS:
            raise CannotBeSet(TOO_MANY_MARKS)
        try:
            pdf = self._compiler.compile(
                format="pdf",
                sys_inputs={"letter": text},
                pdf_standards=[*STANDARDS],
                timestamp=datetime.combine(dated, time(), UTC),
            )
        except self._failed as error:
            # Its message, and so the error itself, quotes the letter.
            raise CannotBeSet(_why(error)) from None
        except Exception:
            raise
        except BaseException as panic:
            if type(panic).__name__ != "PanicException":  # Rust's, of no module that could be imported
                raise
            raise CannotBeSet(NOT_SET) from None
        if not isinstance(pdf, bytes):
            raise CannotBeSet(NOT_SET)
        return pdf


def _why(error: Exception) -> str:
    said = str(error)
    if "DOES_NOT_FIT" in said:
        return DOES_NOT_FIT
    return LACKS_CHARACTERS if any(words in said for words in _UNSETTABLE) else NOT_SET


def _most_marks(text: str) -> int:
    """Count the marks on the character that has most of them."""
    most = run = 0
    if not text.isascii():
        for character in text:
            run = run + 1 if category(character) in {"Mn", "Me"} else 0
            most = max(most, run)
    return most
