"""The reports that HTTP serves, as lists: what people sign for, beside what they look at."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from projections.asking.questions import Answer
from projections.asking.reader import Reader
from projections.asking.reports import REPORTS as KNOWN
from projections.asking.reports import Asked, by_guarantee, reported_until, rows_of
from projections.http.lists import List
from projections.http.reading import PagedReader

FOLDER: Final = "reports/"


@dataclass(frozen=True, slots=True)
class _Years:
    """What the figures by guarantee are narrowed down to."""

    guarantee: str | None = None
    year: int | None = None


def _until(reader: Reader) -> date:
    """Give the last day that the report knows of."""
    return reported_until(reader, reader.as_of if isinstance(reader, PagedReader) else None)


def _rows(name: str) -> Callable[[Reader, Asked], list[Answer]]:
    return lambda reader, asked: rows_of(reader, KNOWN[name], asked)


def _bordereau(reader: Reader, asked: Asked) -> list[Answer]:
    if asked.month is None:
        asked = replace(asked, month=_until(reader).replace(day=1))
    return rows_of(reader, KNOWN["bordereau"], asked)


def _of_a_month(month: str | None = None, *, every: bool | None = None, **rest: str | None) -> Asked:
    first = None if month is None else date.fromisoformat(f"{month}-01")
    return Asked(month=first, every=bool(every), **rest)  # type: ignore[arg-type]  # the filters of the bordereau


def _guarantees(reader: Reader, years: _Years) -> list[Answer]:
    return by_guarantee(reader, _until(reader), years.guarantee, years.year)


REPORTS: Final = (
    List(
        "refunds",
        ("refunds",),
        ("opened_position", "number"),
        _rows("refunds"),
        "Refunds with the days that they took against those allowed (R7)",
        Asked,
        FOLDER,
    ),
    List(
        "payments",
        ("payments",),
        ("opened_position", "number"),
        _rows("payments"),
        "Every movement of money on claims",
        Asked,
        FOLDER,
    ),
    List(
        "recoveries",
        ("reserves",),
        ("opened_position",),
        _rows("recoveries"),
        "Reserves and recoveries: what each claim may still cost, has cost, and what came back",
        Asked,
        FOLDER,
    ),
    List(
        "timeline",
        ("timeline",),
        ("from_position",),
        _rows("timeline"),
        "Steps of claims in the order in which they were recorded",
        Asked,
        FOLDER,
    ),
    List(
        "bordereau",
        ("bordereau",),
        ("opened_position",),
        _bordereau,
        "A month's claims: paid in the month, paid before, outstanding",
        _of_a_month,
        FOLDER,
    ),
    List(
        "guarantees",
        ("reserves", "contracts"),
        (),
        _guarantees,
        "Counts and losses by calendar year of the incident and guarantee, beside the days of cover",
        _Years,
        FOLDER,
    ),
)
