"""What holds for every request: headers, limits, signing in, health, metrics, the log line, the end."""

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from fixtures.desk import contract
from fixtures.program import Program, ended_by, wait_until_ready
from fixtures.served import Served, listening, sealing, token_of
from ledger.app import App
from ledger.auth.tokens import LINK_LASTS, Tokens
from ledger.errors import UsageError
from ledger.http.callers import SESSION_COOKIE
from ledger.http.middleware import SECURITY_HEADERS
from ledger.http.openapi import RIGHT, operations
from ledger.http.server import FIRST_PORT, listen
from ledger.http.sign_in import local_path
from ledger.logging import log_to_stderr
from ledger.store.errors import DatabaseUnavailable


@contextmanager
def told() -> Iterator[list[MutableMapping[str, Any]]]:
    """The lines of the log, whatever another test has set it to."""
    before = structlog.get_config()
    log_to_stderr(quiet=False)
    try:
        with structlog.testing.capture_logs() as lines:
            yield lines
    finally:
        structlog.configure(**before)


@pytest.mark.parametrize("path", ["/livez", "/nothing", "/limits", "/contracts.csv"])
def test_every_answer_bears_the_headers_of_safety_and_its_id(house: Served, path: str) -> None:
    answer = house.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert house.get(path, headers={"X-Request-Id": "trace-7"}).headers["X-Request-Id"] == "trace-7"
    forged = house.get(path, headers={"X-Request-Id": "a b=c"})
    assert forged.headers["X-Request-Id"] != "a b=c"


