"""Amounts as people write them in spreadsheets, read into cents or refused; never guessed."""

import re

LARGEST_CENTS = 10**13
"""100 thousand million euro; nothing in this trade is larger."""

_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"([0-9]+)[.,]([0-9]{2})")
_DOTS_THEN_COMMA = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+),([0-9]{2})")
_COMMAS_THEN_DOT = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+)\.([0-9]{2})")
_SPACES = re.compile(r"([0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+)(?:[.,]([0-9]{2}))?")
_GROUPS_ONLY = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3}){2,}|[0-9]{1,3}(?:,[0-9]{3}){2,})()")
_ONE_GROUP = re.compile(r"([0-9]{1,3})[.,]([0-9]{3})")
_CURRENCY = re.compile(r"(?:EUR|€)[ \u00a0]*(.*?)|(.*?)[ \u00a0]*(?:EUR|€)")


class NotAnAmount(ValueError):
    """The text is no amount, or could be read as two different ones."""


def cents(text: str) -> int:
    """Read an amount of euro into cents.

    `5000`, `5000.00`, `5000,00`, `5.000,00 EUR`, `5,000.00 EUR` and `€ 5 000,00` are all 500000 cents.
    `5.000` and `5,000` are refused: they are five thousand to some and five to others.

    Raises:
        NotAnAmount: with what to write instead.

    """
    written = text.strip()
    with_currency = _CURRENCY.fullmatch(written)
    if with_currency:
        written = (with_currency.group(1) or with_currency.group(2) or "").strip()
    if _WHOLE.fullmatch(written):
        return _bounded(written, "00", text)
    for shape, separators in (
        (_DECIMAL, ""),
        (_DOTS_THEN_COMMA, "."),
        (_COMMAS_THEN_DOT, ","),
        (_SPACES, " \u00a0\u202f"),
        (_GROUPS_ONLY, ".,"),
    ):
        match = shape.fullmatch(written)
        if match:
            whole = match.group(1).translate({ord(mark): None for mark in separators})
            return _bounded(whole, match.group(2) or "00", text)
    either = _ONE_GROUP.fullmatch(written)
    if either:
        whole, rest = either.groups()
        message = f"{text!r} can be read as {whole}{rest}.00 or as {whole}.{rest}; write it with two decimals"
        raise NotAnAmount(message)
    message = f"{text[:40]!r} is no amount of euro; write it as 5000.00"
    raise NotAnAmount(message)


def _bounded(whole: str, hundredths: str, text: str) -> int:
    """Put euro and cents together, or refuse what no contract can be about."""
    if len(whole.lstrip("0")) > len(str(LARGEST_CENTS)):
        message = f"{text[:20]!r}… is larger than any amount that the ledger keeps"
        raise NotAnAmount(message)
    amount = int(whole) * 100 + int(hundredths)
    if amount > LARGEST_CENTS:
        message = f"{text!r} is larger than any amount that the ledger keeps"
        raise NotAnAmount(message)
    return amount
