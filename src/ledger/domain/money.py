"""Money: whole cents of euro, never floats; where it is paid to, and under which reference."""

import re
from typing import Annotated

from pydantic import Field

from ledger.domain.identifiers import FreeText, PaymentReference, asked_of_new

CURRENCY = "EUR"
MOST_CENTS = 10**13

Cents = Annotated[int, Field(strict=True, ge=0, le=MOST_CENTS)]
"""An amount in euro cents, 0 to 10**13: an integer, no boolean and no float."""

PaidCents = Annotated[int, Field(strict=True, gt=0, le=MOST_CENTS)]
"""An amount in euro cents that is really paid: above 0 (D10)."""

_BLANKS = str.maketrans("", "", " \u00a0\u202f")
_STRUCTURED = re.compile(r"([+*]{3}) ?[0-9]{3}/[0-9]{4}/[0-9]{5} ?\1", re.ASCII)


def is_structured(reference: str) -> bool:
    """Whether it is written as a Belgian structured communication, `+++090/9337/55493+++`."""
    return _STRUCTURED.fullmatch(reference) is not None


def _checked_iban(value: str) -> str:
    # Loaded when there is a number to check: most commands have none.
    from stdnum import iban  # noqa: PLC0415

    number = value.translate(_BLANKS)
    # By length and check digits alone: whether a bank bears the number may change, what was paid does not.
    if not number.isascii() or not iban.is_valid(number, check_country=False):
        message = "is no IBAN: its country, length or check digits are wrong"
        raise ValueError(message)
    return value


def _checked_communication(value: str) -> str:
    from stdnum.be import ogm_vcs  # noqa: PLC0415  # as above

    if is_structured(value) and not ogm_vcs.is_valid(value.strip("+* ")):
        message = "is a structured communication whose check digits are wrong"
        raise ValueError(message)
    return value


Iban = Annotated[FreeText, asked_of_new(_checked_iban)]
"""An account number, kept as it was written, with blanks or without."""

NewPaymentReference = Annotated[PaymentReference, asked_of_new(_checked_communication)]
"""Reference of a payment that is made now: a structured communication has the right check digits."""
