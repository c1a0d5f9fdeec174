"""Columns over categories: months, days taken, guarantees. Each may be made of several layers."""

from collections.abc import Sequence
from dataclasses import dataclass

from projections.web.drawing.axes import steps

WIDTH = 720
HEIGHT = 260
LEFT = 78
RIGHT = 10
TOP = 12
BOTTOM = 34
MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of figures, one a category."""

    name: str
    """Its name for the reader."""
    look: str
    """Name of its style: `consumed`, `reserved`, `late`."""
    figures: Sequence[int]


@dataclass(frozen=True, slots=True)
class Column:
    """One rectangle."""

    x: float
    y: float
    width: float
    height: float
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A whole drawing."""

    columns: Sequence[Column]
    across: Sequence[Mark]
    up: Sequence[Mark]
    line_at: float | None
    """Where a promised bound crosses, if there is one."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def columns(
    categories: Sequence[str],
    layers: Sequence[Layer],
    written: "Written",
    *,
    bound_after: int | None = None,
) -> Columns:
    """Draw layers on top of each other. `bound_after`: the category after which a bound is crossed."""
    totals = [sum(layer.figures[place] for layer in layers) for place in range(len(categories))]
    up = steps(max(totals, default=0))
    base, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT - RIGHT) / max(1, len(categories))
    width = round(step * 0.7, 2)
    drawn = []
    for place, category in enumerate(categories):
        y = float(base)
        for layer in layers:
            figure = layer.figures[place]
            if figure <= 0:
                continue
            height = round(room * figure / up[-1], 2)
            y -= height
            title = f"{category}: {written(figure)}" + (f" ({layer.name})" if len(layers) > 1 else "")
            x = round(LEFT + step * place + (step - width) / 2, 2)
            drawn.append(Column(x, round(y, 2), width, height, layer.look, title))
    every = -(-len(categories) // MOST_LABELS) or 1
    across = [
        Mark(round(LEFT + step * (place + 0.5), 2), category)
        for place, category in enumerate(categories)
        if place % every == 0
    ]
    return Columns(
        drawn,
        across,
        [Mark(round(base - room * figure / up[-1], 2), written(figure)) for figure in up],
        None if bound_after is None else round(LEFT + step * (bound_after + 1), 2),
    )


class Written:
    """How a figure is written on the axis and at its column."""

    def __call__(self, figure: float) -> str:
        """Write it."""
        return f"{figure:g}"
