"""What the write side adds to the program: its verbs, HTTP, and the delivery of events."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from ledger.registry import Registry

if TYPE_CHECKING:
    from ledger.app import Serving

DOMAIN_GROUPS: Final = {
    "contract": "Contracts: start them, record notices and letters; show, list, history.",
    "claim": "Claims: open, identify, accept, refund; show, list, history.",
    "complaint": "Complaints: lodge, answer, escalate; show, list, history.",
}


def register(registry: Registry) -> None:
    """Register verbs and services. Each is loaded when it is asked for, so that `--help` waits for none."""
    registry.add_verbs(
        {
            "init": "Create the ledger and its book.",
            "migrate": "Bring the database's schema up to date.",
            "doctor": "Check settings, rights, durability, clock, services, lag and keys.",
        },
        _setup,
    )
    registry.add_verbs({"up": "Run the whole ledger: Postgres, sealer, views, diary."}, _up)
    registry.add_verbs(
        {
            "backup": "Back the ledger up: the data, and apart from it the vault of the persons' keys.",
            "restore": "Put a backup back; or accept the state that a database was put back to.",
        },
        _backup,
    )
    registry.add_verbs({"import": "Load commands from JSON Lines or CSV files."}, _imports)
    registry.add_verbs({"submit": "Send one command by its name, its fields as JSON."}, _submit)
    registry.add_verbs(
        {
            "verify": "Prove that nothing was altered: the database, a bundle, or a contract's proof.",
            "export": "Write the whole book as a bundle that an auditor verifies offline.",
            "proof": "One contract's history with its proof, in one file.",
            "checkpoint": "The log's signed head, to be kept outside; or the key that verifies it.",
        },
        _verify,
    )
    registry.add_verbs(
        {"listen": "Post events to a receiver on your own machine, one after the other, as they come."},
        _listen,
    )
    for group, summary in DOMAIN_GROUPS.items():
        registry.add_group(group, partial(_domain_verbs, group), summary=summary)
    registry.add_group("keys", _keys, summary="Master and signing keys.")
    registry.add_group("token", _token, summary="Who may call over HTTP: tokens and sign-in links.")
    registry.add_group("subject", _subject, summary="One person's data: erase, export, hold.")
    registry.add_group("subscriptions", _subscriptions, summary="Who is told of events, and how that goes.")
    registry.add_group("parked", _parked, summary="What could not be handled, and trying it again.")
    registry.add_serving(_add_serving)


def _setup() -> Mapping[str, click.Command]:
    from ledger.cli.setup import doctor, init, migrate  # noqa: PLC0415  # loaded when it is asked for

    return {"init": init, "migrate": migrate, "doctor": doctor}


def _up() -> Mapping[str, click.Command]:
    from ledger.cli.up import up  # noqa: PLC0415  # as above

    return {"up": up}


def _backup() -> Mapping[str, click.Command]:
    from ledger.cli.backup import backup, restore  # noqa: PLC0415  # as above

    return {"backup": backup, "restore": restore}


def _imports() -> Mapping[str, click.Command]:
    from ledger.cli.imports import import_  # noqa: PLC0415  # as above

    return {"import": import_}


def _submit() -> Mapping[str, click.Command]:
    from ledger.cli.submit import submit  # noqa: PLC0415  # as above

    return {"submit": submit}


def _domain_verbs(group: str) -> Mapping[str, click.Command]:
    from ledger.cli.submit import domain_verbs  # noqa: PLC0415  # as above

    return domain_verbs(group)


def _verify() -> Mapping[str, click.Command]:
    from ledger.cli.verify import checkpoint, export, proof, verify  # noqa: PLC0415  # as above

    return {"verify": verify, "export": export, "proof": proof, "checkpoint": checkpoint}


def _keys() -> Mapping[str, click.Command]:
    from ledger.cli.keys import kept, list_all, rotate  # noqa: PLC0415  # as above

    return {"list": list_all, "rotate": rotate, "kept": kept}


def _token() -> Mapping[str, click.Command]:
    from ledger.cli.token import create, link, list_all, revoke  # noqa: PLC0415  # as above

    return {"create": create, "list": list_all, "revoke": revoke, "link": link}


def _subject() -> Mapping[str, click.Command]:
    from ledger.cli import subject  # noqa: PLC0415  # as above

    return {
        "erase": subject.erase,
        "export": subject.export,
        "show": subject.show,
        "list": subject.list_all,
        "log": subject.log,
        "hold": subject.hold,
        "lift-hold": subject.lift,
        "holds": subject.list_holds,
    }


def _subscriptions() -> Mapping[str, click.Command]:
    from ledger.cli import subscriptions  # noqa: PLC0415  # as above

    return {
        "add": subscriptions.add,
        "list": subscriptions.list_all,
        "show": subscriptions.show,
        "pause": subscriptions.pause,
        "resume": subscriptions.resume,
        "resend": subscriptions.resend,
        "replay-parked": subscriptions.replay_parked,
        "remove": subscriptions.remove,
        "rotate-secret": subscriptions.rotate_secret,
    }


def _listen() -> Mapping[str, click.Command]:
    from ledger.cli.subscriptions import listen  # noqa: PLC0415  # as above

    return {"listen": listen}


def _parked() -> Mapping[str, click.Command]:
    from ledger.cli.parked import list_all, replay  # noqa: PLC0415  # as above

    return {"list": list_all, "replay": replay}


def _add_serving(serving: "Serving") -> None:
    from ledger.http import (  # noqa: PLC0415  # as above
        commands,
        feed,
        health,
        log_files,
        reference,
        server,
        sign_in,
    )
    from ledger.webhooks.dispatcher import deliver  # noqa: PLC0415  # as above

    serving.services |= {"http": server.serve, "subscriptions": deliver}
    serving.openings["http"] = server.listen
    serving.routes |= {
        "catalog": reference.catalog_routes,
        "commands": commands.routes,
        "feed": feed.routes,
        "health": health.routes,
        "log": log_files.routes,
        "reference": reference.routes,
        "sign_in": sign_in.routes,
        "openid": sign_in.openid_routes,
    }
