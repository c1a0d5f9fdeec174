"""Options that questions share: which time they stand for, and which rows they want."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ledger.cli.options import DAY, REASON, access, actor_option
from ledger.domain.codes import GUARANTEES

if TYPE_CHECKING:
    from ledger.privacy.access import Access

F = TypeVar("F", bound=Callable[..., Any])

EMPTY_OK = f"{__name__}.empty_ok"
"""Where the context of a command keeps whether `--empty-ok` was given."""

_as_of = click.option(
    "--as-of",
    "as_of",
    metavar="POSITION|INSTANT|DATE",
    help=(
        "As known then: at a position of the feed, at an instant with its offset, or by the end of a day."
        " The answer never changes, whatever is corrected later."
    ),
)

_empty_ok = click.option(
    "--empty-ok",
    is_flag=True,
    expose_value=False,
    callback=lambda context, _option, given: context.meta.__setitem__(EMPTY_OK, given),
    help="With --as-of: also answer for a time before the first record, with nothing.",
)


def as_of_option(command: F) -> F:
    """Add `--as-of`, and `--empty-ok`, which `empty_ok` tells of."""
    return _as_of(_empty_ok(command))


def empty_ok() -> bool:
    """Whether the command that runs may answer for a time at which nothing was known."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(EMPTY_OK))


on_option = click.option(
    "--on",
    type=DAY,
    metavar="DATE",
    help="As the business stood on that date, by what is known now (or at --as-of), corrections included.",
)


def time_options(command: F) -> F:
    """Add `--on` and `--as-of`."""
    return on_option(as_of_option(command))


def names_options(what: str) -> Callable[[F], F]:
    """Add `--names`, `--reason` and `--actor`, passed on as `access`: None unless names are asked for.

    `what`: the command, as the access log calls it.
    """

    def add(command: F) -> F:
        @functools.wraps(command)
        def run(*args: Any, names: bool, reason: str | None, actor: str, **given: Any) -> Any:  # noqa: ANN401  # click gives what the options hold
            return command(*args, access=_access(what, actor, reason, names=names), **given)

        named = click.option("--names", is_flag=True, help="Open personal values; the access log says so.")
        why = click.option(
            "--reason", type=REASON, metavar="TEXT", help="Why names are opened; kept, so name nobody in it."
        )
        return cast("F", named(why(actor_option(run))))

    return add


def _access(what: str, actor: str, reason: str | None, *, names: bool) -> "Access | None":
    if names and reason is None:
        message = "--names opens personal values, which is written down: say why with --reason."
        raise click.UsageError(message)
    if reason is not None and not names:
        message = "--reason says why names are opened: give --names as well, or leave it out."
        raise click.UsageError(message)
    return None if reason is None else access(actor, what, reason)


def contract_option(said: str) -> Callable[[F], F]:
    """Add `--contract`."""
    return click.option("--contract", metavar="C", help=said)


def claim_option(said: str) -> Callable[[F], F]:
    """Add `--claim`."""
    return click.option("--claim", metavar="K", help=said)


def guarantee_option(said: str) -> Callable[[F], F]:
    """Add `--guarantee`."""
    return click.option("--guarantee", type=click.Choice(GUARANTEES), help=said)


def before_option(said: str) -> Callable[[F], F]:
    """Add `--before`."""
    return click.option("--before", type=DAY, metavar="DATE", help=said)


def from_option(said: str) -> Callable[[F], F]:
    """Add `--from`."""
    return click.option("--from", "from_on", type=DAY, metavar="DATE", help=said)


def status_option(statuses: tuple[str, ...], said: str) -> Callable[[F], F]:
    """Add `--status`."""
    return click.option("--status", type=click.Choice(statuses), help=said)
