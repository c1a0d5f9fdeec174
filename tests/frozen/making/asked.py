"""What was asked of the ledger when it was frozen: part of its making, like make.py. The tests ask what the records say.

Every command that prints JSON and every route that answers GET is asked, or stands in `UNASKED` with the reason.
"""

import json
import shlex
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import click

from frozen.opening import REAL, SIMULATED
from frozen.transcripts import Record
from ledger.cli.verbs_table import VERBS
from ledger.http.openapi import operations
from ledger.program import program

UNASKED = {
    "listen": "it forwards until it is stopped",
    "up": "it runs until it is stopped",
    "letters open": "it prints no JSON",
    "letters answer": "it prints no JSON",
    "token revoke": "it prints no JSON",
    "subscriptions pause": "it prints no JSON",
    "subscriptions resume": "it prints no JSON",
}
UNASKED_ROUTES = {
    "/static/{content}/{name:path}": "the address hangs on the content of a shipped file",
}

_NUMBERS = {
    REAL: {
        "contract": ("CC-1", "CC-2", "CC-20", "A/1.json", "L-1", "NONE"),
        "claim": ("K-1", "K-2", "K-20", "K/é 3"),
        "complaint": ("X-1", "X-2"),
    },
    SIMULATED: {
        "contract": ("CC-7-00062", "CC-7-00056", "CC-7-00108"),
        "claim": ("CL-7-00037-0", "CL-7-00054-3"),
        "complaint": ("X-7",),
    },
}
_PERSON = {REAL: "P-ADA", SIMULATED: "P-7-00062"}
_ERASED = {REAL: "P-GONE-1", SIMULATED: "P-7-00108"}
_SIZES = {REAL: 60, SIMULATED: 900}
_WHY = ("--reason", "an audit", "--actor", "auditor-1")


