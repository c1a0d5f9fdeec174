"""What a command is: an imperative with its fields, frozen, strict, unknown fields refused."""

import re
from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ledger.domain.calendar import brussels_date

EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)

_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_INSTANT = re.compile(
    r"\A\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?\Z", re.ASCII
)


def _read_date(value: object) -> object:
    # Strict JSON would also take a number of seconds for a date; a date is written as one.
    if isinstance(value, str):
        if not _DATE.match(value):
            message = "must be a date like 2025-03-01"
            raise ValueError(message)
        return date.fromisoformat(value)
    return value


def read_instant(text: str) -> datetime:
    """Read an instant with its offset. Raises ValueError for all else, a time without offset included."""
    if not _INSTANT.match(text):
        message = "must be an instant with offset like 2025-03-01T10:00:00+01:00"
        raise ValueError(message)
    instant = datetime.fromisoformat(_six_digits(text.upper()))
    if instant.tzinfo is None:
        message = "has no offset: write it like 2025-03-01T10:00:00+01:00"
        raise ValueError(message)
    return instant


def _six_digits(text: str) -> str:
    """Cut a fraction of a second to what a datetime holds: microseconds."""
    return re.sub(r"\.(\d{1,9})", lambda match: "." + match[1][:6].ljust(6, "0"), text)


def _read_moment(value: object) -> object:
    # R1: an instant stands for its Brussels date; only a time without offset is invalid.
    if isinstance(value, str):
        if _DATE.match(value):
            return date.fromisoformat(value)
        value = read_instant(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = "has no offset: write it like 2025-03-01T10:00:00+01:00"
            raise ValueError(message)
        return brussels_date(value)
    return value


Day = Annotated[date, BeforeValidator(_read_date), Field(ge=EARLIEST, le=LATEST)]
"""A date, 1900-01-01 to 2199-12-31."""

Moment = Annotated[date, BeforeValidator(_read_moment), Field(ge=EARLIEST, le=LATEST)]
"""An instant with offset, or a bare date; kept as its Brussels date, which is all that counts (R1)."""


class Command(BaseModel):
    """Somebody wants something to happen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    not_after_at: ClassVar[tuple[str, ...]] = ()
    """The fields that may not lie on a later Brussels day than the command's `at` (R1)."""
