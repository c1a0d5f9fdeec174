"""Files in which rows are sent over HTTP: by the end of an address, what they are and what writes them."""

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Final, NamedTuple

from projections.exports import csv_rows, workbook
from projections.exports.sheet import Rows, Sheet


class Way(NamedTuple):
    """One way of writing rows."""

    said: str
    """What a button calls it."""
    media_type: str
    write: Callable[[Rows, Sheet], Iterator[bytes]]
    needs: str | None = None
    """The module of the extra `export` without which it refuses; None: none."""
    is_made_first: bool = False
    """Whether `write` makes all of it before it returns, and may refuse; else it takes rows as it is read."""

    @property
    def is_there(self) -> bool:
        """Say whether what it needs is installed."""
        return self.needs is None or find_spec(self.needs) is not None


WAYS: Final[Mapping[str, Way]] = {
    "csv": Way("CSV", csv_rows.MEDIA_TYPE, csv_rows.csv_chunks),
    "xlsx": Way("Excel", workbook.MEDIA_TYPE, workbook.workbook_chunks, "xlsxwriter", is_made_first=True),
}
