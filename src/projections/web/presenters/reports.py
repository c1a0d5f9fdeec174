"""Figures of the first page and of the reports: what is due and late, consumption, refunds, guarantees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from ledger.domain.codes import GUARANTEES
from projections.web.charts import Columns, Layer, Written, columns, next_month
from projections.web.i18n.codes import of_code
from projections.web.i18n.language import Words

Rows = Sequence[Mapping[str, object]]

MOST_DAYS: Final = 31
"""Refunds that took longer share one column."""
MOST_MONTHS: Final = 36


class Euros(Written):
    """Cents on an axis, as euros."""

    def __init__(self, words: Words) -> None:
        """In these words."""
        self._words = words

    def __call__(self, figure: float) -> str:
        """Write it without cents."""
        return self._words.whole_euros(round(figure))


class Numbers(Written):
    """Numbers on an axis."""

    def __init__(self, words: Words) -> None:
        """In these words."""
        self._words = words

    def __call__(self, figure: float) -> str:
        """Write it."""
        return self._words.number(figure)


@dataclass(frozen=True, slots=True)
class Consumption:
    """What was consumed by month of the incident: a drawing, its table, and points for a script."""

    drawing: Columns
    rows: Rows
    points: Mapping[str, object]
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class RefundFigures:
    """Refunds by the days that they took."""

    drawing: Columns
    rows: Rows
    paid: int
    late: int


@dataclass(frozen=True, slots=True)
class Guarantees:
    """Claims by guarantee."""

    drawing: Columns
    rows: Rows


def consumption(rows: Rows, words: Words) -> Consumption:
    """Draw the months from the first to the last, at most three years, one layer a guarantee."""
    months = _months(rows)
    by_month = {(row["month"], str(row["guarantee"])): int(str(row["approved_cents"] or 0)) for row in rows}
    names = [name for name in GUARANTEES if any(by_month.get((month, name)) for month in months)]
    layers = [
        Layer(of_code(words, name), name, [by_month.get((month, name), 0) for month in months])
        for name in names
    ]
    table = [
        {"month": month, "total": sum(layer.figures[place] for layer in layers)}
        | {layer.look: layer.figures[place] for layer in layers}
        for place, month in enumerate(months)
    ]
    points = {
        "label": words("Month"),
        "months": [datetime(m.year, m.month, 1, tzinfo=UTC).timestamp() for m in months],
        "series": [
            {"name": layer.name, "figures": [figure / 100 for figure in layer.figures]} for layer in layers
        ],
    }
    drawing = columns([words.short_month(month) for month in months], layers, Euros(words))
    return Consumption(drawing, table, points, names)


def refunds(rows: Rows, promised: int, words: Words) -> RefundFigures:
    """Draw how many refunds took how many days, with the promise as a bound."""
    number, late = dict.fromkeys(range(MOST_DAYS + 1), 0), dict.fromkeys(range(MOST_DAYS + 1), 0)
    for row in rows:
        days = min(int(str(row["days"])), MOST_DAYS)
        number[days] += int(str(row["number"]))
        late[days] += int(str(row["late"]))
    last = max((days for days, count in number.items() if count), default=promised)
    shown = range(max(last, promised + 1) + 1)
    layers = [
        Layer(words("in time"), "good", [number[days] - late[days] for days in shown]),
        Layer(words("late"), "late", [late[days] for days in shown]),
    ]
    names = [f"{days}+" if days == MOST_DAYS else str(days) for days in shown]
    table = [
        {"days": name, "number": number[days], "late": late[days]}
        for days, name in zip(shown, names, strict=True)
        if number[days]
    ]
    drawing = columns(names, layers, Numbers(words), bound_after=promised)
    return RefundFigures(drawing, table, sum(number.values()), sum(late.values()))


def guarantees(rows: Rows, words: Words) -> Guarantees:
    """Draw claims by guarantee and by what became of them."""
    by_name = {str(row["guarantee"]): row for row in rows}
    table = [by_name[name] for name in GUARANTEES if name in by_name]
    layers = [
        Layer(words(name), look, [int(str(row[field])) for row in table])
        for name, look, field in (
            ("accepted", "good", "accepted"),
            ("rejected", "late", "rejected"),
            ("not decided", "reserved", "undecided"),
        )
    ]
    drawing = columns([of_code(words, row["guarantee"]) for row in table], layers, Numbers(words))
    return Guarantees(drawing, table)


def _months(rows: Rows) -> Sequence[date]:
    known = [row["month"] for row in rows if isinstance(row["month"], date)]
    if not known:
        return ()
    month, months = min(known), []
    while month <= max(known):
        months.append(month)
        month = next_month(month)
    return months[-MOST_MONTHS:]
