"""What a command is: an imperative with its fields, frozen, strict, unknown fields refused."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ledger.domain.calendar import brussels_date

EARLIEST = date(1900, 1, 1)
LATEST = date(2199, 12, 31)

OTHER_YEARS = f"lies outside the years {EARLIEST.year} to {LATEST.year}"

_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_INSTANT = re.compile(
    r"\A\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?\Z", re.ASCII
)


def read_date(text: str) -> date:
    """Read a date of the years that the ledger counts in. Raises ValueError for all else."""
    if not _DATE.match(text):
        message = "must be a date like 2025-03-01"
        raise ValueError(message)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        message = "is no day of the calendar"
        raise ValueError(message) from None
    if not EARLIEST <= day <= LATEST:
        raise ValueError(OTHER_YEARS)
    return day


def read_instant(text: str) -> datetime:
    """Read an instant with its offset, of the years that the ledger counts in; in Brussels and in UTC.

    Raises ValueError for all else, a time without offset included.
    """
    if not _INSTANT.match(text):
        message = "must be an instant with offset like 2025-03-01T10:00:00+01:00"
        raise ValueError(message)
    try:
        instant = datetime.fromisoformat(_six_digits(text.upper()))
    except ValueError:
        message = "is no instant of the calendar"
        raise ValueError(message) from None
    if instant.tzinfo is None:
        message = "has no offset: write it like 2025-03-01T10:00:00+01:00"
        raise ValueError(message)
    # A year at the calendar's own edge has no other zone's time.
    if not EARLIEST.year <= instant.year <= LATEST.year:
        raise ValueError(OTHER_YEARS)
    if not (EARLIEST <= brussels_date(instant) <= LATEST and instant.astimezone(UTC).year >= EARLIEST.year):
        raise ValueError(OTHER_YEARS)
    return instant


def _read_date(value: object) -> object:
    # Strict JSON would also take a number of seconds for a date; a date is written as one.
    return read_date(value) if isinstance(value, str) else value


def _six_digits(text: str) -> str:
    """Cut a fraction of a second to what a datetime holds: microseconds."""
    return re.sub(r"\.(\d{1,9})", lambda match: "." + match[1][:6].ljust(6, "0"), text)


def _read_moment(value: object) -> object:
    # R1: an instant stands for its Brussels date; only a time without offset is invalid.
    if isinstance(value, str):
        return read_date(value) if _DATE.match(value) else brussels_date(read_instant(value))
    return brussels_date(read_instant(value.isoformat())) if isinstance(value, datetime) else value


Day = Annotated[date, BeforeValidator(_read_date), Field(ge=EARLIEST, le=LATEST)]
"""A date, 1900-01-01 to 2199-12-31."""

Moment = Annotated[date, BeforeValidator(_read_moment), Field(ge=EARLIEST, le=LATEST)]
"""An instant with offset, or a bare date; kept as its Brussels date, which is all that counts (R1)."""


class Command(BaseModel):
    """Somebody wants something to happen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    not_after_at: ClassVar[tuple[str, ...]] = ()
    """The fields that may not lie on a later Brussels day than the command's `at` (R1)."""

    @property
    def makes(self) -> Mapping[str, str]:
        """The numbers and persons that the command makes, by field: they are to stand in addresses."""
        return {}
