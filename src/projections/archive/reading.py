"""What is read back of an archive's file."""

from pathlib import Path

from ledger.errors import Rejected
from projections.exports.extra import needed


def last_event_id(path: Path) -> str:
    """Give the id of a file's last event. Raises `Rejected` for a file that is no archive's."""
    arrow, parquet = needed("pyarrow", "Parquet"), needed("pyarrow.parquet", "Parquet")
    try:
        with parquet.ParquetFile(path) as file:
            last = file.read_row_group(file.num_row_groups - 1, columns=["event_id"])
    except (OSError, arrow.ArrowException) as error:
        message = f"{path} cannot be read as Parquet: archive into an empty folder."
        raise Rejected(message) from error
    return str(last.column("event_id")[-1].as_py())
