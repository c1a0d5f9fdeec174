"""What schemathesis looks for beside its own checks: our errors, and requests wrongly called malformed."""

import re
from itertools import count
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

BAD_REQUEST = 400
MALFORMED = {400, 415, 422}

ONLY_THE_LEDGER_KNOWS = re.compile(
    r"lies (after|in the past|outside)|does not exist|is no instant of the calendar|not there yet"
    r"|sent no command under this id|stands for another command|no event type"
    r"|numbers are whole|is longer than|has at most|among those of the terms"
    r"|must hold no|must hold a character that can be seen|must be one e-mail address|check digits are wrong"
)
"""What no schema can say: how fields stand to one another, to today and to what was recorded before."""


@schemathesis.check
def every_error_is_a_problem(_ctx: CheckContext, response: Response, _case: Case) -> None:
    if response.status_code < BAD_REQUEST:
        return
    assert response.headers["content-type"] == ["application/problem+json"], response.headers
    told = response.json()
    assert told["type"] == f"/problems/{told['code']}"
    assert told["status"] == response.status_code
    assert told["title"]
    assert "\n" not in told["detail"]


@schemathesis.check
def what_is_well_formed_is_not_called_malformed(_ctx: CheckContext, response: Response, case: Case) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code in MALFORMED:
        assert ONLY_THE_LEDGER_KNOWS.search(response.json()["detail"]), response.json()["detail"]


DAYS = ("2026-01-05", "2026-01-20", "2026-02-03", "2026-02-20")
"""Before the day on which the book stands, 1 March 2026, and after the start of its contracts."""

DATED = {"received_on", "posted_on", "returned_on", "completed_at", "reported_at", "on", "occurred_at"}
NUMBERS = {"contract": "CC", "claim": "CL", "complaint": "CO"}

_sent = count(1)


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Steer half of the well-formed commands to where the ledger takes them: a small world, in its own days.

    Left to chance, hardly one of a thousand names a contract that there is, on a day that has been.
    """
    number = next(_sent)
    commands = case.meta is not None and case.meta.generation.mode.is_positive and isinstance(case.body, dict)
    if not commands or "/commands/" not in case.path or case.meta.phase.name == "coverage" or number % 2:
        return
    body = dict(case.body)
    for field, value in body.items():
        if field in DATED and isinstance(value, str):
            body[field] = DAYS[number % len(DAYS)]
        elif field in NUMBERS and case.meta.phase.name != "stateful":
            body[field] = f"{NUMBERS[field]}-{number % 7}"
    if case.path.endswith("/StartContract"):
        body |= {"product": "cyber-care", "starts_on": "2026-01-01"}
        body = {
            name: value for name, value in body.items() if name not in {"terms", "concluded_on", "language"}
        }
    case.body = body
    case.query = {name: value for name, value in (case.query or {}).items() if name not in {"at", "dry_run"}}
    case.headers = {name: value for name, value in (case.headers or {}).items() if name != "If-Match"}
    case.headers["Idempotency-Key"] = f"steered-{number}"
