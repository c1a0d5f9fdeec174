"""Letters as PDF/A-2a, set by typst: archivable, tagged for screen readers, fonts inside, nothing fetched."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from importlib.resources import as_file, files
from typing import Any, Final, Literal

from ledger.endings import UsedWrongly

STANDARDS: Final[list[Literal["a-2a", "ua-1"]]] = ["a-2a", "ua-1"]
"""PDF/A-2a: kept for decades; PDF/UA-1: readable by everybody."""

_unpacked = ExitStack()
"""Keeps the template where the press reads it, also where the package is an archive."""


class LettersNotInstalled(UsedWrongly):
    """What sets the letters is not installed."""

    def __init__(self) -> None:
        """Say how to install it."""
        super().__init__("Letters need typst: pip install 'claims-ledger[letters]'.")


class Press:
    """Sets letters, one after the other; kept for many, for it reads the fonts only once."""

    def __init__(self) -> None:
        """Raise LettersNotInstalled where typst is missing."""
        try:
            import typst  # noqa: PLC0415  # of the extra `letters`
        except ImportError as error:
            raise LettersNotInstalled from error
        template = _unpacked.enter_context(as_file(files("schedulers.letters").joinpath("letter.typ")))
        # Only the fonts that typst brings: a letter looks, and hashes, the same on every machine.
        self._compiler = typst.Compiler(str(template), ignore_system_fonts=True)

    def set(self, letter: Mapping[str, Any], dated: date) -> bytes:
        """Set one composed letter; the same letter gives the same bytes. `dated`: its Brussels day."""
        pdf = self._compiler.compile(
            format="pdf",
            sys_inputs={"letter": json.dumps(letter, ensure_ascii=False)},
            pdf_standards=[*STANDARDS],
            timestamp=datetime.combine(dated, time(), UTC),
        )
        if not isinstance(pdf, bytes):
            message = "typst gave no PDF"
            raise TypeError(message)
        return pdf
