"""The sheets of the lists: their columns in order, each with the kind of its values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["text", "integer", "truth", "date", "instant"]
"""Cents and days are integers; a date is Brussels'; an instant is aware."""

CENTS = "_cents_"
"""In the name of what is in cents (`net_cents_per_year`), wherever it stands; a name's end is one too."""

Row = Mapping[str, object]
Rows = Iterable[Row]


class SheetColumn(NamedTuple):
    """One column, named like the field of the rows' JSON."""

    name: str
    kind: Kind = "text"

    @property
    def is_cents(self) -> bool:
        """Whether it holds cents."""
        return CENTS in f"{self.name}_"

    @property
    def name_in_euro(self) -> str:
        """What it is called where its amounts are in euro."""
        return f"{self.name}_".replace(CENTS, "_").removesuffix("_")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list's name and columns. Fields of a row that no column names are left out of the file."""

    name: str
    columns: tuple[SheetColumn, ...]

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]


def sheet(name: str, /, **kinds: Kind) -> Sheet:
    """Return a sheet of these columns, each with its kind: `sheet("due", subject="text", due_on="date")`."""
    return Sheet(name, tuple(SheetColumn(column, kind) for column, kind in kinds.items()))
