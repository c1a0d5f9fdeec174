"""What the commands on persons share: why, who, and how instants are shown."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger.commands.options import actor_option

if TYPE_CHECKING:
    from ledger.subjects.access_log import Access

F = TypeVar("F", bound=Callable[..., Any])

LONGEST_REASON = 500


class Reason(click.ParamType[str]):
    """Why something is done about a person: a line of words."""

    name = "reason"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it; it is kept for good, so it must say something and be readable."""
        text = str(value).strip()
        if not text or len(text) > LONGEST_REASON or not text.isprintable():
            self.fail(
                f"give 1 to {LONGEST_REASON} characters in one line, without anybody's name.", param, ctx
            )
        return text


REASON = Reason()


def reason_option(command: F) -> F:
    """Add `--reason` and `--actor`."""
    reason = click.option(
        "--reason",
        type=REASON,
        required=True,
        metavar="TEXT",
        help="Why; kept for good, so name nobody in it.",
    )
    return reason(actor_option(command))


def access(who: str, what: str, why: str) -> "Access":
    """Put together who does what, and why. Raises `UsedWrongly` for an actor that is none."""
    from ledger.endings import UsedWrongly  # noqa: PLC0415  # loaded when it runs
    from ledger.importing.envelope import checked_name  # noqa: PLC0415  # as above
    from ledger.importing.lines import Malformed  # noqa: PLC0415  # as above
    from ledger.subjects.access_log import Access  # noqa: PLC0415  # as above

    try:
        return Access(checked_name("--actor", who), what, why)
    except Malformed as error:
        message = f"{error}."
        raise UsedWrongly(message) from None


def instant(value: datetime | None) -> str | None:
    """Write an instant as ISO text, UTC; None stays None."""
    return None if value is None else value.isoformat()
