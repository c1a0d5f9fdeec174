"""What the read side adds to the program: its verbs, the followers that keep the views, and the site."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from ledger.registry import Registry

if TYPE_CHECKING:
    from ledger.app import BookParts, Serving
    from ledger.domain.identifiers import StreamKind


def register(registry: Registry) -> None:
    """Register verbs, views and services. Each is loaded when it is asked for."""
    registry.add_group("contract", _records("contract"))
    registry.add_group("claim", _records("claim"))
    registry.add_group("complaint", _records("complaint"))
    registry.add_verbs(
        {
            "due": "Show what is due when, by due date, and what was met, missed or cancelled.",
            "limits": "Show what is consumed and what is left of each limit.",
            "today": "Show how things stand: what is late, due in 14 days, or nearly used up.",
        },
        _due,
    )
    registry.add_group(
        "report",
        _report,
        summary="Reports: refunds, money, reserves, the monthly bordereau, figures by guarantee.",
    )
    registry.add_verbs(
        {
            "archive": "Write the feed to a folder as Parquet, one file a range of 100,000 positions.",
            "events": "Show the feed: every sealed event in the order of its position.",
            "replay": "Tell a history event by event: when, by whom, by which command, and what it changed.",
        },
        _history,
    )
    registry.add_group("person", _person, summary="Find persons by name.")
    registry.add_group(
        "cancellations", _cancellations, summary="What customers sent on the site's cancellation form."
    )
    registry.add_group("projections", _projections, summary="The views: list them, rebuild them.")
    registry.add_parts(_add_parts)
    registry.add_serving(_add_serving)


def _records(kind: "StreamKind") -> Callable[[], Mapping[str, click.Command]]:
    def load() -> Mapping[str, click.Command]:
        from projections.cli.records import commands_of  # noqa: PLC0415  # loaded when it is asked for

        return commands_of(kind)

    return load


def _due() -> Mapping[str, click.Command]:
    from projections.cli.due import due, limits, today  # noqa: PLC0415  # as above

    return {"due": due, "limits": limits, "today": today}


def _report() -> Mapping[str, click.Command]:
    from projections.cli import reports  # noqa: PLC0415  # as above
    from projections.cli.due import overview  # noqa: PLC0415  # as above

    return {
        "overview": overview,
        "bordereau": reports.bordereau,
        "refunds": reports.refunds,
        "payments": reports.payments,
        "recoveries": reports.recoveries,
        "guarantees": reports.guarantees,
        "timeline": reports.timeline,
    }


def _history() -> Mapping[str, click.Command]:
    from projections.cli.history import archive, events, replay  # noqa: PLC0415  # as above

    return {"archive": archive, "events": events, "replay": replay}


def _person() -> Mapping[str, click.Command]:
    from projections.cli.persons import find  # noqa: PLC0415  # as above

    return {"find": find}


def _cancellations() -> Mapping[str, click.Command]:
    from projections.cli.persons import list_all  # noqa: PLC0415  # as above

    return {"list": list_all}


def _projections() -> Mapping[str, click.Command]:
    from projections.cli import views  # noqa: PLC0415  # as above

    return {
        "list": views.list_all,
        "rebuild": views.rebuild,
        "diff": views.diff,
        "drop": views.drop,
        "parked": views.parked,
        "replay-parked": views.replay_parked,
    }


def _add_parts(parts: "BookParts") -> None:
    from projections.followers import FOLLOWERS, VIEW_CHECKS  # noqa: PLC0415  # as above

    parts.followers |= FOLLOWERS
    parts.view_checks |= VIEW_CHECKS


def _add_serving(serving: "Serving") -> None:
    from projections.http import list_routes, record_routes  # noqa: PLC0415  # as above
    from projections.services import keep_counted, keep_views, rebuild_views  # noqa: PLC0415  # as above
    from projections.web import cancellation_mailer, routes  # noqa: PLC0415  # as above

    serving.services |= {
        "views": keep_views,
        "rebuilding": rebuild_views,
        "cancellation": cancellation_mailer.keep_sending,
        "figures": keep_counted,
    }
    serving.routes |= {
        "lists": list_routes.routes,
        "single": record_routes.routes,
        "site": routes.routes,
    }
