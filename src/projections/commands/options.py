"""Options that questions share: which time they stand for, and which rows they want."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ledger.commands.options import DAY

F = TypeVar("F", bound=Callable[..., Any])

GUARANTEES = ("identity", "payment", "data", "reputation")
CONTRACT_STATUSES = (
    "active",
    "notice_given",
    "termination_notified",
    "cancelled",
    "expired",
    "withdrawn",
    "annulled",
)
CLAIM_STATUSES = ("open", "submitted", "accepted", "rejected", "withdrawn", "closed")
COMPLAINT_STATUSES = ("open", "acknowledged", "answered", "escalated", "opinion_received", "closed")
DUE_STATUSES = ("open", "met", "missed", "cancelled")

as_of_option = click.option(
    "--as-of",
    "as_of",
    metavar="POSITION|INSTANT|DATE",
    help=(
        "As known then: at a position of the feed, at an instant with its offset, or by the end of a day."
        " The answer never changes, whatever is corrected later."
    ),
)

on_option = click.option(
    "--on",
    type=DAY,
    metavar="DATE",
    help="As the business stood on that date, by what is known now (or at --as-of), corrections included.",
)


def time_options(command: F) -> F:
    """Add `--on` and `--as-of`."""
    return on_option(as_of_option(command))


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


def status_option(statuses: tuple[str, ...], said: str) -> Callable[[F], F]:
    """Add `--status`."""
    return click.option("--status", type=click.Choice(statuses), help=said)
