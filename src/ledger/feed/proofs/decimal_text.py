"""Decimal numbers as the C2SP formats write them: ASCII digits, no sign, no leading zero, below 2⁶³."""

import re

MAX_NUMBER = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def from_decimal(text: str) -> int | None:
    """Read a number; None if it is not spelt canonically or too large."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_NUMBER else None
