"""What the time side adds to the program: its verbs, the diary, deadlines, letters and heads kept outside."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from ledger.registry import Registry

if TYPE_CHECKING:
    from ledger.app import App, BookParts, Serving


def register(registry: Registry) -> None:
    """Register verbs, followers and services. Each is loaded when it is asked for."""
    registry.add_group(
        "deadlines",
        _deadlines,
        summary="Deadlines: the diary, the sweep, the digest, the run-off, retention.",
    )
    registry.add_verbs(
        {"simulate": "Ask what happens next: let a virtual year go by over a copy of the book."}, _simulate
    )
    registry.add_group(
        "letters", _letters, summary="Letters: prepare them, hand them over, confirm their posting."
    )
    registry.add_parts(_add_parts)
    registry.add_serving(_add_serving)


def _deadlines() -> Mapping[str, click.Command]:
    from schedulers.cli import deadlines  # noqa: PLC0415  # loaded when it is asked for
    from schedulers.cli.simulate import plan  # noqa: PLC0415  # as above

    return {
        "list": deadlines.list_all,
        "sweep": deadlines.sweep,
        "digest": deadlines.digest,
        "plan": plan,
        "retention": deadlines.retention,
    }


def _simulate() -> Mapping[str, click.Command]:
    from schedulers.cli.simulate import simulate  # noqa: PLC0415  # as above

    return {"simulate": simulate}


def _letters() -> Mapping[str, click.Command]:
    from schedulers.cli import letters  # noqa: PLC0415  # as above

    return {
        "list": letters.list_all,
        "prepare": letters.prepare,
        "hand-over": letters.hand_over,
        "answer": letters.answer,
        "open": letters.open_one,
        "confirm": letters.confirm,
    }


def _add_parts(parts: "BookParts") -> None:
    from schedulers import agenda, retention, sweep  # noqa: PLC0415  # as above
    from schedulers.letters import queries, triggers  # noqa: PLC0415  # as above

    parts.followers |= {
        agenda.NAME: lambda app: agenda.Agenda(app.book),
        queries.NAME: lambda app: triggers.Letters(app.book),
        retention.NAME: lambda app: retention.Retention(app.book),
    }
    parts.view_checks |= {
        agenda.NAME: agenda.check_agenda,
        retention.NAME: retention.check_retention,
    }
    parts.sweeps[agenda.NAME] = sweep.sweep
    parts.erasures[queries.NAME] = _erase_letters
    parts.held[queries.NAME] = queries.letters_to
    parts.head_senders["outside"] = _send_heads
    parts.listings |= {
        "letters": queries.list_letters,
        "letters shown": queries.list_page,
        "retention": retention.list_proposals,
    }


def _erase_letters(app: "App") -> int:
    from schedulers.letters.worker import erase_letters  # noqa: PLC0415  # as above

    return erase_letters(app)


def _send_heads(app: "App") -> list[Mapping[str, object]]:
    from schedulers.anchoring.sender import send_now  # noqa: PLC0415  # as above

    return [sent._asdict() for sent in send_now(app)]


def _add_serving(serving: "Serving") -> None:
    from schedulers import digest, mail, services  # noqa: PLC0415  # as above
    from schedulers.anchoring.sender import keep_heads_outside  # noqa: PLC0415  # as above
    from schedulers.letters.worker import keep_letters  # noqa: PLC0415  # as above

    serving.services |= {
        "diary": services.keep_diary,
        "clockwork": services.keep_time,
        "post": keep_letters,
        "digest": digest.keep_digest,
        "operator": mail.keep_operator_told,
        "heads": keep_heads_outside,
    }
