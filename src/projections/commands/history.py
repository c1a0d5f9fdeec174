"""Histories as tables: what happened to one contract, claim or complaint, oldest first."""

from datetime import date
from typing import TYPE_CHECKING

from projections.commands.reading import reading
from projections.commands.tables import Column, instant, number, plain

if TYPE_CHECKING:
    from ledger.domain.identifiers import StreamRef

BELONGING = ("claims", "complaints")
"""The views that say which streams belong to a contract."""

HISTORY_COLUMNS: tuple[Column, ...] = (
    number("position", "position"),
    plain("stream", "stream"),
    number("version", "version").spared(2),
    plain("event", "type"),
    plain("effective", "effective_on").spared(1),
    instant("at (Brussels)", "at"),
    instant("recorded", "recorded_at").spared(4),
    plain("actor", "actor").spared(3),
    plain("command", "command_id").spared(5),
)


def history_of(  # noqa: PLR0913  # a stream, a book, both times, and whether alone
    kind: str, number: str, *, book: str, as_of: str | None, on: date | None, own: bool = False
) -> list[dict[str, object]]:
    """Give a stream's events as rows. Raises `Rejected` when nothing of it was recorded by then."""
    from projections.replay.telling import history  # noqa: PLC0415  # loaded when it runs

    with reading(book, BELONGING, as_of=as_of, on=on) as reader:
        return history(reader, stream(kind, number), own=own)


def stream(kind: str, number: str) -> "StreamRef":
    """Name a stream."""
    from ledger.domain.identifiers import StreamRef  # noqa: PLC0415  # loaded when it runs

    return StreamRef(kind, number)  # type: ignore[arg-type]  # callers name one of the three kinds