def command_reads(book: str) -> Iterator[tuple[str, ...]]:
    numbers = _NUMBERS[book]
    contract, claim = numbers["contract"][0], numbers["claim"][0]
    yield ("subject", "log")
    yield ("subject", "log", _PERSON[book])
    for kind in ("contract", "claim", "complaint"):
        yield (kind, "list")
        yield (kind, "list", "--as-of", "30")
        yield (kind, "list", "--on", "2025-12-31")
        yield (kind, "list", "--before", "2026-01-15")
        for number in numbers[kind]:
            yield (kind, "show", number)
            yield (kind, "history", number)
            yield ("replay", number, f"--{kind}")
        yield (kind, "show", numbers[kind][0], "--as-of", str(_SIZES[book] // 2))
        yield (kind, "show", numbers[kind][0], "--on", "2026-02-05")
    yield ("contract", "list", "--status", "active")
    yield ("claim", "list", "--contract", contract)
    yield ("claim", "list", "--guarantee", "payment", "--status", "open")
    yield ("contract", "history", contract, "--own")
    yield ("contract", "show", contract, "--names", *_WHY)
    yield ("claim", "show", claim, "--names", *_WHY)
    yield ("replay", contract, "--names", *_WHY)
    yield ("person", "find", "Peeters", *_WHY)
    for more in (
        (),
        ("--status", "open"),
        ("--contract", contract),
        ("--before", "2026-12-31"),
        ("--kind", "refund"),
        ("--as-of", "40"),
        ("--on", "2026-01-01"),
    ):
        yield ("due", *more)
        if "--kind" not in more:
            yield ("limits", *more[: 2 if more[:1] != ("--status",) else 0])
    yield ("report", "overview")
    for report in ("guarantees", "payments", "recoveries", "refunds", "timeline"):
        yield ("report", report)
        yield ("report", report, "--as-of", "40")
        yield ("report", report, "--guarantee", "payment")
    for month in ("2026-02", "2026-11", "2024-05"):
        yield ("report", "bordereau", month)
        yield ("report", "bordereau", month, "--all")
    yield ("today",)
    yield ("events",)
    yield ("events", "--since", "20", "--type", "claim.RefundIssued")
    yield ("events", "--since", "1:20")
    yield ("events", "--since", "1:5000")
    yield ("deadlines", "list")
    yield ("deadlines", "list", "--before", "2026-12-31")
    yield ("deadlines", "retention")
    yield ("deadlines", "retention", "--until", "2040-01-01")
    yield ("deadlines", "digest")
    yield ("deadlines", "plan", "--from", "2026-12-01", "--to", "2027-03-01")
    yield ("letters", "list")
    yield ("letters", "list", "--status", "prepared")
    yield ("cancellations", "list")
    yield ("subject", "list")
    yield ("subject", "list", "--erased")
    yield ("subject", "holds")
    yield ("subject", "holds", "--lifted")
    yield ("subject", "show", _PERSON[book])
    yield ("subject", "show", _ERASED[book])
    yield ("subject", "export", _PERSON[book], *_WHY)
    yield ("subject", "export", _ERASED[book], *_WHY)
    yield ("token", "list")
    yield ("token", "list", "--sessions")
    yield ("subscriptions", "list")
    yield ("projections", "list")
    yield ("projections", "parked")
    yield ("projections", "diff")
    yield ("doctor",)
    yield ("checkpoint",)
    yield ("checkpoint", "--vkey")
    yield ("checkpoint", "--since", f"{{ledger}}/heads/{book}.5-after-restore.checkpoint")
    for moment in ("1-at-first", "3-after-rotation", "4-before-restore-lost", "5-after-restore", "6-at-last"):
        yield ("verify", "--since", f"{{ledger}}/heads/{book}.{moment}.checkpoint")
    yield ("verify", "--fresh")
    yield ("proof", contract)
    yield ("proof", contract, "--out", "{work}/proof.json")
    yield ("export", f"{{work}}/exported-{book}")
    yield ("archive", f"{{work}}/archive-{book}")
    for verb in VERBS:
        words = shlex.split(verb.example)[1:]
        words = [word for word in words if word not in {"--json", "--dry-run"}]
        yield (*words, "--dry-run", "--id", f"dry-{verb.group}-{verb.name}")
    yield (
        "submit",
        "GiveNotice",
        json.dumps({"contract": contract, "received_on": "2026-03-01", "channel": "email"}),
        "--dry-run",
        "--id",
        "dry-submit",
    )
    yield ("init",) if book == REAL else ("init", "--simulated")


WHOLE_READS = (("keys", "list", "--json"), ("migrate", "--json"))
_ENDLESS: dict[str, object] = {}


def _real(*words: str) -> Record:
    return {"words": [*words, "--book", REAL, "--json"]}


def command_writes() -> Iterator[Record]:
    """What changes the ledger, in an order that gives each command something to do."""
    claim = json.dumps(
        {
            "claim": "W-1",
            "contract": "CC-1",
            "guarantee": "payment",
            "cause": "fraud",
            "occurred_at": "2026-11-28",
            "channel": "phone",
            "victim": {
                "person": "P-ADA",
                "name": "Ada Wauters",
                "relation": "policyholder",
                "same_roof": True,
            },
        }
    )
    yield _real("submit", "OpenClaim", claim, "--id", "w-1")
    yield _real("submit", "OpenClaim", claim, "--id", "w-1")
    yield _real("submit", "WithdrawClaim", '{"claim": "W-1"}', "--id", "w-1")
    yield _real("claim", "identify", "W-1", "--method", "callback", "--id", "w-2")
    yield _real("claim", "advise", "W-1", "--topic", "change_passwords", "--id", "w-3")
    yield _real("claim", "complete", "W-1", "--completed-at", "2026-11-30", "--id", "w-4")
    yield _real("claim", "accept", "W-1", "--loss", "320.50", "--id", "w-5")
    yield _real("claim", "refund", "W-1", "--payment-reference", "PAY-W", "--id", "w-6")
    yield _real("claim", "refund", "NONE", "--payment-reference", "PAY-W", "--id", "w-7")
    yield _real(
        "contract",
        "start",
        "W-C",
        "--starts-on",
        "2026-06-15",
        "--at",
        "2026-06-15T09:00:00+02:00",
        "--person",
        "P-W",
        "--name",
        "Wim Nieuw",
        "--id",
        "w-8",
    )
    line = {
        "command": "GiveNotice",
        "data": {"contract": "CC-1", "received_on": "2026-11-30", "channel": "email"},
        "command_id": "w-9",
        "at": "2026-11-30T12:00:00+01:00",
    }
    yield _real("import", "-") | {"stdin": json.dumps(line) + "\n"}
    yield _real("import", "-") | {"stdin": json.dumps(line) + "\n"}
    yield _real("import", "-", "--dry-run") | {"stdin": "no line of JSON\n"}
    yield _real("subject", "erase", "P-BEN", "--reason", "asked for it")
    yield _real("subject", "hold", "CC-1", "--reason", "lawsuit", "--actor", "legal-2")
    yield _real("subject", "lift-hold", "CC-1", "--reason", "over", "--actor", "legal-2")
    yield _real("subject", "erase", "P-W", "--reason", "asked for it")
    yield _real("letters", "prepare")
    yield _real("letters", "hand-over")
    yield _real("letters", "confirm", "L-NONE", "--posted-on", "2026-11-30")
    yield _real("subscriptions", "add", "crm", "--webhook", "https://crm.example/hook", "--after", "50")
    yield _real("subscriptions", "show", "crm")
    yield _real("subscriptions", "resend", "erp", "--from", "2", "--to", "9")
    yield _real("subscriptions", "replay-parked", "erp")
    yield _real("subscriptions", "rotate-secret", "crm", "--keep-hours", "2")
    yield _real("subscriptions", "remove", "crm")
    yield _real("token", "create", "--role", "auditor", "--name", "auditor-9", "--days", "30")
    yield _real(
        "token", "link", "--role", "auditor", "--name", "auditor-9", "--url", "https://ledger.example"
    )
    yield _real("projections", "replay-parked")
    yield _real("projections", "rebuild", "claims")
    yield _real("projections", "drop", "claims")
    yield _real("deadlines", "sweep")
    yield {"words": ["deadlines", "sweep", "--until", "2026-03-20", "--book", SIMULATED, "--json"]}
    yield {"words": ["simulate", "--until", "2026-04-10", "--book", SIMULATED, "--json"]}
    yield _real("deadlines", "digest", "--send")
    yield _real("checkpoint", "--send")
    yield _real("verify", "--views", "--fresh")
    yield {"words": ["verify", "--views", "--fresh", "--book", SIMULATED, "--json"]}
    yield _real("keys", "rotate", "--signing")
    yield {"words": ["keys", "rotate", "--json"]}
    yield {"words": ["keys", "kept", "stick in the safe", "--json"]}
    yield {"words": ["backup", "{work}/now.dump", "--vault", "{work}/vault-now.dump", "--json"]}
    yield {"words": ["restore", "{work}/now.dump", "--yes", "--json"]}
    yield {"words": ["restore", "--accept", "--json"]}
    yield _real("verify", "--fresh")


def requests(book: str, openapi: Any) -> Iterator[Record]:  # noqa: ANN401  # a document
    """Every route."""
    numbers, base = _NUMBERS[book], f"/v1/{book}"

    def get(path: str, **more: Any) -> Record:  # noqa: ANN401  # parts of a record
        return {"method": "GET", "path": path, "as": "admin", "book": book} | more

    def quoted(number: str) -> str:
        from urllib.parse import quote

        return quote(number, safe="")

    for path in ("/livez", "/readyz"):
        yield {"method": "GET", "path": path, "book": book}
    for path in (
        "/metrics",
        "/docs",
        "/docs/reference.css",
        "/openapi.json",
        "/problems",
        "/problems/LIMIT_COUNT",
        f"{base}/asyncapi.json",
        f"{base}/schemas/claims-ledger.claim.RefundIssued.v1",
    ):
        yield get(path)
    for role in ("auditor", "back_office", "importer", "subscriber", "monitor", "calendar"):
        for path in (f"{base}/contracts", f"{base}/events?limit=2", "/metrics", "/feed/subscriptions.json"):
            yield get(path, **{"as": role})
    yield {"method": "GET", "path": f"{base}/contracts", "book": book}
    yield {"method": "GET", "path": "/today.json", "book": book}
    yield get(f"{base}/events")
    yield get(f"{base}/events?after=20&limit=5")
    yield get(f"{base}/events?after=1:20&limit=5")
    yield get(f"{base}/events?after=1:5000")
    yield get(f"{base}/events?after=nowhere")
    yield get(f"{base}/events?type=claim.RefundIssued&limit=3")
    yield get(f"{base}/events/stream?after=nowhere")
    lists = (
        "contracts",
        "claims",
        "complaints",
        "limits",
        "due",
        "reports/refunds",
        "reports/payments",
        "reports/recoveries",
        "reports/timeline",
        "reports/bordereau",
        "reports/guarantees",
    )
    for name in lists:
        asked = "?month=2026-02" if name.endswith("bordereau") else ""
        more = "&" if asked else "?"
        for end in ("", ".csv", ".xlsx"):
            yield get(f"{base}/{name}{end}{asked}")
        yield get(f"{base}/{name}{asked}{more}as_of=40")
        yield get(f"{base}/{name}{asked}{more}limit=2")
    yield get(f"{base}/due?status=open")
    yield get(f"{base}/due?kind=refund")
    yield get(f"{base}/due?contract={numbers['contract'][0]}")
    yield get(f"{base}/contracts?status=active&before=2026-01-01")
    yield get(f"{base}/due.ics?token={{calendar}}", **{"as": None})
    yield get(f"{base}/checkpoint")
    yield get(f"{base}/tile/0/000.p/{_SIZES[book] % 256}")
    yield get(f"{base}/tile/0/000")
    yield get(f"{base}/tile/1/000.p/3")
    why = {"sends": {"Access-Reason": "an audit"}}
    for kind in ("contract", "claim", "complaint"):
        for number in numbers[kind]:
            one = f"{base}/{kind}s/{quoted(number)}"
            for end in ("", "/history", "/replay"):
                yield get(f"{one}{end}")
        one = f"{base}/{kind}s/{quoted(numbers[kind][0])}"
        yield get(f"{one}?as_of=30")
        yield get(f"{one}/replay/opened", **why)
        if kind != "complaint":
            yield get(f"{one}/opened", **why)
        yield get(f"/{kind}s.json")
        yield get(f"/{kind}s.json?on=2026-02-05")
        yield get(f"/{kind}s", **{"as": "cookie"})
        yield get(f"/{kind}s/new", **{"as": "cookie"})
        for number in numbers[kind]:
            for end in ("", "/replay"):
                yield get(f"/{kind}s/{quoted(number)}{end}.json")
            yield get(f"/{kind}s/{quoted(number)}", **{"as": "cookie"})
            yield get(f"/{kind}s/{quoted(number)}/replay", **{"as": "cookie"})
    yield get(f"/contracts/{quoted(numbers['contract'][0])}/proof")
    yield get("/", **{"as": "cookie"})
    yield get("/", **{"as": None})
    for path in (
        "today",
        "due",
        "due?status=open",
        "due/calendar?month=2026-12",
        "letters",
        "letters?status=prepared",
        "retention",
        "retention?until=2040-01-01",
        "reports",
        "feed?since=-1",
        "feed?since=5&type=claim.ClaimOpened",
        "feed/subscriptions",
        "verify",
        "verify/progress",
        "cancellations",
        "cancellations?state=waiting",
        *(f"reports/{name}" for name in ("refunds", "payments", "recoveries", "timeline", "guarantees")),
        "reports/bordereau?month=2026-02",
        "feed/subscriptions/erp",
        "feed/subscriptions/none",
    ):
        head, mark, query = path.partition("?")
        yield get(f"/{head}.json{mark}{query}")
        if head != "today":
            yield get(f"/{path}", **{"as": "cookie"})
    for name in ("refunds", "payments", "recoveries", "timeline", "guarantees"):
        yield get(f"/reports/{name}.csv")
        yield get(f"/reports/{name}.xlsx")
    yield get("/verify/head")
    yield get("/find?q=CC-1", **{"as": "cookie"})
    yield get(f"/find?number={numbers['contract'][0]}", **{"as": "cookie"})
    yield get("/persons", **{"as": "cookie"})
    for path in (
        "/cancel",
        "/cancel/received",
        "/cancel/confirm",
        "/cancel/confirm?code=none",
        "/sign-in",
        "/sign-in?code=none",
        "/sign-in?code={link}",
        "/sign-in?code={link}",
    ):
        yield get(path, **{"as": None})
    for method, path, operation in operations(openapi):
        if method == "post":
            example = operation["requestBody"]["content"]["application/json"]["example"]
            yield {
                "method": "POST",
                "path": path.replace("{book}", book) + "?dry_run=true",
                "as": "back_office",
                "book": book,
                "sends": {"Idempotency-Key": f"dry-{path.rpartition('/')[2]}"},
                "json": example,
            }
    yield {
        "method": "POST",
        "path": "/persons.json",
        "as": "admin",
        "book": book,
        "json": {"name": "Peeters", "reason": "an audit"},
    }
    yield {
        "method": "POST",
        "path": f"{base}/commands/NoSuchCommand",
        "as": "admin",
        "book": book,
        "json": {},
    }


def everything(openapi: dict[str, Any]) -> list[Record]:
    records: list[Record] = []
    for book in (REAL, SIMULATED):
        records += requests(book, openapi[book])
    for book in (REAL, SIMULATED):
        records += ({"words": [*words, "--book", book, "--json"]} for words in command_reads(book))
    records += ({"words": list(words)} for words in WHOLE_READS)
    return records + list(command_writes())


def forgotten_commands(records: list[Record]) -> set[str]:
    asked = [record["words"] for record in records if "words" in record]
    every = {" ".join(path) for path in _leaves(program(), (), click.Context(program()))}
    return {
        name for name in every if not any(words[: len(name.split())] == name.split() for words in asked)
    } - set(UNASKED)


def _leaves(group: click.Group, path: tuple[str, ...], context: click.Context) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, (*path, name), click.Context(command, parent=context))
        else:
            yield (*path, name)


def forgotten_routes(wiring: Any, records: list[Record]) -> set[str]:  # noqa: ANN401  # today's own
    from starlette.routing import Match

    paths = {record["path"].partition("?")[0] for record in records if record.get("method") == "GET"}
    from urllib.parse import unquote

    lacking: set[str] = set()
    for point in entry_points(group="claims_ledger.routes"):
        routes = [route for route in point.load()(wiring).routes if "GET" in route.methods]
        hit = set()
        for path in paths:
            for route in routes:
                scope = {"type": "http", "method": "GET", "path": unquote(path), "headers": []}
                if route.matches(scope)[0] is Match.FULL:
                    hit.add(route.path)
                    break
        lacking |= {route.path for route in routes} - hit
    return lacking - set(UNASKED_ROUTES)