def test_a_defect_is_a_problem_that_tells_nothing_of_itself(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = "secret detail"
        raise RuntimeError(message)

    monkeypatch.setattr("ledger.http.health.examine_feed", fail)
    with told() as lines:
        answer = house.client.get("/readyz", headers={"X-Request-Id": "look-me-up"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    defect = next(line for line in lines if line["event"] == "http_defect")
    assert str(defect["exc_info"]) == "secret detail"


def test_a_database_that_is_away_is_a_problem_to_try_again(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        message = "no connection"
        raise DatabaseUnavailable(message)

    monkeypatch.setattr("ledger.store.event_store.EventStore.load_many", away)
    answer = house.command("StartContract", contract("CC-away"), key="away")
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    monkeypatch.undo()
    assert house.command("StartContract", contract("CC-away"), key="away").status_code == 201


def test_readiness_says_what_is_not_well(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert house.client.get("/readyz").json()["ready"] is True
    monkeypatch.setattr("ledger.http.health.pending", lambda _: ["0999_later.sql"])
    pending = house.client.get("/readyz")
    assert (pending.status_code, pending.json()["migrations"]) == (503, "pending")

    def away(*_: object) -> None:
        message = "no connection"
        raise DatabaseUnavailable(message)

    monkeypatch.setattr("ledger.http.health.examine_feed", away)
    unreachable = house.client.get("/readyz")
    assert (unreachable.status_code, unreachable.json()["database"]) == (503, "away")
    assert house.client.get("/livez").status_code == 200


def test_metrics_count_commands_by_what_became_of_them_and_name_no_path(house: Served) -> None:
    house.command("StartContract", contract("CC-counted"), key="counted-1")
    house.command("StartContract", contract("CC-counted"), key="counted-2")
    told = house.get("/metrics", "monitor").text
    for status in ("recorded", "refused"):
        assert re.search(
            rf'claims_ledger_commands_total{{command="StartContract",status="{status}"}} [1-9]', told
        )
    assert 'route="/v1/{book}/commands/StartContract"' in told
    assert re.search(r"^claims_ledger_feed_position [0-9.]+$", told, re.MULTILINE)
    assert "CC-counted" not in told


def test_a_request_leaves_one_line_with_its_route_its_caller_and_no_address(house: Served) -> None:
    house.wiring.catch_up()
    with told() as lines:
        house.get("/contracts/CC-of-somebody?on=2026-03-01")
    [line] = [line for line in lines if line["event"] == "http_request"]
    assert (line["route"], line["status"], line["actor"]) == (
        "/v1/{book}/contracts/{number:number}",
        404,
        "admin",
    )
    assert "somebody" not in json.dumps(line, default=str)


def test_a_sign_in_link_lets_in_once_and_signing_out_ends_the_session(served: Served) -> None:
    tokens = Tokens(served.wiring.pool, served.wiring.book)
    link = tokens.create("link", role="auditor", name="a-3", created_by="test", lasts=LINK_LASTS)[1]
    entered = served.client.get("/sign-in", params={"code": link, "then": "/due?status=open"})
    assert (entered.status_code, entered.headers["Location"]) == (303, "/due?status=open")
    cookie = entered.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert link not in cookie
    secret = {"Cookie": f"{SESSION_COOKIE}={entered.cookies[SESSION_COOKIE]}"}
    served.client.cookies.clear()

    again = served.client.get("/sign-in", params={"code": link})
    assert (again.status_code, "used before" in again.json()["detail"]) == (401, True)
    assert served.client.get(f"{served.base}/limits", headers=secret).status_code == 200
    assert (
        served.client.post("/sign-out", headers=secret | {"Origin": "https://evil.example"}).status_code
        == 403
    )
    assert served.client.post("/sign-out", headers=secret).status_code == 303
    served.client.cookies.clear()
    # Whoever copied the cookie is signed out too.
    assert served.client.get(f"{served.base}/limits", headers=secret).status_code == 401


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:x",
        "/a\nb",
        "",
    ],
)
def test_signing_in_leads_to_a_page_of_ours_and_nowhere_else(elsewhere: str) -> None:
    assert local_path(elsewhere) == "/"


def test_the_next_free_port_is_taken_unless_one_was_asked_for(standing: App) -> None:
    taken = []
    try:
        for port in (FIRST_PORT, FIRST_PORT + 1):
            try:
                taken.append(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue  # somebody else has it: just as good
        told = dict(listen(standing))
        assert standing.listening is not None
        port = standing.listening.getsockname()[1]
        assert FIRST_PORT + 1 < port < FIRST_PORT + 20
        assert told["HTTP"] == f"http://127.0.0.1:{port}  ({FIRST_PORT} is in use)"
        assert f"http://127.0.0.1:{port}/sign-in?code=cll_" in told["Sign in"]
        standing.listening.close()
        standing.port = FIRST_PORT
        with pytest.raises(UsageError, match=f"Port {FIRST_PORT} on 127.0.0.1 is in use"):
            listen(standing)
    finally:
        for one in taken:
            one.close()


@pytest.mark.slow
def test_what_is_under_way_when_the_server_stops_is_answered(
    standing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    submit = type(standing.ledger).submit

    def slow(*given: object) -> object:
        begun.set()
        time.sleep(1.0)
        return submit(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(type(standing.ledger), "submit", slow)
    headers = {"Authorization": f"Bearer {token_of(standing, 'admin')}", "Idempotency-Key": "under-way"}
    answers: list[httpx.Response] = []
    with sealing(standing):
        with listening(standing) as base:
            url = f"{base}/v1/cyber-care/commands/StartContract"
            asking = threading.Thread(
                target=lambda: answers.append(
                    httpx.post(url, json=contract("CC-1"), headers=headers, timeout=20)
                )
            )
            asking.start()
            assert begun.wait(10)
        asking.join()
    assert [answer.status_code for answer in answers] == [201]


@pytest.mark.slow
def test_up_serves_beside_another_ledger_and_a_port_in_use_is_said_in_one_line(
    program: Program, tmp_path: Path
) -> None:
    running = program.start("up")
    assert running.stderr is not None
    lines = []
    for line in running.stderr:
        lines.append(line)
        if line.startswith("Ready"):
            break
    address = next(line.split()[1] for line in lines if line.startswith("HTTP"))
    link = next(line.split()[2] for line in lines if line.startswith("Sign in"))
    wait_until_ready(address)
    assert httpx.get(link, timeout=20, follow_redirects=False).status_code == 303
    refused = program.run("up", "--port", address.rpartition(":")[2])
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1), refused.stderr
    assert "is in use" in refused.stderr
    code, said = ended_by(running, signal.SIGTERM)
    assert (code, "service_waits" in said, "Traceback" in said) == (0, False, False)
    assert link.partition("code=")[2] not in said
    assert tmp_path.exists()


def test_the_reference_shows_every_operation_with_its_right_and_loads_nothing_from_elsewhere(
    house: Served,
) -> None:
    document = house.client.get("/openapi.json").json()
    page = house.client.get("/docs")
    assert page.status_code == 200
    shown = dict(re.findall(r'<details id="(\w+)">.*?<span class="right">(\w+)</span>', page.text, re.DOTALL))
    assert shown == {one["operationId"]: one[RIGHT] for _, _, one in operations(document)}
    assert "<script" not in page.text
    assert not re.search(r'(?:src|href)="(?!/|#)', page.text)
    assert house.client.get("/docs/reference.css").headers["Content-Type"].startswith("text/css")
